export interface RepeatOptions {
  readonly everyMs: number
  /** Aborted at the end: what a run does is to heed it. */
  readonly ending: AbortController
  /** Told of a failed run, and of the milliseconds until the next. */
  readonly failed: (error: unknown, nextMs: number) => void
  /** The first pause after a failed run; it doubles up to `everyMs`. Default 5,000. */
  readonly firstPauseMs?: number
}

export interface Repeated {
  /** Runs at once, instead of at the next time; during a run, the run after it. */
  readonly now: () => Promise<void>
  /** Gives up the run that is under way, and starts no further one; resolves when none is under way any more. */
  readonly end: () => Promise<void>
}

/** Runs something at once and then again and again, never two at a time; after a failure sooner, with growing pauses. */
export function repeat(run: () => Promise<void>, options: RepeatOptions): Repeated {
  const { ending } = options
  const { everyMs, failed, firstPauseMs = 5_000 } = options
  let pauseMs = firstPauseMs
  let timer: NodeJS.Timeout | undefined
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
    let waitMs = everyMs
    try {
      await run()
      pauseMs = firstPauseMs
    } catch (error) {
      waitMs = Math.min(pauseMs, everyMs)
      pauseMs *= 2
      if (!isEnded()) failed(error, waitMs)
    }
    if (isEnded()) return
    timer = setTimeout(() => void next(), waitMs)
    timer.unref()
  }

  // A run takes its time, and the end may come meanwhile.
  function isEnded(): boolean {
    return ending.signal.aborted
  }
}
