import { randomUUID } from 'node:crypto'

import type { EventDetail, MaskedEvent } from '../index.ts'
import { readBodyText } from '../programs.ts'
import type { PayloadJson } from './api-types.ts'

/**
 * The payloads of an answer. JSON is put into the text of the answer as it is: read and written again, its numbers
 * would lose digits, and a deep one would overflow the stack.
 */
export class Payloads {
  /** The JSON of each payload, by the text that stands for it. */
  readonly #texts = new Map<string, string>()

  /** The payload of an event as it arrived, with a text that stands for its value. */
  revealed({ body, headers, about }: EventDetail): PayloadJson {
    const { encoding, text } = readBodyText(body)
    const value = this.#keep(encoding === 'json' ? text : JSON.stringify(text))
    return { bytes: body.byteLength, masked: false, encoding, value, headers: { ...headers }, about: [...about] }
  }

  /** The payload of an event without personal data. */
  masked({ payload, bytes, about }: MaskedEvent): PayloadJson {
    const shown = payload === undefined ? {} : { encoding: 'json' as const, value: this.#keep(payload) }
    return { bytes, masked: true, ...shown, about: [...about] }
  }

  /** Puts the payloads into the text of the answer. */
  fill(answer: string): string {
    let filled = answer
    // A function: the text of a payload may hold `$&`.
    for (const [place, text] of this.#texts) filled = filled.replace(place, () => text)
    return filled
  }

  #keep(json: string): string {
    const place = randomUUID()
    this.#texts.set(JSON.stringify(place), json)
    return place
  }
}
