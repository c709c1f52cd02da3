import type { AcceptedArrival, Arrival, NewDelivery } from '../inbox.ts'
import { packHeaders } from '../rows.ts'
import { durable, type Session } from './database.ts'
import { handledColumns, kindId, storeHandledSql, storeKindsSql } from './kinds.ts'
import { isBusy } from './order.ts'
import { indexed, packBodies, packKeys, wholeIfShortened } from './storable.ts'
import { countEventsSql } from './tally.ts'

/** An arrival, and what is stored beside it. */
interface Given {
  readonly arrival: Arrival
  readonly accepted: AcceptedArrival | undefined
  readonly kind: string
}

interface Column {
  readonly name: string
  readonly type: string
  /** True if most batches have one value for all their events. */
  readonly isShared?: boolean
  readonly read: (given: Given) => unknown
}

/** The columns of the table `event` that are given, in the order of the parameters. */
const columns: readonly Column[] = [
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

/** The rows of other tables that a batch has. Most have few of them, and each part of a statement has its cost. */
interface Shape {
  /**
   * - `one`: one event, so each parameter is a value.
   * - `alike`: the columns that most batches share have one value for all events.
   * - `each`: each parameter is an array, with a value for each event.
   */
  readonly given: 'one' | 'alike' | 'each'
  readonly hasKeys: boolean
  readonly hasDeliveries: boolean
  readonly hasOrderKeys: boolean
}

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
    ...(shape.given === 'one'
      ? [countedAs[0], 1, bodies.bytes.byteLength]
      : [countedAs, bodies.starts, bodies.lengths]),
    bodies.bytes,
    now ?? null,
    ...(shape.hasKeys ? [keys.positions, keys.values] : []),
    ...(shape.hasDeliveries ? deliveryColumns(deliveries, shape) : [])
  ])
  const positions = row?.['positions']
  return new Set(typeof positions === 'string' ? positions.split(',').map((position) => Number(position) - 1) : [])
}

/** True if the parameter of a column is a value, and not an array. */
function isValue({ isShared = false }: Column, { given }: Shape): boolean {
  return given === 'one' || (given === 'alike' && isShared)
}

interface Wanted extends NewDelivery {
  readonly kind: string
  /** As it is stored. */
  readonly realm: string
  /** That of its event in the batch, from 1. */
  readonly position: number
}

function deliveryColumns(deliveries: readonly Wanted[], { hasOrderKeys }: Shape): readonly (readonly unknown[])[] {
  return [
    ...handledColumns(deliveries),
    deliveries.map(({ position }) => position),
    deliveries.map(({ handler }) => handler),
    deliveries.map(({ realm }) => realm),
    ...(hasOrderKeys ? [deliveries.map(({ orderKey }) => (orderKey === undefined ? null : indexed(orderKey)))] : [])
  ]
}

const statements = new Map<string, string>()

/** The statement for batches of this shape. */
function insertSql(shape: Shape): string {
  const name = JSON.stringify(shape)
  const known = statements.get(name)
  if (known !== undefined) return known
  const statement = composeSql(shape)
  statements.set(name, statement)
  return statement
}

// `seq` follows the order of arrival. Rows are inserted in order of their ids, so that two replicas with the same
// events do not deadlock.
function composeSql(shape: Shape): string {
  let parameters = 0
  const next = (type: string): string => `$${(parameters += 1)}::${type}`
  const names = columns.map(({ name }) => name).join(', ')
  const parameterOf = new Map(
    columns.map((column) => [column, next(isValue(column, shape) ? column.type : `${column.type}[]`)])
  )
  const array = shape.given === 'one' ? '' : '[]'
  const beside = [next(`text${array}`), next(`integer${array}`), next(`integer${array}`)]
  const [bodies, now] = [next('bytea'), next('timestamptz')]
  const parts = [
    `given AS MATERIALIZED (SELECT nextval('riverhook.event_seq') AS seq, ${givenSql(shape, parameterOf, beside)})`,
    `stored AS (
  INSERT INTO riverhook.event (seq, ${names}, body)
  SELECT seq, ${names}, substring(${bodies} FROM start FOR length) FROM given ORDER BY id, realm
  ON CONFLICT (id, realm) DO NOTHING
  RETURNING seq
)`,
    `stores AS MATERIALIZED (
  SELECT given.position, stored.seq, given.state, given.backfilled, given.counted_as
  FROM given LEFT JOIN stored ON stored.seq = given.seq
)`,
    'places AS MATERIALIZED (SELECT array_agg(seq ORDER BY position) AS seqs FROM stores)',
    `kinds AS (${storeKindsSql('SELECT * FROM given')})`,
    ...(shape.hasKeys ? [keyedSql(next)] : []),
    ...(shape.hasDeliveries ? createdSql(next, shape, now) : []),
    `tallied AS (${countEventsSql('SELECT counted_as AS name, state, backfilled, NULL::boolean AS conflict FROM stores WHERE seq IS NOT NULL', now)})`
  ]
  return `WITH ${parts.join(', ')} SELECT string_agg(position::text, ',') AS positions, ${durable} FROM stores WHERE seq IS NOT NULL`
}

/**
 * The rows of the batch.
 * @param beside the parameters that belong to no column
 */
function givenSql(shape: Shape, parameterOf: ReadonlyMap<Column, string>, beside: readonly string[]): string {
  const named = (column: Column): string => `${parameterOf.get(column) ?? ''} AS ${column.name}`
  if (shape.given === 'one') {
    const [countedAs, start, length] = beside
    return [
      ...columns.map(named),
      `${countedAs} AS counted_as, ${start} AS start, ${length} AS length, 1 AS position`
    ].join(', ')
  }
  const shared = columns.filter((column) => isValue(column, shape))
  const own = columns.filter((column) => !isValue(column, shape))
  return `${[...shared.map(named), 'arrived.*'].join(', ')}
  FROM unnest(${[...own.map((column) => parameterOf.get(column)), ...beside].join(', ')}) WITH ORDINALITY
    AS arrived (${own.map(({ name }) => name).join(', ')}, counted_as, start, length, position)`
}

type NextParameter = (type: string) => string

/**
 * Finds the events of given rows by their positions in the batch, without a join: the planner takes the batch for so
 * small that it would compare each row with each event.
 * @param given a query with the column `arrival`, the position. The event's `seq` is added
 */
const ofStoredSql = (given: string): string => `(
    SELECT * FROM (SELECT ((SELECT seqs FROM places))[given.arrival] AS seq, given.* FROM (${given}) AS given) AS placed
    WHERE placed.seq IS NOT NULL)`

const keyedSql = (next: NextParameter): string => {
  const given = `SELECT * FROM unnest(${next('integer[]')}, ${next('text[]')}) AS about (arrival, value)`
  return `keyed AS (
  INSERT INTO riverhook.event_key (event_seq, value)
  SELECT about.seq, about.value FROM ${ofStoredSql(given)} AS about
  ON CONFLICT DO NOTHING
)`
}

function createdSql(next: NextParameter, { hasOrderKeys }: Shape, now: string): readonly string[] {
  const pairs = `SELECT * FROM unnest(${next('text[]')}, ${next('bigint[]')}) AS pair (handler, kind)`
  const keyColumn = hasOrderKeys ? ', order_key' : ''
  const arrays = [next('integer[]'), next('text[]'), next('text[]'), ...(hasOrderKeys ? [next('text[]')] : [])]
  const given = `SELECT * FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS wanted (arrival, handler, realm${keyColumn}, position)`
  return [
    `handled AS (${storeHandledSql(pairs)})`,
    `created AS (
  INSERT INTO riverhook.delivery (event_seq, realm, handler, state, due_at${keyColumn})
  SELECT wanted.seq, wanted.realm, wanted.handler, ${hasOrderKeys ? newStateSql : "'pending'"}, coalesce(${now}, statement_timestamp())${hasOrderKeys ? ', wanted.order_key' : ''}
  FROM ${ofStoredSql(given)} AS wanted
  ORDER BY wanted.position
)`
  ]
}

const newStateSql = `
    CASE
      WHEN wanted.order_key IS NULL THEN 'pending'
      WHEN row_number() OVER (PARTITION BY wanted.handler, wanted.realm, wanted.order_key ORDER BY wanted.position) > 1 THEN 'waiting'
      WHEN ${isBusy('wanted.handler', 'wanted.realm', 'wanted.order_key')} THEN 'waiting'
      ELSE 'pending'
    END`
