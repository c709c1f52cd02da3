import { backoffMs } from '../model/backoff.ts'
import { longestTimerMs } from '../model/option-rules.ts'
import { clearTimeout, setTimeout } from '../model/timers.ts'

export interface RepeatOptions {
  readonly everyMs: number
  /** Aborted by `end()`; `run` must honour it. */
  readonly ending: AbortController
  /** Called after a failed run, with the milliseconds until the next. */
  readonly failed: (error: unknown, nextMs: number) => void
  /** The first pause after a failed run; it doubles up to `everyMs`. Default 5,000. */
  readonly firstPauseMs?: number
  /** From 0 to below 1. Default `Math.random`; given by tests. */
  readonly random?: () => number
  /** Default: a timer that keeps no process alive; given by tests. */
  readonly startTimer?: (run: () => void, ms: number) => NodeJS.Timeout
}

export interface Repeated {
  /** Runs now instead of at the next time. During a run, runs again after it. */
  readonly now: () => Promise<void>
  /** Aborts the current run and starts no other. Resolves when none is running. */
  readonly end: () => Promise<void>
}

/** Limit of the wait that a provider asks for: a wrong `Retry-After` must not stop the checks. */
const longestAskedMs = 86_400_000

/**
 * Calls `run` at once and then repeatedly, one call at a time. Retries a failure sooner, with growing pauses, but never
 * before the time that the provider asks for (`retryAfterMs` of the error). Shortens each wait by up to a tenth, and
 * the first by up to a half, so that replicas that start together do not call the provider together.
 */
export function repeat(run: () => Promise<void>, options: RepeatOptions): Repeated {
  const { ending, everyMs, failed, firstPauseMs = 5_000, random = Math.random, startTimer = unrefTimer } = options
  let failures = 0
  let timer: NodeJS.Timeout | undefined
  let isFirst = true
  let last: Promise<void> = Promise.resolve()
  const next = (): Promise<void> => (last = last.then(once))
  void next()
  return {
    now: next,
    end() {
      ending.abort()
      clearTimeout(timer)
      return last
    }
  }

  async function once(): Promise<void> {
    if (ending.signal.aborted) return
    clearTimeout(timer)
    let waitMs: number
    try {
      await run()
      failures = 0
      waitMs = everyMs * (1 - random() * (isFirst ? 0.5 : 0.1))
      isFirst = false
    } catch (error) {
      failures += 1
      waitMs = Math.round(askedMs(error) + backoffMs(failures, firstPauseMs, everyMs) * (1 - random() / 2))
      if (!isEnded()) failed(error, waitMs)
    }
    if (!isEnded()) wait(waitMs)
  }

  /** Node fires a timer that is too long after 1 ms, so a long wait is made of several timers. */
  function wait(ms: number): void {
    const part = Math.min(ms, longestTimerMs)
    timer = startTimer(() => {
      if (ms > part) wait(ms - part)
      else void next()
    }, part)
  }

  // A function, because `end()` may be called while a run is awaited.
  function isEnded(): boolean {
    return ending.signal.aborted
  }
}

/** How long the provider asks to wait; 0 if the error does not say. */
function askedMs(error: unknown): number {
  const asked = typeof error === 'object' && error !== null && 'retryAfterMs' in error ? error.retryAfterMs : undefined
  return typeof asked === 'number' && asked > 0 ? Math.min(asked, longestAskedMs) : 0
}

function unrefTimer(run: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(run, ms).unref()
}
