import { DigitalRiverApiError } from './api-error.ts'
import type { Query } from '../../http/connection.ts'
import { matchesType } from './match-type.ts'
import type { Page } from './pages.ts'

type Encoding = 'comma' | 'repeated'

/** How the provider read `types`, as a page shows: the page has none, one or several of the types, or others. */
type Evidence = 'none' | 'one' | 'several' | 'others'

/**
 * How the filter `types` is written into a query. The provider's documents leave open whether it is comma-separated or
 * repeated, and a list that is read as a single name gives an empty answer, not an error. So comma-separated is tried
 * first. If the answer is empty, has other types or refuses `types`, repeated is tried. The way that worked is
 * remembered. A single type is sent as `type`, which is clearly documented.
 */
export class TypesFilter {
  #proven: Encoding | undefined

  /** True once an answer has shown how `types` is read. Until then, answers may lack items. */
  get isProven(): boolean {
    return this.#proven !== undefined
  }

  /**
   * Fetches the items of some types.
   * @param typesOf the types of an item
   * @returns also items of other types if the provider does not filter: the caller must filter
   * @throws {DigitalRiverApiError} what `fetchPage` throws
   */
  async ask<Item>(
    types: readonly string[],
    fetchPage: (query: Query) => Promise<Page<Item>>,
    typesOf: (item: Item) => readonly string[]
  ): Promise<Page<Item>> {
    if (types.length < 2) return fetchPage(types.map((type) => ['type', type]))
    if (this.#proven !== undefined) return fetchPage(encode(types, this.#proven))

    const comma = await attempt(() => fetchPage(encode(types, 'comma')))
    const commaSays = comma instanceof DigitalRiverApiError ? 'refused' : judge(comma.data, types, typesOf)
    if (!(comma instanceof DigitalRiverApiError) && (commaSays === 'one' || commaSays === 'several')) {
      this.#proven = 'comma'
      return comma
    }
    const repeated = await attempt(() => fetchPage(encode(types, 'repeated')))
    if (repeated instanceof DigitalRiverApiError) {
      if (comma instanceof DigitalRiverApiError) throw comma
      if (commaSays === 'others') this.#proven = 'comma'
      return comma
    }
    const repeatedSays = judge(repeated.data, types, typesOf)
    // A single type proves nothing: many servers read only the first or the last of a repeated parameter.
    if (repeatedSays === 'several') this.#proven = 'repeated'
    if (comma instanceof DigitalRiverApiError || commaSays !== 'others' || repeatedSays === 'several') {
      if (repeatedSays === 'others') this.#proven = 'repeated'
      return repeated
    }
    // The provider does not filter at all, so nothing is missing.
    this.#proven = 'comma'
    return comma
  }
}

/** Whether one of an item's types is among the requested ones. Both sides may contain `*`. */
export function isAsked(types: readonly string[], asked: readonly string[]): boolean {
  return types.some((type) => asked.some((pattern) => matchesType(pattern, type) || matchesType(type, pattern)))
}

function encode(types: readonly string[], encoding: Encoding): Query {
  return encoding === 'comma' ? [['types', types.join(',')]] : types.map((type) => ['types', type])
}

function judge<Item>(
  items: readonly Item[],
  asked: readonly string[],
  typesOf: (item: Item) => readonly string[]
): Evidence {
  const found = new Set<string>()
  for (const item of items) {
    const match = asked.find((type) => isAsked(typesOf(item), [type]))
    if (match === undefined) return 'others'
    found.add(match)
  }
  if (found.size === 0) return 'none'
  return found.size === 1 ? 'one' : 'several'
}

/** A refusal that names the types may be about their encoding, and is evidence. Any other error is rethrown. */
async function attempt<Item>(fetchPage: () => Promise<Page<Item>>): Promise<Page<Item> | DigitalRiverApiError> {
  try {
    return await fetchPage()
  } catch (error) {
    if (error instanceof DigitalRiverApiError && error.status === 400 && error.errors.some(namesTypes)) return error
    throw error
  }
}

function namesTypes({ parameter = '', message = '' }: { parameter?: string; message?: string }): boolean {
  return /types?\b/i.test(`${parameter} ${message}`)
}
