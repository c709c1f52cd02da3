import { type KeySearch, readKeySearch } from '../../model/search-keys.ts'
import { type Bounds, sortable } from '../wanted.ts'
import { countUpTo } from './list-choice.ts'
import { readIndexedTo, segmentBits } from './list-index.ts'
import { join, type Path, type Place, type Term, term } from './list-path.ts'
import type { Sql } from './list-statements.ts'

/**
 * The paths by search keys, in the segments of the index and in the events that it does not have yet. In a segment, a
 * key has its events in their order. The keys with a beginning must be sorted.
 */
export function listKeyPaths(sql: Sql, about: string, bounds: Bounds): readonly Path[] {
  const search = readKeySearch(about)
  if (search === undefined) return []
  const isSorted = 'from' in search
  const segments = listSegments(sql, bounds).map((segment): Place => {
    const found = join([term('k.segment = ?', segment), keyTerm('k', search)])
    return { table: 'event_key', term: found, isSorted }
  })
  const others: Place = { table: 'event', term: hasKeyTerm(search), above: readIndexedTo(sql) }
  const path: Path = { places: [...segments, others], isSequence: true, covers: ['about'] }
  return isSorted && countUpTo(sql, { ...path, places: segments }, {}, sortable) === sortable ? [] : [path]
}

/** Lists the segments of the index of keys that may have events of a page, in their order. */
function listSegments(sql: Sql, { above = 0, below = Infinity }: Bounds): readonly number[] {
  const [first, last] = [above + 1, Math.min(readIndexedTo(sql), below - 1)].map((seq) =>
    Math.floor(seq / 2 ** segmentBits)
  )
  return sql.segments.all(first ?? 0, last ?? 0, last ?? 0).map(({ segment }) => Number(segment))
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
