import { durable } from './database.ts'
import { storeHandledSql, storeKindSql, storeKindsSql } from './kinds.ts'
import { isBusy } from './order.ts'
import { countEventSql, countEventsSql } from './tally.ts'

export interface Column {
  readonly name: string
  readonly type: string
  /** True if most batches have one value for all their events. */
  readonly isShared?: boolean
}

/** The rows of other tables that a batch has. Most have few of them, and each part of a statement has its cost. */
export interface Shape {
  /**
   * - `one`: one event, so the parameter of each of its columns is a value.
   * - `alike`: the columns that most batches share have one value for all events.
   * - `each`: each parameter is an array, with a value for each event.
   */
  readonly given: 'one' | 'alike' | 'each'
  readonly hasKeys: boolean
  readonly hasDeliveries: boolean
  readonly hasOrderKeys: boolean
}

/** True if the parameter of a column is a value, and not an array. */
export function isValue({ isShared = false }: Column, { given }: Shape): boolean {
  return given === 'one' || (given === 'alike' && isShared)
}

/**
 * Composes the statement that stores the events that are new, with their deliveries, and counts them. It returns
 * `positions`, those of the stored ones in the batch, from 1, as a list with commas; no row or null if none was stored.
 * @param columns those of the table `event`. Their values are the first parameters
 */
export function composeInsert(columns: readonly Column[], shape: Shape): string {
  let parameters = 0
  const next = (type: string): string => `$${(parameters += 1)}::${type}`
  return shape.given === 'one' ? composeOne(columns, shape, next) : composeMany(columns, shape, next)
}

type NextParameter = (type: string) => string

/**
 * For one event: each part of the statement has its cost, which one request alone pays in full. So nothing is sorted or
 * grouped, and no row is given by another table than that of the event.
 */
function composeOne(columns: readonly Column[], shape: Shape, next: NextParameter): string {
  const parameterOf = new Map(columns.map(({ name, type }) => [name, next(type)]))
  const value = (name: string): string => parameterOf.get(name) ?? 'NULL'
  const [countedAs, body, now] = [next('text'), next('bytea'), next('timestamptz')]
  const counted = `${countedAs} AS name, ${value('state')} AS state, ${value('backfilled')} AS backfilled`
  const parts = [
    `stored AS (
  INSERT INTO riverhook.event (seq, ${columns.map(({ name }) => name).join(', ')}, body)
  VALUES (nextval('riverhook.event_seq'), ${[...parameterOf.values()].join(', ')}, ${body})
  ON CONFLICT (id, realm) DO NOTHING
  RETURNING seq
)`,
    `kinds AS (${storeKindSql(value)})`,
    ...(shape.hasKeys
      ? [keyedSql(`SELECT stored.seq, given.value FROM stored CROSS JOIN unnest(${next('text[]')}) AS given (value)`)]
      : []),
    ...(shape.hasDeliveries
      ? [handledSql(next), createdSql(wantedOfOne(next, shape, value('realm')), shape, now)]
      : []),
    `tallied AS (${countEventSql(`SELECT ${counted}, NULL::boolean AS conflict FROM stored`, now)})`
  ]
  return `WITH ${parts.join(', ')} SELECT '1' AS positions, ${durable} FROM stored`
}

function wantedOfOne(next: NextParameter, { hasOrderKeys }: Shape, realm: string): string {
  const arrays = [next('text[]'), ...(hasOrderKeys ? [next('text[]')] : [])]
  const names = ['handler', ...(hasOrderKeys ? ['order_key'] : []), 'position']
  return `(
    SELECT stored.seq, ${realm} AS realm, given.* FROM stored
    CROSS JOIN unnest(${arrays.join(', ')}) WITH ORDINALITY AS given (${names.join(', ')}))`
}

// `seq` follows the order of arrival. Rows are inserted in order of their ids, so that two replicas with the same
// events do not deadlock.
function composeMany(columns: readonly Column[], shape: Shape, next: NextParameter): string {
  const names = columns.map(({ name }) => name).join(', ')
  const parameterOf = new Map(
    columns.map((column) => [column, next(isValue(column, shape) ? column.type : `${column.type}[]`)])
  )
  const beside = [next('text[]'), next('integer[]'), next('integer[]')]
  const [bodies, now] = [next('bytea'), next('timestamptz')]
  const parts = [
    `given AS MATERIALIZED (SELECT nextval('riverhook.event_seq') AS seq, ${givenSql(columns, shape, parameterOf, beside)})`,
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
    ...(shape.hasKeys ? [keyedSql(ofStoredSql(keysOfMany(next)))] : []),
    ...(shape.hasDeliveries ? [handledSql(next), createdSql(wantedOfMany(next, shape), shape, now)] : []),
    `tallied AS (${countEventsSql('SELECT counted_as AS name, state, backfilled, NULL::boolean AS conflict FROM stores WHERE seq IS NOT NULL', now)})`
  ]
  return `WITH ${parts.join(', ')} SELECT string_agg(position::text, ',') AS positions, ${durable} FROM stores WHERE seq IS NOT NULL`
}

/**
 * The rows of the batch.
 * @param beside the parameters that belong to no column
 */
function givenSql(
  columns: readonly Column[],
  shape: Shape,
  parameterOf: ReadonlyMap<Column, string>,
  beside: readonly string[]
): string {
  const shared = columns.filter((column) => isValue(column, shape))
  const own = columns.filter((column) => !isValue(column, shape))
  return `${[...shared.map((column) => `${parameterOf.get(column) ?? ''} AS ${column.name}`), 'arrived.*'].join(', ')}
  FROM unnest(${[...own.map((column) => parameterOf.get(column)), ...beside].join(', ')}) WITH ORDINALITY
    AS arrived (${own.map(({ name }) => name).join(', ')}, counted_as, start, length, position)`
}

/**
 * Finds the events of given rows by their positions in the batch, without a join: the planner takes the batch for so
 * small that it would compare each row with each event.
 * @param given a query with the column `arrival`, the position. The event's `seq` is added
 */
const ofStoredSql = (given: string): string => `
    SELECT * FROM (SELECT ((SELECT seqs FROM places))[given.arrival] AS seq, given.* FROM (${given}) AS given) AS placed
    WHERE placed.seq IS NOT NULL`

const keysOfMany = (next: NextParameter): string =>
  `SELECT * FROM unnest(${next('integer[]')}, ${next('text[]')}) AS about (arrival, value)`

function wantedOfMany(next: NextParameter, { hasOrderKeys }: Shape): string {
  const arrays = [next('integer[]'), next('text[]'), next('text[]'), ...(hasOrderKeys ? [next('text[]')] : [])]
  const names = ['arrival', 'handler', 'realm', ...(hasOrderKeys ? ['order_key'] : []), 'position']
  const given = `SELECT * FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS wanted (${names.join(', ')})`
  return `(${ofStoredSql(given)})`
}

/** @param given a query with the columns `seq` and `value` */
const keyedSql = (given: string): string => `keyed AS (
  INSERT INTO riverhook.event_key (event_seq, value)
  SELECT about.seq, about.value FROM (${given}) AS about
  ON CONFLICT DO NOTHING
)`

const handledSql = (next: NextParameter): string =>
  `handled AS (${storeHandledSql(`SELECT * FROM unnest(${next('text[]')}, ${next('bigint[]')}) AS pair (handler, kind)`)})`

/** @param wanted a query in brackets, with the columns `seq`, `realm`, `handler`, `position` and maybe `order_key` */
const createdSql = (wanted: string, { hasOrderKeys }: Shape, now: string): string => `created AS (
  INSERT INTO riverhook.delivery (event_seq, realm, handler, state, due_at${hasOrderKeys ? ', order_key' : ''})
  SELECT wanted.seq, wanted.realm, wanted.handler, ${hasOrderKeys ? newStateSql : "'pending'"}, coalesce(${now}, statement_timestamp())${hasOrderKeys ? ', wanted.order_key' : ''}
  FROM ${wanted} AS wanted
  ORDER BY wanted.position
)`

const newStateSql = `
    CASE
      WHEN wanted.order_key IS NULL THEN 'pending'
      WHEN row_number() OVER (PARTITION BY wanted.handler, wanted.realm, wanted.order_key ORDER BY wanted.position) > 1 THEN 'waiting'
      WHEN ${isBusy('wanted.handler', 'wanted.realm', 'wanted.order_key')} THEN 'waiting'
      ELSE 'pending'
    END`
