import type { BodyBudget } from './budget.ts'

/**
 * The state of a request in progress. The bytes of its body count against the budget until every holder has released
 * it: the response, and the adapter's handler.
 */
export class Incoming {
  /** A time of `performance.now()`. */
  readonly arrivedAt: number
  readonly #budget: BodyBudget
  #holders = 0
  #hasEnded = false
  #taken = 0

  /** @param elapsedMs since the head of the request arrived; the host's hooks run first, and take time */
  constructor(budget: BodyBudget, elapsedMs: number) {
    this.#budget = budget
    this.arrivedAt = performance.now() - elapsedMs
  }

  get elapsedMs(): number {
    return performance.now() - this.arrivedAt
  }

  /** @returns false if the budget is used up, or every holder has released the request */
  take(bytes: number): boolean {
    if (this.#hasEnded || !this.#budget.take(bytes)) return false
    this.#taken += bytes
    return true
  }

  hold(): void {
    this.#holders += 1
  }

  unhold(): void {
    this.#holders -= 1
    if (this.#holders > 0) return
    // The host may have answered while the body is still being read.
    this.#hasEnded = true
    this.release()
  }

  /** Returns the bytes to the budget. */
  release(): void {
    this.#budget.release(this.#taken)
    this.#taken = 0
  }
}
