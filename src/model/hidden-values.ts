import { isExactNumber } from './exact-json.ts'

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
/** In characters. Of a longer value, a text may quote the beginning only: then the rest of the text is hidden, too. */
const longestWhole = 500
const longestBeginning = 100
/** In characters: how far a value is searched for e-mail addresses. */
const longestSearched = 20_000
/** How many times a text that is JSON, in a text that is JSON, is read. */
const deepestText = 3

/** The values to hide. */
export class HiddenValues {
  readonly #values = new Set<string>()
  readonly #words = new Set<string>()

  /**
   * Adds a text or a number; of a text also the e-mail addresses in it, and the values of one that is JSON. Ignores any
   * other value.
   */
  add(leaf: unknown, depth = deepestText): void {
    if (this.#values.size > mostValues) return
    if (isExactNumber(leaf)) {
      const digits = JSON.stringify(leaf)
      this.#values.add(digits).add(String(Number(digits)))
    }
    if (typeof leaf !== 'string') return
    const text = leaf.toWellFormed().trim()
    if (text === '') return
    this.#values.add(text)
    this.addAddresses(text)
    if (depth > 0 && /^[{["]/.test(text)) this.addAll(parsed(text), depth - 1)
  }

  /** Adds only the e-mail addresses in a text. */
  addAddresses(text: string): void {
    if (text.includes('@'))
      for (const [address] of text.slice(0, longestSearched).toWellFormed().matchAll(emailAddress))
        this.#values.add(address)
  }

  /** Adds all texts and numbers in a value, such as an event. @throws {RangeError} if it is nested too deeply */
  addAll(value: unknown, depth = deepestText): void {
    if (typeof value !== 'object' || value === null || isExactNumber(value)) this.add(value, depth)
    else for (const field of Object.values(value)) this.addAll(field, depth)
  }

  /** Adds the words of a text that has no fields. */
  addWords(text: string): void {
    for (const [word] of text.matchAll(anyWord)) this.#words.add(normal(word))
  }

  /**
   * The function that it returns never throws: a text that cannot be searched is hidden.
   * @param shown values that are no secret, such as the id of the event
   */
  hider(shown: readonly string[] = []): Hide {
    if (this.#values.size > mostValues) return () => mask
    const open = new Set(shown.map(normal))
    const forms = new Map(
      [...this.#values]
        .filter((value) => !open.has(normal(value)))
        .flatMap(formsOf)
        .map((form) => [normal(form), form])
    )
    const patterns = [...forms.values()]
      .filter(({ length }) => length >= shortestInText)
      .sort((one, other) => other.length - one.length)
      .map(patternOf)
    const hideWord = (word: string): string => (this.#words.has(normal(word)) && !open.has(normal(word)) ? mask : word)
    return (quoting) => {
      try {
        // In half a surrogate pair, no character is found.
        const text = quoting.toWellFormed()
        if (forms.has(normal(text))) return mask
        const rest = patterns.reduce((shownText, pattern) => shownText.replace(pattern, () => mask), text)
        return this.#words.size === 0 ? rest : rest.replace(anyWord, hideWord)
      } catch {
        return mask
      }
    }
  }
}

/** The forms in which a text may quote a value: as it is, in a URL, in a form, and in JSON. */
function formsOf(value: string): readonly string[] {
  const inUrl = encodeURIComponent(value)
  return [value, inUrl, inUrl.replaceAll('%20', '+'), JSON.stringify(value).slice(1, -1)]
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

/** The domain ends with letters: `react@18.2.0` is no address. */
const emailAddress = /[^\s@<>()[\]{},;:="']{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,8}\.\p{L}{2,63}/gu

/** Whether an e-mail address is in the beginning of a text. */
export function hasAddress(text: string): boolean {
  return text.includes('@') && text.slice(0, longestSearched).search(emailAddress) !== -1
}

/** Hides each e-mail address in a text. */
export function hideAddresses(text: string): string {
  return text.includes('@') ? text.replace(emailAddress, mask) : text
}

/** A word of a text; it ends with a letter or a digit, because a full stop may follow. */
const anyWord = /[^\s"'`<>,;:=(){}[\]&?!|/\\]{3,200}[\p{L}\p{N}]/gu

/** As the search keys are compared. */
function normal(text: string): string {
  return text.trim().toLowerCase()
}

function patternOf(value: string): RegExp {
  const isLong = value.length > longestWhole
  // Not in the middle of a surrogate pair.
  const text = isLong ? value.slice(0, longestBeginning).replace(/[\uD800-\uDBFF]$/, '') : value
  return new RegExp(escapePattern(text) + (isLong ? '[^]*' : ''), 'giu')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
}
