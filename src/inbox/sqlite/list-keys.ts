import { type KeySearch, readKeySearch } from '../../model/search-keys.ts'
import type { Bounds } from '../wanted.ts'
import { listSegments, spanOf } from './key-segments.ts'
import { readIndexedTo } from './list-index.ts'
import { join, type Path, type Place, type Term, term } from './list-path.ts'
import type { Sql } from './list-statements.ts'
import { givenLimit } from './prepared.ts'

interface KeyListing {
  readonly bounds: Bounds
  readonly oldestFirst: boolean
}

/**
 * The paths by search keys, in the segments of the index and in the events that it does not have yet. In a segment, a
 * key has its events in their order. The keys with a beginning must be sorted, unless most events have one.
 */
export function listKeyPaths(sql: Sql, about: string, { bounds, oldestFirst }: KeyListing): readonly Path[] {
  const search = readKeySearch(about)
  if (search === undefined) return []
  const inOrder: Place = { table: 'event', term: hasKeyTerm(search) }
  const indexedTo = readIndexedTo(sql)
  const placeOf = (segment: number): Place => {
    const found = join([term('k.segment = ?', segment), keyTerm('k', search)])
    const { above, below } = spanOf(segment)
    // A later event is found by the last place, even if its keys were replaced and are in the segment already.
    const ofKey: Place = { table: 'event_key', term: found, below: indexedTo + 1 }
    if ('key' in search) return ofKey
    return { ...ofKey, isSorted: true, inOrder: { ...inOrder, above, below: Math.min(below, indexedTo + 1) } }
  }
  const { above = 0, below = Infinity } = bounds
  const all = listSegments(sql, above + 1, Math.min(indexedTo, below - 1))
  const segments = new SegmentsWithKey(sql, search, oldestFirst ? all : all.toReversed())
  const behind: Place = { ...inOrder, above: indexedTo }
  const places = {
    *[Symbol.iterator](): Generator<Place> {
      if (!oldestFirst) yield behind
      for (const segment of segments) yield placeOf(segment)
      if (oldestFirst) yield behind
    }
  }
  return [{ places, isSequence: true, covers: ['about'] }]
}

/** How many segments a statement looks into, at most: some milliseconds. */
const most = 1_024

/** How many segments are found at first: often, fewer fill a page. */
const fewest = 8

/**
 * The segments of the index that have a key, in the order of the page. One statement looks into many segments: a
 * statement for each would take twenty times as long.
 */
class SegmentsWithKey {
  readonly #sql: Sql
  readonly #hasKey: Term
  readonly #found: number[] = []
  #rest: readonly number[]

  constructor(sql: Sql, search: KeySearch, segments: readonly number[]) {
    this.#sql = sql
    this.#hasKey = keyTerm('k', search)
    this.#rest = segments
  }

  *[Symbol.iterator](): Generator<number> {
    for (let index = 0; index < this.#found.length || this.#rest.length > 0; ) {
      const segment = this.#found[index]
      if (segment === undefined) this.#findMore()
      else {
        yield segment
        index += 1
      }
    }
  }

  #findMore(): void {
    this.#sql.checkTime.get()
    const limit = this.#found.length === 0 ? fewest : most
    const { sql, values } = this.#hasKey
    const rows = this.#sql.built
      .get(
        `SELECT given.value AS segment, given.key AS position FROM json_each(?) AS given
         WHERE EXISTS (SELECT 1 FROM event_key AS k WHERE k.segment = given.value AND ${sql}) ${givenLimit}`
      )
      .all(JSON.stringify(this.#rest.slice(0, most)), ...values, limit)
    this.#found.push(...rows.map(({ segment }) => Number(segment)))
    this.#rest = this.#rest.slice(rows.length < limit ? most : Number(rows.at(-1)?.['position']) + 1)
  }
}

export function hasKeyTerm(search: KeySearch): Term {
  const { sql, values } = keyTerm('key', search)
  return term(`EXISTS (SELECT 1 FROM json_each(event.about) AS key WHERE ${sql})`, ...values)
}

function keyTerm(alias: string, search: KeySearch): Term {
  return 'key' in search
    ? term(`${alias}.value = ?`, search.key)
    : term(`${alias}.value >= ? AND ${alias}.value < ?`, search.from, search.end)
}
