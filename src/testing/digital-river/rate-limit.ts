import type { Clock } from '../clock.ts'

const secondMs = 1000

/** Allows a number of calls per second; more are refused until the next second begins. */
export class RateLimit {
  readonly #clock: Clock
  readonly #perSecond: number
  #startedAt = -Infinity
  #calls = 0

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
  }

  /**
   * Counts a call.
   * @returns undefined if it is allowed, otherwise the whole seconds to wait
   */
  take(): number | undefined {
    const now = this.#clock.now().getTime()
    if (now - this.#startedAt >= secondMs) {
      this.#startedAt = now
      this.#calls = 0
    }
    this.#calls += 1
    return this.#calls > this.#perSecond ? Math.ceil((this.#startedAt + secondMs - now) / secondMs) : undefined
  }
}
