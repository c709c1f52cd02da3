import { readKeySearch, type KeySearch } from '../../model/search-keys.ts'
import type { EventFilter } from '../inbox.ts'
import { sortable, type Bounds } from '../wanted.ts'
import type { Session } from './database.ts'
import { selectKeys } from './key-segments.ts'
import { checkEvent } from './list-checks.ts'
import type { IndexPath, Path, Reading } from './list-path.ts'
import { collectValues, type AddValue } from './list-values.ts'

/** The path by a whole search key. A key has its events in their order. */
export function keyPath(key: string): IndexPath {
  const select = (value: AddValue, reading: Reading): string => selectKeys(value, { key }, reading)
  return {
    isOrdered: true,
    hasEnds: true,
    covers: ['about'],
    select,
    selectHeads: (value, reading) =>
      `SELECT 1 AS number, head.seq FROM (${select(value, { ...reading, checks: [] })}) AS head`
  }
}

/** Finds the path by keys with a beginning, which must be counted and sorted. There is none if there are too many. */
export async function findKeyRangePaths(session: Session, { id, about }: EventFilter): Promise<readonly Path[]> {
  const search = id !== undefined || about === undefined ? undefined : readKeySearch(about)
  if (search === undefined || 'key' in search) return []
  const { values, value } = collectValues()
  const [row] = await session.query(
    `SELECT count(*)::integer AS count FROM (${selectRange(value, search, {})}) AS found`,
    values
  )
  const count = Number(row?.['count'])
  return count < sortable ? [keyRangePath(search, count)] : []
}

type KeyRange = Extract<KeySearch, { readonly from: string }>

/** Selects the events with such a key, in no order, up to `sortable`. */
function selectRange(value: AddValue, search: KeyRange, bounds: Bounds): string {
  return selectKeys(value, search, { bounds, order: 'ASC', limit: sortable, checks: [] })
}

function keyRangePath(search: KeyRange, most: number): Path {
  return {
    most,
    isOrdered: true,
    covers: ['about'],
    select(value, { bounds, order, limit, checks }) {
      const sorted = `SELECT DISTINCT key.seq FROM (${selectRange(value, search, bounds)}) AS key ORDER BY key.seq ${order}`
      return `
        SELECT sorted.seq FROM (${sorted}) AS sorted ${checks.length === 0 ? '' : `WHERE ${checkEvent('sorted.seq', checks)}`}
        ORDER BY sorted.seq ${order} LIMIT ${value(limit, 'bigint')}`
    }
  }
}
