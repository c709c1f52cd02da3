import { other } from './table.ts'

/**
 * The values that a label may have. They come from the configuration or a catalogue, never from a sender, and their
 * number is limited: each is a series that Prometheus keeps.
 */
export class Known {
  readonly all: readonly string[]
  /** The number of values beyond the limit. */
  readonly left: number
  readonly #all: ReadonlySet<string>

  /** @param most further values are `other` */
  constructor(values: Iterable<string>, most: number) {
    const distinct = [...new Set(values)]
    const taken = distinct.slice(0, most)
    this.#all = new Set(taken)
    this.left = distinct.length - taken.length
    this.all = [...this.#all, other]
  }

  /** Returns the value of the label for any text. */
  label(text: string): string {
    return this.#all.has(text) ? text : other
  }
}
