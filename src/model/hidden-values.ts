import { addressesIn } from './email-addresses.ts'
import { longestEscape } from './escapes.ts'
import { isExactNumber } from './exact-json.ts'
import { caseOf, formOf, inOneCase, inOneForm } from './folded-text.ts'
import { replaceSpans, spanOf, type Span, type TextView } from './text-view.ts'

/*
 * Hides values, such as names and e-mail addresses, wherever they occur in a text.
 */

/** Stands for a hidden value. */
export const mask = '••••'

/** Returns a text without the hidden values. */
export type Hide = (text: string) => string

/** Shorter values, such as a country code, stay in a longer text: they occur in many words. */
const shortestInText = 4
/** The most values that are looked for in a text. If there are more, the whole text is hidden. */
const mostValues = 1_000
/** The same for the words of texts that have no fields. */
const mostWords = 20_000
/** In characters. Of a longer value, a text may quote the beginning only: then the rest of the text is hidden, too. */
const longestWhole = 500
const longestBeginning = 100
/** How many times a text that is JSON, in a text that is JSON, is read. */
export const deepestText = 3

/** The values to hide. */
export class HiddenValues {
  readonly #values = new Set<string>()
  readonly #words = new Set<string>()

  /** True if there are more values than are looked for, so that every text is hidden. */
  get isFull(): boolean {
    return this.#values.size > mostValues || this.#words.size > mostWords
  }

  /**
   * Adds a text or a number; of a text also the e-mail addresses in it, and the values of one that is JSON. Ignores any
   * other value.
   */
  add(leaf: unknown, depth = deepestText): void {
    if (this.isFull) return
    if (isExactNumber(leaf)) this.addNumber(JSON.stringify(leaf))
    if (typeof leaf !== 'string') return
    const text = leaf.trim()
    if (text === '') return
    this.#values.add(text)
    this.addAddresses(text)
    if (depth > 0 && /^[{["]/.test(text)) this.addAll(parsed(text), depth - 1)
  }

  /** @param digits as they are written in JSON */
  addNumber(digits: string): void {
    this.#values.add(digits).add(String(Number(digits)))
  }

  /** Adds only the e-mail addresses in a text. */
  addAddresses(text: string): void {
    for (const { address } of addressesIn(text)) {
      this.#values.add(address)
      if (this.isFull) return
    }
  }

  /** Adds all texts and numbers in a value, such as an event. @throws {RangeError} if it is nested too deeply */
  addAll(value: unknown, depth = deepestText): void {
    if (this.isFull) return
    if (typeof value !== 'object' || value === null || isExactNumber(value)) this.add(value, depth)
    else for (const field of Object.values(value)) this.addAll(field, depth)
  }

  /** Adds the words of a text that has no fields. */
  addWords(text: string): void {
    if (this.isFull) return
    for (const [word] of formOf(text).matchAll(anyWord)) {
      this.#words.add(word)
      if (this.#words.size > mostWords) return
    }
  }

  /**
   * The function that it returns never throws: a text that cannot be searched is hidden.
   * @param shown values that are no secret, such as the id of the event
   */
  hider(shown: readonly string[] = []): Hide {
    if (this.isFull) return () => mask
    const open = new Set(shown.flatMap((value) => [caseOf(value.trim()), formOf(value).trim()]))
    const values = [...this.#values].filter((value) => !open.has(caseOf(value)))
    // As they are written, for a value that begins beside a sign which would make it part of an escape: `%41 Main St`.
    const asWritten = new Needles(values, caseOf)
    const inAnyForm = new Needles(values, formOf)
    const words = new Set([...this.#words].filter((word) => !open.has(word)))
    return (text) => {
      try {
        const form = inOneForm(text)
        if (inAnyForm.has(form.text)) return mask
        const spans = [...inAnyForm.find(form), ...findWords(form, words)]
        if (/[%\\&+]/.test(text)) {
          const written = inOneCase(text)
          if (asWritten.has(written.text)) return mask
          spans.push(...asWritten.find(written))
        }
        return replaceSpans(text, spans, mask).toWellFormed()
      } catch {
        return mask
      }
    }
  }
}

/** Values in one form, which are looked for in texts of the same form. */
class Needles {
  readonly #whole = new Set<string>()
  readonly #parts = new Map<string, { readonly isBeginning: boolean }>()

  constructor(values: readonly string[], form: (value: string) => string) {
    for (const value of values) {
      const isBeginning = value.length > longestWhole
      // The last characters may be half of an escape.
      const text = form(isBeginning ? value.slice(0, longestWhole) : value).trim()
      const part = isBeginning ? text.slice(0, Math.min(longestBeginning, text.length - longestEscape)) : text
      if (part !== '') this.#whole.add(part)
      if (part.length >= shortestInText) this.#parts.set(part, { isBeginning })
    }
  }

  /** Whether a text as a whole is one of the values. */
  has(text: string): boolean {
    return this.#whole.has(text.trim())
  }

  *find(view: TextView): Generator<Span> {
    const { text } = view
    for (const [part, { isBeginning }] of this.#parts) {
      let at = text.indexOf(part)
      while (at !== -1) {
        yield spanOf(view, at, isBeginning ? text.length : at + part.length)
        at = isBeginning ? -1 : text.indexOf(part, at + part.length)
      }
    }
  }
}

function* findWords(view: TextView, words: ReadonlySet<string>): Generator<Span> {
  if (words.size === 0) return
  for (const { 0: word, index } of view.text.matchAll(anyWord))
    if (words.has(word)) yield spanOf(view, index, index + word.length)
}

/**
 * Returns a function that hides every text and number of an event, for the message of an error of which nothing is
 * known. The id and the type stay. Never throws.
 */
export function hideValuesOf(event: { readonly id: string; readonly type: string }): Hide {
  try {
    const values = new HiddenValues()
    values.addAll(event)
    return values.hider([event.id, event.type])
  } catch {
    // Nested too deeply, or a getter threw.
    return () => mask
  }
}

/** A word of a text; it ends with a letter or a digit, because a full stop may follow. */
const anyWord = /[^\s"'`<>,;:=(){}[\]&?!|/\\]{3,200}[\p{L}\p{N}]/gu

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
