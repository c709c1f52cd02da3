/**
 * Limits the bytes of request bodies in memory, over all endpoints of one plugin: from the first byte that arrives until the request is
 * answered and nothing works on it any more. Bytes are counted as they arrive, so a sender cannot reserve memory by announcing a length.
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

  /** @returns false, and takes nothing, when the budget does not suffice */
  take(bytes: number): boolean {
    if (!(this.#used + bytes <= this.limit)) return false
    this.#used += bytes
    return true
  }

  release(bytes: number): void {
    this.#used -= bytes
  }
}
