import { clearTimeout, setImmediate, setTimeout } from '../model/timers.ts'

/**
 * Waits for a promise, at most `ms`. The timer keeps the process alive: use it for work that must end before the
 * process exits.
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

/** Resolves when the pending events of the event loop are handled. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
