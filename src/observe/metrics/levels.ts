import type { InboxLevels } from '../../inbox/inbox.ts'
import { loggedError } from '../../model/error-text.ts'
import type { Log } from '../../model/log.ts'
import { withLimit } from '../../model/time-limit.ts'

export interface LevelsOptions {
  readonly read: () => Promise<InboxLevels>
  /** Whether the inbox can be written to. */
  readonly canRecord: () => Promise<boolean>
  readonly log: Pick<Log, 'debug'>
  /** Milliseconds on a clock that never goes back. */
  readonly clock?: () => number
  /** Default 1,000. */
  readonly limitMs?: number
}

/** How long a result is used again. */
const keptMs = 5_000

/**
 * Reads the levels of the inbox for all gauges: one read at a time, and at most one in five seconds. If the inbox is
 * slow, it returns the last levels, so that a scrape never hangs.
 */
export class Levels {
  readonly #options: LevelsOptions
  readonly #clock: () => number
  #last: InboxLevels | undefined
  #isUp = false
  #startedAt = -Infinity
  #reading: Promise<void> | undefined

  constructor(options: LevelsOptions) {
    this.#options = options
    this.#clock = options.clock ?? (() => performance.now())
  }

  /** Undefined before the first read that succeeded. */
  get last(): InboxLevels | undefined {
    return this.#last
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** Brings `last` and `isUp` up to date, within the limit. Never rejects. */
  async refresh(): Promise<void> {
    const { limitMs = 1_000, log } = this.#options
    if (this.#reading === undefined && this.#clock() - this.#startedAt < keptMs) return
    const reading = (this.#reading ??= this.#read())
    try {
      await withLimit(limitMs, reading, () => new Error(`the inbox gave no levels within ${limitMs} ms`))
    } catch (error) {
      this.#isUp = false
      log.debug(
        { err: loggedError(error) },
        'the levels of the inbox could not be read; metrics keep their last values'
      )
    }
  }

  async #read(): Promise<void> {
    const startedAt = this.#clock()
    this.#startedAt = startedAt
    const { limitMs = 1_000 } = this.#options
    try {
      // Called inside a promise, because a user's engine may throw instead of rejecting.
      const [levels, isUp] = await Promise.resolve().then(() =>
        Promise.all([this.#options.read(), this.#options.canRecord()])
      )
      this.#last = levels
      this.#isUp = isUp && this.#clock() - startedAt <= limitMs
    } finally {
      this.#reading = undefined
    }
  }
}
