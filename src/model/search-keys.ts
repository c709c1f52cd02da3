// Search keys: the ids and addresses that an event is about, by which people look for it.

/** By what an event is found. */
export interface SearchKeys {
  /** The search keys, as `toSearchKeys` returns them. */
  readonly about: readonly string[]
  /** The id of the resource that the event is about, as the provider writes it. */
  readonly resource: string | undefined
}

/** The most search keys of an event. */
export const mostSearchKeys = 12
/** In characters. A longer value is no key: part of it would find other events too. */
const longestSearchKey = 200
/** The least characters before the `*` of a prefix: a shorter one would find most events. */
const shortestPrefix = 3

/**
 * Converts values to search keys: texts and whole numbers, in lower case, without white space around them, each once.
 * Ignores other values, empty texts, those with control characters or more than 200 characters, and all after the
 * twelfth key.
 */
export function toSearchKeys(values: Iterable<unknown>): string[] {
  const keys: string[] = []
  for (const value of values) {
    const key = toSearchKey(value)
    if (key !== undefined && !keys.includes(key)) keys.push(key)
    if (keys.length === mostSearchKeys) break
  }
  return keys
}

/**
 * Returns the first value that is a search key, as it was written: sources list the resource of an event first. Leaves
 * out e-mail addresses, for an id is shown where personal data is not.
 */
export function toResource(values: Iterable<unknown>): string | undefined {
  for (const value of values) {
    if (toSearchKey(value)?.includes('@') === false) return String(value).trim()
  }
  return undefined
}

function toSearchKey(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined
  // Check the length first, so that a payload of a megabyte is not copied.
  if (typeof value !== 'string' || value.length > longestSearchKey) return undefined
  const key = value.trim().toLowerCase()
  // Lower case can have more characters.
  if (key === '') return undefined
  // Most keys are plain, and this is several times as fast.
  return isPlain.test(key) || (key.length <= longestSearchKey && isStorable.test(key)) ? key : undefined
}

/** Printable ASCII characters alone: as many in lower case. */
const isPlain = /^[\x20-\x7e]*$/

/** Without control characters and halves of surrogate pairs, which not every engine can store. */
const isStorable = /^[^\p{Cc}\p{Cs}]*$/u

/** The aim of a search: a key, or all keys from `from` to before `end`, which begin with `from`. */
export type KeySearch = { readonly key: string } | { readonly from: string; readonly end: string }

/**
 * Reads the text of a search: a key in any case, or the beginning of keys, followed by `*`.
 * @returns undefined if no event can have such a key, or too many can
 */
export function readKeySearch(text: string): KeySearch | undefined {
  if (!text.endsWith('*')) {
    const key = toSearchKey(text)
    return key === undefined ? undefined : { key }
  }
  const from = toSearchKey(text.slice(0, -1))
  if (from === undefined || from.length < shortestPrefix) return undefined
  return { from, end: endOf(from) }
}

/** Returns the least text that follows every text with this beginning, in the order of code points. */
function endOf(beginning: string): string {
  const points = Array.from(beginning, (character) => character.codePointAt(0) ?? 0)
  const last = points.findLastIndex((point) => point < 0x10ffff)
  if (last === -1) return '\u{10ffff}'.repeat(longestSearchKey + 1)
  const next = (points[last] ?? 0) + 1
  return String.fromCodePoint(...points.slice(0, last), next === 0xd800 ? 0xe000 : next)
}

/** True if a search finds an event with these keys. */
export function isFound(search: KeySearch, keys: readonly string[]): boolean {
  return keys.some((key) => ('key' in search ? key === search.key : key.startsWith(search.from)))
}
