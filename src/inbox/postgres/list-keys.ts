import { readKeySearch, type KeySearch } from '../../model/search-keys.ts'
import type { EventFilter } from '../inbox.ts'
import { sortable } from '../wanted.ts'
import type { Session } from './database.ts'
import { checkEvent } from './list-checks.ts'
import { indexPath, type Path } from './list-path.ts'
import { aboveOf, belowOf, collectValues, type AddValue } from './list-values.ts'

/** The path by a whole search key. A key has its events in their order. */
export function keyPath(key: string): Path {
  return indexPath({ table: 'event_key', alias: 'k', key: 'event_seq', columns: ['value'] }, [[key]], ['about'])
}

/** Finds the path by keys with a beginning, which must be counted and sorted. There is none if there are too many. */
export async function findKeyRangePaths(session: Session, { id, about }: EventFilter): Promise<readonly Path[]> {
  const search = id !== undefined || about === undefined ? undefined : readKeySearch(about)
  if (search === undefined || 'key' in search) return []
  const { values, value } = collectValues()
  const [row] = await session.query(
    `SELECT count(*)::integer AS count FROM (${selectKeys(search, value)}) AS found`,
    values
  )
  const count = Number(row?.['count'])
  return count < sortable ? [keyRangePath(search, count)] : []
}

type KeyRange = Extract<KeySearch, { readonly from: string }>

/** Selects the keys with a beginning, up to `sortable`. */
function selectKeys({ from, end }: KeyRange, value: AddValue): string {
  return `
    SELECT k.event_seq AS seq FROM riverhook.event_key AS k WHERE k.value >= ${value(from)} AND k.value < ${value(end)}
    ORDER BY k.value, k.event_seq LIMIT ${value(sortable, 'bigint')}`
}

function keyRangePath(search: KeyRange, most: number): Path {
  return {
    most,
    isOrdered: true,
    covers: ['about'],
    select(value, { bounds, order, limit, checks }) {
      const sorted = `
        SELECT DISTINCT key.seq FROM (${selectKeys(search, value)}) AS key
        WHERE key.seq > ${aboveOf(bounds, value)} AND key.seq < ${belowOf(bounds, value)} ORDER BY key.seq ${order}`
      return `
        SELECT sorted.seq FROM (${sorted}) AS sorted ${checks.length === 0 ? '' : `WHERE ${checkEvent('sorted.seq', checks)}`}
        ORDER BY sorted.seq ${order} LIMIT ${value(limit, 'bigint')}`
    }
  }
}
