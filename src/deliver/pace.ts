/**
 * How long a delivery may wait in this process for a slot, at the handler's usual speed, in milliseconds. Another
 * process could have begun it meanwhile.
 */
const aheadMs = 20
/** The weight of the newest attempt in the mean. */
const weight = 1 / 8
/** How many attempts must be quick after a stall. They make the mean `1 - weight` times as long each. */
const quickAfterStall = 16

/** How long the attempts of a handler take, and so how many of its deliveries may be claimed before a slot is free. */
export class Pace {
  /** In milliseconds. Undefined until an attempt has ended. */
  #mean: number | undefined

  /** Call when an attempt has ended. @param ms how long it took, in milliseconds */
  ended(ms: number): void {
    // The clock may have been set back.
    const took = Math.max(0, ms)
    this.#mean = this.#mean === undefined ? took : this.#mean + (took - this.#mean) * weight
  }

  /**
   * Call when deliveries have waited for too long: none is claimed ahead until several attempts were quick again.
   * @param slots how many the handler has
   */
  stalled(slots: number): void {
    this.#mean = (slots * aheadMs) / (1 - weight) ** quickAfterStall
  }

  /** How many deliveries may wait for one of the handler's slots. A slow handler has none. */
  ahead(slots: number): number {
    if (this.#mean === undefined) return 0
    return Math.floor((slots * aheadMs) / this.#mean)
  }
}
