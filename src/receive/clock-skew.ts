/** How many requests are looked at, and from how many on they say something. */
const [most, least] = [51, 5]
/** In milliseconds. */
const longestAgo = 600_000

interface Seen {
  readonly at: number
  readonly skewMs: number
}

/** How far the times that senders sign are from the clock of this machine, over the last requests. */
export class ClockSkew {
  readonly #seen: Seen[] = []
  readonly #now: () => number

  /** @param now milliseconds on a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  add(skewMs: number): void {
    this.#seen.push({ at: this.#now(), skewMs })
    if (this.#seen.length > most) this.#seen.shift()
  }

  /** The median of the last ten minutes; undefined if there were fewer than five requests with a signed time. */
  get medianMs(): number | undefined {
    const from = this.#now() - longestAgo
    const recent = this.#seen.filter(({ at }) => at >= from).map(({ skewMs }) => skewMs)
    return recent.length < least ? undefined : recent.sort((one, other) => one - other)[recent.length >> 1]
  }
}
