import { type KeySearch, readKeySearch } from '../../model/search-keys.ts'
import type { Bounds } from '../wanted.ts'
import { segmentsOf, spanOf } from './key-segments.ts'
import { readIndexedTo } from './list-index.ts'
import { join, type Path, type Place, type Term, term } from './list-path.ts'
import { checkEvery, type Sql } from './list-statements.ts'

/**
 * The paths by search keys, in the segments of the index and in the events that it does not have yet. In a segment, a
 * key has its events in their order. The keys with a beginning must be sorted, unless most events have one.
 */
export function listKeyPaths(sql: Sql, about: string, bounds: Bounds): readonly Path[] {
  const search = readKeySearch(about)
  if (search === undefined) return []
  const inOrder: Place = { table: 'event', term: hasKeyTerm(search) }
  const indexedTo = readIndexedTo(sql)
  const segments = listSegments(sql, search, bounds).map((segment): Place => {
    const found = join([term('k.segment = ?', segment), keyTerm('k', search)])
    const { above, below } = spanOf(segment)
    // A later event is found by the last place, even if its keys were replaced and are in the segment already.
    const ofKey: Place = { table: 'event_key', term: found, below: indexedTo + 1 }
    if ('key' in search) return ofKey
    return { ...ofKey, isSorted: true, inOrder: { ...inOrder, above, below: Math.min(below, indexedTo + 1) } }
  })
  const behind: Place = { ...inOrder, above: indexedTo }
  return [{ places: [...segments, behind], isSequence: true, covers: ['about'] }]
}

const segmentsSql = `
    WITH RECURSIVE found (segment) AS (
      SELECT ? UNION ALL
      SELECT iif(found.segment + 1 = ?, ?, found.segment + 1) FROM found
      WHERE found.segment < ? AND ((found.segment & ${checkEvery - 1}) <> 0 OR in_time()))
    SELECT found.segment FROM found WHERE found.segment <= ?`

/**
 * Lists the segments of the index that have a key and may have events of a page, in their order. One statement looks
 * into all segments: a statement for each would take twenty times as long.
 */
function listSegments(sql: Sql, search: KeySearch, { above = 0, below = Infinity }: Bounds): readonly number[] {
  const { first, notLarge, small, last } = segmentsOf(sql, above + 1, Math.min(readIndexedTo(sql), below - 1))
  const { sql: hasKey, values } = keyTerm('k', search)
  return sql.built
    .get(`${segmentsSql} AND EXISTS (SELECT 1 FROM event_key AS k WHERE k.segment = found.segment AND ${hasKey})`)
    .all(first, notLarge, small, last, last, ...values)
    .map(({ segment }) => Number(segment))
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
