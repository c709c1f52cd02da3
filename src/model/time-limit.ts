import { clearTimeout, setTimeout } from './timers.ts'

/** A time limit that several promises share. */
export interface TimeLimit {
  /** Returns a promise that rejects at the limit. The work itself continues: a promise cannot be cancelled. */
  of<Value>(work: Promise<Value>): Promise<Value>
  /** Clears the timer. Always call it, or the process lives until the limit. */
  end(): void
}

/**
 * Starts a limit. Its timer keeps the process alive, because nothing else may do so during the wait.
 * @param late makes the error of promises that miss the limit
 */
export function startLimit(ms: number, late: () => Error): TimeLimit {
  const { promise, reject } = Promise.withResolvers<never>()
  // The limit may pass before anything waits for it.
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

/** Waits for one promise, at most `ms`, and always clears the timer. */
export async function withLimit<Value>(ms: number, work: Promise<Value>, late: () => Error): Promise<Value> {
  const limit = startLimit(ms, late)
  try {
    return await limit.of(work)
  } finally {
    limit.end()
  }
}

/**
 * Waits for a promise, at most `ms`.
 * @returns whether it was fulfilled in time
 */
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
