/**
 * Limits the bytes of request bodies in memory, over all endpoints of one plugin, from the first byte until the request
 * is answered and its handler has ended. Counts bytes as they arrive, so that a sender cannot reserve memory by
 * announcing a length.
 */
export class BodyBudget {
  readonly limit: number
  #used = 0

  /** @param limit in bytes */
  constructor(limit: number) {
    this.limit = limit
  }

  get used(): number {
    return this.#used
  }

  /** @returns false, and takes nothing, if the budget is too small */
  take(bytes: number): boolean {
    if (!(this.#used + bytes <= this.limit)) return false
    this.#used += bytes
    return true
  }

  release(bytes: number): void {
    this.#used -= bytes
  }
}
