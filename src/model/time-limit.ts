import { clearTimeout, setTimeout } from './timers.ts'

/** A limit that several promises share. */
export interface TimeLimit {
  /** The promise, or a rejection at the limit. The work behind it goes on: nothing can cancel a promise. */
  of<Value>(work: Promise<Value>): Promise<Value>
  /** Clears the timer: to be called in every case, or the process lives until the limit. */
  end(): void
}

/**
 * Starts a limit. Its timer keeps the process alive, as nothing else may do so while work is waited for.
 * @param late makes the error with which what is not done in time is rejected
 */
export function startLimit(ms: number, late: () => Error): TimeLimit {
  const { promise, reject } = Promise.withResolvers<never>()
  // It may pass while nothing is waited for.
  promise.catch(() => undefined)
  const timer = setTimeout(() => {
    reject(late())
  }, ms)
  return {
    of: (work) => Promise.race([work, promise]),
    end() {
      clearTimeout(timer)
    }
  }
}

/** Waits for one promise, at most `ms`, and clears the timer in every case. */
export async function withLimit<Value>(ms: number, work: Promise<Value>, late: () => Error): Promise<Value> {
  const limit = startLimit(ms, late)
  try {
    return await limit.of(work)
  } finally {
    limit.end()
  }
}

/** Waits for a promise, at most `ms`. @returns whether it was fulfilled in time */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const late = new Error('late')
  try {
    await withLimit(ms, work, () => late)
    return true
  } catch (error) {
    if (error === late) return false
    throw error
  }
}
