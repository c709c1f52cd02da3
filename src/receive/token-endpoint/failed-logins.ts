const windowMs = 60_000
/** Failed logins of an address in a minute. */
export const mostFailedLogins = 10
/** Addresses that are counted separately. A sender with more of them, as with IPv6, shares one count. */
const mostAddresses = 10_000
const otherAddress = ''

/**
 * Counts failed logins by address, in windows of a minute. Right credentials are accepted meanwhile: the provider may
 * share its address with others, behind a proxy for example, and a locked-out provider loses events.
 */
export class FailedLogins {
  readonly #counts = new Map<string, number>()
  #since = 0

  /**
   * @param address undefined: unknown
   * @param now milliseconds
   * @returns the number of this failure within the window, and when the window ends, in seconds
   */
  add(address: string | undefined, now: number): { readonly count: number; readonly secondsLeft: number } {
    if (now - this.#since >= windowMs || now < this.#since) {
      this.#counts.clear()
      this.#since = now
    }
    const given = address ?? otherAddress
    const key = this.#counts.has(given) || this.#counts.size < mostAddresses ? given : otherAddress
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, count)
    return { count, secondsLeft: Math.max(1, Math.ceil((this.#since + windowMs - now) / 1_000)) }
  }
}
