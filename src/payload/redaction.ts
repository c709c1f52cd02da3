import { readBodyText } from '../model/body-text.ts'
import { isExactNumber, parseExactText } from '../model/exact-json.ts'
import { hasAddress, HiddenValues, mask, type Hide } from '../model/hidden-values.ts'

/*
 * Hides the values at paths of a payload: from everyone without the right to see personal data, and from errors.
 */

/** A place in the tree of all paths, which have their first steps in common. */
interface Place {
  /** By the name of the next field, in lower case; `*` and `**` are names, too. */
  readonly named: Map<string, Place>
  /** Those with a `*` in their name, such as `billing*`. */
  readonly patterns: (readonly [isName: (name: string) => boolean, place: Place])[]
  /** The step that led here was `**`: any field leads here again. */
  readonly isDeep: boolean
  /** A path ends here. */
  isEnd: boolean
}

/** Replaces leaves: those at the end of a path, and the others. */
interface Leaves {
  readonly hidden: (leaf: unknown) => unknown
  readonly other: (leaf: unknown) => unknown
}

/** Hides the values at paths, and every text with an e-mail address in it. */
export class Redaction {
  readonly #root = makePlace(false)
  #first: readonly Place[] | undefined

  /**
   * @param paths such as `data.object.email`, `data.*.email` or `data.**.address`. `*` is one field of any name, and in
   * a name, as in `billing*`, any characters; `**` is any number of fields. Names are compared without regard to case.
   * A list on the way stands for its entries. An object or a list at the end stands for all its values
   */
  constructor(paths: readonly string[]) {
    for (const path of paths) path.toLowerCase().split('.').reduce(grow, this.#root).isEnd = true
  }

  /**
   * Returns the JSON of a body with its hidden values replaced by their type and length. Numbers keep all their digits.
   * @returns undefined if the body is not JSON, or is nested too deeply: then all of it must be hidden
   */
  json(body: Uint8Array): string | undefined {
    const { encoding, text } = readBodyText(body)
    if (encoding !== 'json') return undefined
    try {
      return JSON.stringify(replace(parseExactText(text), this.#begin(), masking))
    } catch {
      // Nested too deeply.
      return undefined
    }
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
    const texts = encoding === 'json' ? [text] : textsIn(encoding === 'text' ? text : asLatin1(body))
    for (const each of texts) {
      try {
        const value = parseExactText(each)
        if (isObject(value))
          replace(value, this.#begin(), {
            hidden: (leaf) => {
              values.add(leaf)
            },
            other: (leaf) => {
              if (typeof leaf === 'string') values.addAddresses(leaf)
            }
          })
        else values.add(each)
      } catch {
        // Not JSON, or nested too deeply.
        values.add(each, 0)
        values.addWords(each)
      }
    }
    return values
  }

  /** The same list each time: see `kept`. */
  #begin(): readonly Place[] {
    return (this.#first ??= reach([], this.#root))
  }
}

/**
 * The texts in a body that is not JSON: the values of a form, one of which may be JSON, or the whole body.
 */
function textsIn(body: string): readonly string[] {
  return /^[\w.%+[\]-]{1,200}=/.test(body) ? [...new URLSearchParams(body).values()] : [body]
}

function asLatin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}

function makePlace(isDeep: boolean): Place {
  return { named: new Map(), patterns: [], isDeep, isEnd: false }
}

function grow(place: Place, name: string): Place {
  const known = place.named.get(name)
  if (known !== undefined) return known
  const grown = makePlace(name === '**')
  place.named.set(name, grown)
  if (name.includes('*') && !/^\*+$/.test(name)) place.patterns.push([patternOf(name), grown])
  return grown
}

/** Without backtracking: a name may have a million characters. */
function patternOf(pattern: string): (name: string) => boolean {
  const [start = '', ...rest] = pattern.split('*')
  const end = rest.pop() ?? ''
  return (name) => {
    if (name.length < start.length + end.length || !name.startsWith(start) || !name.endsWith(end)) return false
    const last = name.length - end.length
    let from = start.length
    for (const part of rest) {
      const found = name.indexOf(part, from)
      if (found === -1 || found + part.length > last) return false
      from = found + part.length
    }
    return true
  }
}

/** Adds a place, and those that `**` leads to without a field. */
function reach(places: Place[], place: Place | undefined): Place[] {
  if (place === undefined || places.includes(place)) return places
  places.push(place)
  return reach(places, place.named.get('**'))
}

/** The most names whose places are kept: the names of a map are endless. */
const mostKept = 500
/** The places after each field, by the places before it: names repeat, and each is compared with many patterns. */
const kept = new WeakMap<readonly Place[], Map<string, readonly Place[]>>()

/** The places after a field. */
function follow(places: readonly Place[], name: string): readonly Place[] {
  const known = kept.get(places) ?? new Map<string, readonly Place[]>()
  kept.set(places, known)
  const found = known.get(name) ?? findNext(places, name.toLowerCase())
  if (known.size < mostKept) known.set(name, found)
  return found
}

function findNext(places: readonly Place[], key: string): readonly Place[] {
  const found: Place[] = []
  for (const place of places) {
    if (place.isDeep) reach(found, place)
    reach(found, place.named.get(key))
    reach(found, place.named.get('*'))
    for (const [isName, next] of place.patterns) if (isName(key)) reach(found, next)
  }
  // The same list for the same places, so that what follows is kept for it, too.
  return places.length === found.length && places.every((place, index) => place === found[index]) ? places : found
}

/** Copies a value, with its leaves replaced. */
function replace(value: unknown, places: readonly Place[], leaves: Leaves): unknown {
  const isHidden = places.some(({ isEnd }) => isEnd)
  const below = isHidden ? everywhere : places
  if (Array.isArray(value)) return value.map((entry) => replace(entry, below, leaves))
  if (isObject(value))
    return mapFields(value, (field, name) => replace(field, isHidden ? below : follow(below, name), leaves))
  return isHidden ? leaves.hidden(value) : leaves.other(value)
}

/** Below the end of a path, every leaf is hidden. */
const everywhere: readonly Place[] = [{ ...makePlace(false), isEnd: true }]

const masking: Leaves = {
  hidden: maskOf,
  other: (leaf) => (typeof leaf === 'string' && hasAddress(leaf) ? maskOf(leaf) : leaf)
}

function maskOf(leaf: unknown): unknown {
  if (typeof leaf === 'string') return `${mask} (string, ${leaf.length})`
  return leaf === null ? null : `${mask} (${isExactNumber(leaf) ? 'number' : typeof leaf})`
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isExactNumber(value)
}

function mapFields(value: object, map: (field: unknown, name: string) => unknown): object {
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, map(field, name)]))
}
