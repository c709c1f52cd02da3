/**
 * The state of a run. It is decided once, and nothing that happens later changes the stored outcome.
 *
 * - `open`: the handler runs, or the delivery was claimed just now.
 * - `stopping`: the process ends and the handler's signal is aborted. The handler may still decide; otherwise the
 *   delivery is handed back.
 * - `decided`: the outcome (done, retry at a time, dead, lost, handed back or parked) is stored, or will be.
 * - `lease_lost`: another run of the delivery decides. Nothing is stored.
 *
 * A commit of `context.transaction()` is separate: it makes the delivery done in the database. It can
 * succeed although a time limit or a shutdown decided otherwise just before.
 */
export class Fate {
  #state: 'open' | 'stopping' | 'lease_lost' | 'decided' = 'open'
  #isCommitted = false

  /** True until the process ends, the lease is lost or the outcome is decided. */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get isStopping(): boolean {
    return this.#state === 'stopping'
  }

  get isDecided(): boolean {
    return this.#state === 'decided'
  }

  /** True when the handler can no longer change the outcome. */
  get isOver(): boolean {
    return this.#state === 'decided' || this.#state === 'lease_lost'
  }

  /** True when the handler's transaction is committed: the delivery is done. */
  get isCommitted(): boolean {
    return this.#isCommitted
  }

  stop(): void {
    if (this.#state === 'open') this.#state = 'stopping'
  }

  /** @returns false if it was over before: then the new outcome must not be stored */
  decide(): boolean {
    if (this.isOver) return false
    this.#state = 'decided'
    return true
  }

  /** @returns false if it was over before */
  loseLease(): boolean {
    if (this.isOver) return false
    this.#state = 'lease_lost'
    return true
  }

  commit(): void {
    this.#isCommitted = true
  }
}
