import { clearTimeout, setImmediate, setTimeout } from '../model/timers.ts'

/**
 * Waits for a promise, but not longer than `ms`. The timer keeps the process alive: it is for what must end before
 * the process does.
 * @returns whether the promise was settled in time
 */
export async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves when the events that are at hand have been dealt with. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
