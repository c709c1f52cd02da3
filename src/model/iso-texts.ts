/**
 * Formats times as ISO 8601 in UTC, and remembers the last one: under load, many requests have the same millisecond,
 * and most senders sign whole seconds.
 */
export class IsoTexts {
  #ms = NaN
  #text = ''

  /** @throws {RangeError} for an invalid date */
  of(date: Date): string {
    const ms = date.getTime()
    if (ms !== this.#ms) {
      this.#text = date.toISOString()
      this.#ms = ms
    }
    return this.#text
  }
}
