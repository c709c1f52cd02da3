import { readBodyText } from '../model/body-text.ts'
import { hasAddress } from '../model/email-addresses.ts'
import { deepestText, HiddenValues, mask, type Hide } from '../model/hidden-values.ts'
import type { Span } from '../model/text-view.ts'
import { FieldPaths, type Where } from './field-paths.ts'
import { walkJson, type JsonVisitor } from './walk-json.ts'

/*
 * Hides the values at paths of a payload: from everyone without the right to see personal data, and from errors.
 */

/**
 * Hides the values at paths, every text with an e-mail address in it, and names of fields with one. A text that is JSON
 * is read as a part of the payload.
 */
export class Redaction {
  readonly #paths: FieldPaths

  /**
   * @param paths such as `data.object.email`, `data.*.email` or `data.**.address`. `*` is one field of any name, and in
   * a name, as in `billing*`, any characters; `**` is any number of fields. Names are compared without regard to case.
   * A list on the way stands for its entries. An object or a list at the end stands for all its values
   */
  constructor(paths: readonly string[]) {
    this.#paths = new FieldPaths(paths)
  }

  /**
   * Returns the JSON of a body with its hidden values replaced by their type and length. All else is as it arrived.
   * @returns undefined if the body is not JSON, or is nested too deeply: then all of it must be hidden
   */
  json(body: Uint8Array): string | undefined {
    const { encoding, text } = readBodyText(body)
    if (encoding !== 'json') return undefined
    return new Masking(this.#paths).mask(text, this.#paths.begin())
  }

  /**
   * Returns a text, such as the message of an error, without the hidden values of an event's body, also as they are
   * written in a URL or in JSON. Never throws: a text that cannot be searched is hidden.
   */
  text(text: string, body: Uint8Array): string {
    return this.hiderOf(body)(text)
  }

  /**
   * Returns a function that does what `text` does for one body, which it reads once. Hides all values of a body that is
   * not JSON. Never throws.
   * @param shown values that stay, such as the id of the event
   */
  hiderOf(body: Uint8Array, shown: readonly string[] = []): Hide {
    try {
      return this.#valuesIn(body).hider(shown)
    } catch {
      return () => mask
    }
  }

  #valuesIn(body: Uint8Array): HiddenValues {
    const values = new HiddenValues()
    const { encoding, text } = readBodyText(body)
    const whole = encoding === 'base64' ? asLatin1(body) : text
    // Also those in the names of a form.
    if (encoding !== 'json') values.addAddresses(whole)
    for (const each of encoding === 'json' ? [whole] : textsIn(whole)) {
      if (isJsonObject(each) && walkJson(each, this.#paths.begin(), new Collecting(this.#paths, values))) continue
      const isUnread = encoding !== 'json' || isJsonObject(each)
      values.add(each, isUnread ? 0 : deepestText)
      // Not JSON, or nested too deeply.
      if (isUnread) values.addWords(each)
    }
    return values
  }
}

/** Adds the values of a JSON text that are to be hidden. */
class Collecting implements JsonVisitor<Where> {
  readonly #paths: FieldPaths
  readonly #values: HiddenValues
  /** How many times a text that is JSON, in a text that is JSON, is read. */
  readonly #depth: number

  constructor(paths: FieldPaths, values: HiddenValues, depth = deepestText) {
    this.#paths = paths
    this.#values = values
    this.#depth = depth
  }

  get isDone(): boolean {
    return this.#values.isFull
  }

  field(where: Where, name: string): Where {
    this.#values.addAddresses(name)
    return this.#paths.next(where, name)
  }

  text(where: Where, text: string): void {
    if (where === 'end') {
      this.#values.add(text)
      return
    }
    this.#values.addAddresses(text)
    if (this.#depth > 0 && mayBeJson(text))
      walkJson(text, where, new Collecting(this.#paths, this.#values, this.#depth - 1))
  }

  literal(where: Where, literal: string): void {
    if (where === 'end' && /\d/.test(literal)) this.#values.addNumber(literal)
  }
}

/** Replaces the hidden values of a JSON text. */
class Masking implements JsonVisitor<Where> {
  readonly isDone = false
  readonly #paths: FieldPaths
  readonly #depth: number
  readonly #replaced: (readonly [span: Span, by: string])[] = []
  /** How many names of fields were replaced in the payload. */
  readonly #names: { count: number }

  constructor(paths: FieldPaths, depth = deepestText, names = { count: 0 }) {
    this.#paths = paths
    this.#depth = depth
    this.#names = names
  }

  /** @returns undefined for a text that is not JSON, or nested too deeply */
  mask(text: string, where: Where): string | undefined {
    if (!walkJson(text, where, this)) return undefined
    let masked = ''
    let shownTo = 0
    for (const [[start, end], by] of this.#replaced) {
      masked += text.slice(shownTo, start) + by
      shownTo = end
    }
    return masked + text.slice(shownTo)
  }

  field(where: Where, name: string, span: Span): Where {
    if (hasAddress(name)) {
      this.#names.count += 1
      this.#replaced.push([span, `"${mask} (name ${this.#names.count})"`])
    }
    return this.#paths.next(where, name)
  }

  text(where: Where, text: string, span: Span): void {
    if (where === 'end') {
      this.#hide(span, 'string', text)
      return
    }
    const inner =
      this.#depth > 0 && mayBeJson(text)
        ? new Masking(this.#paths, this.#depth - 1, this.#names).mask(text, where)
        : undefined
    if (inner === undefined) {
      if (hasAddress(text)) this.#hide(span, 'string', text)
    } else if (inner !== text) this.#replaced.push([span, JSON.stringify(inner)])
  }

  literal(where: Where, literal: string, span: Span): void {
    if (where !== 'end' || literal === 'null') return
    this.#hide(span, /\d/.test(literal) ? 'number' : 'boolean')
  }

  #hide(span: Span, type: string, text?: string): void {
    this.#replaced.push([span, `"${mask} (${type}${text === undefined ? '' : `, ${text.length}`})"`])
  }
}

/**
 * The texts in a body that is not JSON: the values of a form, one of which may be JSON, or the whole body.
 */
function textsIn(body: string): readonly string[] {
  return /^[\w.%+[\]-]{1,200}=/.test(body) ? [...new Set(new URLSearchParams(body).values())] : [body]
}

function asLatin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}

/** Whether a text may be the JSON of an object, a list or a text. */
function mayBeJson(text: string): boolean {
  return /^\s*[{["]/.test(text)
}

/** Whether a text may be the JSON of an object or a list. */
function isJsonObject(text: string): boolean {
  return /^\s*[{[]/.test(text)
}
