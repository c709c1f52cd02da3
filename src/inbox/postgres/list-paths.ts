import { readKeySearch } from '../../model/search-keys.ts'
import type { EventFilter } from '../inbox.ts'
import { withinBlocks, type Bounds, type DeliveryKind, type Wanted } from '../wanted.ts'
import { isListed, type StoredKind } from './kinds.ts'
import { checkEvent, isFailing } from './list-checks.ts'
import { keyPath } from './list-keys.ts'
import { indexPath, type Path } from './list-path.ts'
import { timePath } from './list-time.ts'
import { aboveOf, belowOf } from './list-values.ts'
import { indexed } from './storable.ts'

/**
 * Lists the paths for a filter: first those that are better if all lead to many events. There may be one more: see
 * `findKeyRangePaths`.
 */
export function listPaths(
  filter: EventFilter,
  { kinds, deliveryKinds, blocks }: Wanted<StoredKind>,
  bounds: Bounds
): readonly Path[] {
  const { id, about, error, state, type } = filter
  if (id !== undefined) return [idPath(id)]
  const search = about === undefined ? undefined : readKeySearch(about)
  const byKind = kinds === undefined ? [] : [kindPath(kinds)]
  const byDelivery = deliveryKinds === undefined ? [] : [deliveryPath(deliveryKinds)]
  return [
    ...(search !== undefined && 'key' in search ? [keyPath(search.key)] : []),
    ...(error === undefined ? [] : [failingPath]),
    ...(state === 'quarantined' ? [quarantined] : []),
    // A handler has deliveries of a few realms, but most types have a few handlers.
    ...(type === undefined ? [...byDelivery, ...byKind] : [...byKind, ...byDelivery]),
    ...(blocks === undefined ? [] : [timePath(filter, withinBlocks(blocks, bounds))])
  ]
}

/** All events, in their order. */
export const everything = indexPath({ table: 'event', alias: 'event', key: 'seq', columns: [] }, [], [])

const quarantined = indexPath(
  { table: 'event', alias: 'event', key: 'seq', columns: [], condition: "event.state = 'quarantined'" },
  [],
  ['state']
)

/** The path by failing deliveries. An event may have several. */
const failingPath: Path = {
  isOrdered: true,
  hasEnds: true,
  covers: ['error'],
  select(value, { bounds, order, limit, checks }) {
    const conditions = [
      `d.event_seq > ${aboveOf(bounds, value)}`,
      `d.event_seq < ${belowOf(bounds, value)}`,
      isFailing('d'),
      ...(checks.length === 0 ? [] : [checkEvent('d.event_seq', checks)])
    ]
    return `
      SELECT DISTINCT d.event_seq AS seq FROM riverhook.delivery AS d WHERE ${conditions.join(' AND ')}
      ORDER BY d.event_seq ${order} LIMIT ${value(limit, 'bigint')}`
  }
}

function kindPath(kinds: readonly StoredKind[]): Path {
  return indexPath(
    { table: 'event', alias: 'event', key: 'seq', columns: ['kind'], type: 'bigint' },
    [kinds.map(({ id }) => id)],
    ['source', 'realm', 'type', 'endpoint', 'live']
  )
}

function deliveryPath(kinds: readonly DeliveryKind[]): Path {
  return indexPath(
    {
      table: 'delivery',
      alias: 'd',
      key: 'event_seq',
      columns: ['handler', 'realm', 'state'],
      condition: isListed('d')
    },
    [kinds.map(({ handler }) => handler), kinds.map(({ realm }) => realm), kinds.map(({ state }) => state)],
    ['delivery', 'realm']
  )
}

/** The path by id: an event of each realm. */
function idPath(id: string): Path {
  return {
    isOrdered: false,
    covers: [],
    select(value, { bounds, checks }) {
      const conditions = [`event.seq > ${aboveOf(bounds, value)}`, `event.seq < ${belowOf(bounds, value)}`, ...checks]
      return `
        SELECT event.seq FROM (SELECT * FROM riverhook.event WHERE id = ${value(indexed(id))} ORDER BY id, realm OFFSET 0) AS event
        WHERE ${conditions.join(' AND ')}`
    }
  }
}
