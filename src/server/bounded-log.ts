/**
 * Limits the log lines that unauthenticated senders can cause. Logs the first few in each period; the next line has the
 * number of skipped ones.
 */
export class BoundedLog {
  readonly #lines: number
  readonly #everyMs: number
  readonly #clock: () => number
  #periodStart = -Infinity
  #logged = 0
  #leftOut = 0

  /** Default: 10 lines a minute. `clock` never goes back. */
  constructor({
    lines = 10,
    everyMs = 60_000,
    clock = () => performance.now()
  }: { readonly lines?: number; readonly everyMs?: number; readonly clock?: () => number } = {}) {
    this.#lines = lines
    this.#everyMs = everyMs
    this.#clock = clock
  }

  /** @param write is called if the line may be logged, with the keys to add to it */
  log(write: (keys: { readonly left_out?: number }) => void): void {
    const now = this.#clock()
    if (now - this.#periodStart >= this.#everyMs) {
      this.#periodStart = now
      this.#logged = 0
    }
    if (this.#logged >= this.#lines) {
      this.#leftOut += 1
      return
    }
    this.#logged += 1
    const leftOut = this.#leftOut
    this.#leftOut = 0
    write(leftOut === 0 ? {} : { left_out: leftOut })
  }
}
