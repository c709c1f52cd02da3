import type { AcceptedArrival, Arrival, NewDelivery } from '../inbox.ts'
import { packHeaders } from '../rows.ts'
import type { Session } from './database.ts'
import { composeInsert, isValue, type Column, type Shape } from './insert-sql.ts'
import { handledColumns, kindId } from './kinds.ts'
import { indexed, packBodies, packKeys, wholeIfShortened } from './storable.ts'

/** An arrival, and what is stored beside it. */
interface Given {
  readonly arrival: Arrival
  readonly accepted: AcceptedArrival | undefined
  readonly kind: string
}

/** A column, and how its value is read. */
interface GivenColumn extends Column {
  readonly read: (given: Given) => unknown
}

/** The columns of the table `event` that are given, in the order of the parameters. */
const columns: readonly GivenColumn[] = [
  { name: 'realm', type: 'text', isShared: true, read: ({ arrival }) => indexed(arrival.realm) },
  { name: 'id', type: 'text', read: ({ arrival }) => indexed(arrival.id) },
  { name: 'whole_id', type: 'text', isShared: true, read: ({ arrival }) => wholeIfShortened(arrival.id) },
  { name: 'source', type: 'text', isShared: true, read: ({ arrival }) => arrival.source },
  { name: 'state', type: 'text', isShared: true, read: ({ arrival }) => arrival.state },
  { name: 'type', type: 'text', read: ({ accepted }) => accepted?.type ?? '' },
  { name: 'live_mode', type: 'boolean', isShared: true, read: ({ accepted }) => accepted?.liveMode },
  { name: 'created_time', type: 'text', read: ({ accepted }) => accepted?.createdTime },
  { name: 'resource', type: 'text', read: ({ accepted }) => accepted?.resource },
  { name: 'endpoint', type: 'text', isShared: true, read: ({ arrival }) => arrival.endpoint },
  { name: 'kind', type: 'bigint', read: ({ kind }) => kind },
  { name: 'received_at', type: 'timestamptz', read: ({ arrival }) => arrival.receivedAt },
  { name: 'backfilled', type: 'boolean', isShared: true, read: ({ arrival }) => arrival.receipt.backfilled === true },
  {
    name: 'reason',
    type: 'text',
    isShared: true,
    read: ({ arrival }) => (arrival.state === 'quarantined' ? arrival.reason : null)
  },
  { name: 'receipt', type: 'text', read: ({ arrival }) => JSON.stringify(arrival.receipt) },
  { name: 'headers', type: 'text', read: ({ arrival }) => packHeaders(arrival.headers) },
  { name: 'trace', type: 'text', read: ({ arrival }) => arrival.trace }
]

/**
 * Stores the events that are new, with their deliveries, and counts them.
 * @param countedAs the names under which the requests are counted
 * @param now replaces the database's time, in tests
 * @returns the positions of the stored ones in the batch, from 0
 */
export async function insertNew(
  session: Session,
  events: readonly Arrival[],
  countedAs: readonly string[],
  now: Date | undefined
): Promise<ReadonlySet<number>> {
  const batch = events.map((arrival): Given => {
    const accepted = arrival.state === 'accepted' ? arrival : undefined
    return { arrival, accepted, kind: kindId(arrival) }
  })
  const deliveries = batch.flatMap(({ arrival, accepted, kind }, index) => {
    const realm = indexed(arrival.realm)
    return (accepted?.deliveries ?? []).map((delivery): Wanted => ({ ...delivery, kind, realm, position: index + 1 }))
  })
  const bodies = packBodies(events)
  const keys = packKeys(batch.map(({ accepted }) => accepted))
  const values = columns.map(({ read }) => batch.map((each) => read(each) ?? null))
  const areAlike = columns.every(({ isShared = false }, index) => !isShared || new Set(values[index]).size === 1)
  const shape: Shape = {
    given: batch.length === 1 ? 'one' : areAlike ? 'alike' : 'each',
    hasKeys: keys.positions.length > 0,
    hasDeliveries: deliveries.length > 0,
    hasOrderKeys: deliveries.some(({ orderKey }) => orderKey !== undefined)
  }
  const [row] = await session.query(insertSql(shape), [
    ...columns.map((column, index) => (isValue(column, shape) ? values[index]?.[0] : values[index])),
    ...(shape.given === 'one' ? [countedAs[0]] : [countedAs, bodies.starts, bodies.lengths]),
    bodies.bytes,
    now ?? null,
    ...(shape.hasKeys ? withPositions(shape, keys.positions, keys.values) : []),
    ...(shape.hasDeliveries ? deliveryColumns(deliveries, shape) : [])
  ])
  const positions = row?.['positions']
  return new Set(typeof positions === 'string' ? positions.split(',').map((position) => Number(position) - 1) : [])
}

interface Wanted extends NewDelivery {
  readonly kind: string
  /** As it is stored. */
  readonly realm: string
  /** That of its event in the batch, from 1. */
  readonly position: number
}

/** The positions of events, which one event alone does not need, and the values of a column. */
function withPositions(
  { given }: Shape,
  positions: readonly number[],
  values: readonly unknown[]
): readonly (readonly unknown[])[] {
  return given === 'one' ? [values] : [positions, values]
}

function deliveryColumns(deliveries: readonly Wanted[], shape: Shape): readonly (readonly unknown[])[] {
  const positions = deliveries.map(({ position }) => position)
  return [
    ...handledColumns(deliveries),
    ...withPositions(
      shape,
      positions,
      deliveries.map(({ handler }) => handler)
    ),
    ...(shape.given === 'one' ? [] : [deliveries.map(({ realm }) => realm)]),
    ...(shape.hasOrderKeys
      ? [deliveries.map(({ orderKey }) => (orderKey === undefined ? null : indexed(orderKey)))]
      : [])
  ]
}

const statements = new Map<string, string>()

/** The statement for batches of this shape. */
function insertSql(shape: Shape): string {
  const name = JSON.stringify(shape)
  const known = statements.get(name)
  if (known !== undefined) return known
  const statement = composeInsert(columns, shape)
  statements.set(name, statement)
  return statement
}
