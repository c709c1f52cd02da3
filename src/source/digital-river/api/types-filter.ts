import { DigitalRiverApiError } from './api-error.ts'
import type { Query } from './connection.ts'
import { matchesType } from './match-type.ts'
import type { Page } from './pages.ts'

type Encoding = 'comma' | 'repeated'

/** What a page says about how `types` was read: it holds none, one or several of the asked types, or others as well. */
type Evidence = 'none' | 'one' | 'several' | 'others'

/**
 * How the filter `types` is written into a query. The sources leave open whether the provider wants it comma-separated
 * or repeated: its OpenAPI document says exploded, which is repeated, of a schema that is one string. A list that is
 * read as one odd name gives an empty answer, not an error. So: comma-separated first; where the answer is empty, holds
 * other types or refuses `types`, repeated; and what an answer has proved is remembered. A single type goes into
 * `type`, which is documented without a doubt.
 */
export class TypesFilter {
  #proven: Encoding | undefined

  /** Until then an answer may lack what was asked for, and its caller has to look another way. */
  get isProven(): boolean {
    return this.#proven !== undefined
  }

  /**
   * Asks for the items of some types.
   * @param typesOf the types of an item
   * @returns items of other types too, where the provider does not filter: the caller does
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
    // One type alone proves nothing here: many servers read only the first, or the last, of a repeated parameter.
    if (repeatedSays === 'several') this.#proven = 'repeated'
    if (comma instanceof DigitalRiverApiError || commaSays !== 'others' || repeatedSays === 'several') {
      if (repeatedSays === 'others') this.#proven = 'repeated'
      return repeated
    }
    // Not filtered at all, so nothing is missing.
    this.#proven = 'comma'
    return comma
  }
}

/** Whether one of an item's types is among those asked for. Either side may hold `*`. */
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

/** A refusal that names the types may mean the encoding, so it is evidence; any other error is one. */
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
