import { randomUUID } from 'node:crypto'

import type { EventDetail } from '../index.ts'
import { readBodyText } from '../programs.ts'
import type { PayloadJson } from './api-types.ts'
import type { Scope } from './scope.ts'

/**
 * The payloads of an answer. JSON is put into the text of the answer as it arrived: read and written again, its numbers
 * would lose digits, and a deep one would overflow the stack.
 */
export class Payloads {
  readonly #scopes: ReadonlySet<Scope>
  /** The JSON of each payload, by the text that stands for it. */
  readonly #texts = new Map<string, string>()

  /** @param scopes those of the operator: without `reveal`, the payload is hidden */
  constructor(scopes: ReadonlySet<Scope>) {
    this.#scopes = scopes
  }

  /** True if a payload is in the answer. */
  get isRevealed(): boolean {
    return this.#scopes.has('reveal')
  }

  /** The payload of an event, with a text that stands for its value. */
  of({ body, headers, about }: EventDetail): PayloadJson {
    const bytes = body.byteLength
    if (!this.isRevealed) return { bytes, hidden: true }
    const { encoding, text } = readBodyText(body)
    const value = randomUUID()
    this.#texts.set(JSON.stringify(value), encoding === 'json' ? text : JSON.stringify(text))
    return { bytes, hidden: false, encoding, value, headers: { ...headers }, about: [...about] }
  }

  /** Puts the payloads into the text of the answer. */
  fill(answer: string): string {
    let filled = answer
    // A function: the text of a payload may hold `$&`.
    for (const [place, text] of this.#texts) filled = filled.replace(place, () => text)
    return filled
  }
}
