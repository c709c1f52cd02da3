import type { Clock } from '../clock.ts'

const secondMs = 1000

/** So many calls a second; whoever asks for more is refused until the next second begins. */
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
   * Counts a call. @returns undefined when it may go on, else the seconds to wait, which the provider says in whole
   * ones
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
