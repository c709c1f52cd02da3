import type { KeySearch } from '../../model/search-keys.ts'
import { segmentBits } from '../wanted.ts'
import { checkEvent } from './list-checks.ts'
import type { Reading } from './list-path.ts'
import { aboveOf, belowOf, type AddValue } from './list-values.ts'
import { withoutIndex } from './plan.ts'

/*
 * The index of search keys is divided into segments by the order of arrival. Most keys of new events go to different
 * pages: in one large index, a batch would change a page for each key, which PostgreSQL reads, and writes to its log as
 * a whole if it is the first time since a checkpoint. The newest segment has few pages. But a search looks into each.
 */

/**
 * Selects the column `seq` of index entries: the segments in the order of arrival, and each by key and `seq`. Segments
 * behind the last entry are not read.
 */
export function selectKeys(value: AddValue, search: KeySearch, { bounds, order, limit, checks }: Reading): string {
  const [above, below, most] = [aboveOf(bounds, value), belowOf(bounds, value), value(limit, 'bigint')]
  const newest = `coalesce((SELECT seq FROM riverhook.event ORDER BY seq DESC LIMIT 1), -1)`
  const [first, last] = [`${above} >> ${segmentBits}`, `least(${below}, ${newest}) >> ${segmentBits}`]
  const numbers = order === 'ASC' ? `${first}, ${last}` : `${last}, ${first}, -1`
  const sorted = [segment, 'k.value', 'k.event_seq'].map((column) => `${column} ${order}`)
  const conditions = [
    `${segment} = segment.number`,
    ...between(value, search, above, below),
    ...(checks.length === 0 ? [] : [checkEvent('k.event_seq', checks)])
  ]
  return `
    SELECT found.seq FROM generate_series(${numbers}) AS segment (number)
    CROSS JOIN LATERAL (
      SELECT k.event_seq AS seq FROM riverhook.event_key AS k WHERE ${conditions.join(' AND ')}
      ORDER BY ${sorted.join(', ')} LIMIT ${most}) AS found
    LIMIT ${most}`
}

/** The first column of the index. */
const segment = `(k.event_seq >> ${segmentBits})`

/** The entries of these keys in a segment, and of events between two others. */
function between(value: AddValue, search: KeySearch, above: string, below: string): readonly string[] {
  if ('key' in search) {
    const key = value(search.key)
    return [`(k.value, k.event_seq) > (${key}, ${above})`, `(k.value, k.event_seq) < (${key}, ${below})`]
  }
  return [
    `(k.value, k.event_seq) > (${value(search.from)}, 0)`,
    `(k.value, k.event_seq) < (${value(search.end)}, 0)`,
    withoutIndex(`k.event_seq > ${above} AND k.event_seq < ${below}`)
  ]
}
