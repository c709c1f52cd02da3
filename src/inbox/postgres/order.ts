import { createHash } from 'node:crypto'

import type { Row, Session, Transaction } from './database.ts'
import { indexed } from './storable.ts'

/** One order key of one handler in one realm: its deliveries go one at a time. */
export interface OrderKey {
  readonly handler: string
  readonly realm: string
  readonly orderKey: string
}

/** The key of a row with the columns `handler`, `realm` and `order_key`. */
export function keyOf(row: Row): OrderKey {
  return { handler: String(row['handler']), realm: String(row['realm']), orderKey: String(row['order_key']) }
}

/** Keys as parameters: handlers, realms and order keys. */
export function columnsOf(keys: readonly OrderKey[]): readonly (readonly string[])[] {
  return [keys.map(({ handler }) => handler), keys.map(({ realm }) => realm), keys.map(({ orderKey }) => orderKey)]
}

/** The keys of deliveries that are to be made, as they are stored. */
export function keysOfNew(
  realm: string,
  deliveries: readonly { readonly handler: string; readonly orderKey?: string | undefined }[]
): OrderKey[] {
  return deliveries.flatMap(({ handler, orderKey }) =>
    orderKey === undefined ? [] : [{ handler, realm: indexed(realm), orderKey: indexed(orderKey) }]
  )
}

/**
 * The number by which a key is locked. Whoever decides which delivery of a key may run holds its lock until the end
 * of its transaction: that is what makes the order hold across replicas. Two keys with one number only wait for each
 * other.
 */
function lockOf({ handler, realm, orderKey }: OrderKey): bigint {
  return createHash('sha256').update(`riverhook\0${handler}\0${realm}\0${orderKey}`).digest().readBigInt64BE()
}

/**
 * Advisory locks are the whole database's: whoever may connect may hold any of them, and so may other inboxes in it.
 * Ours depend on a number of the schema's that only those who may read its tables know.
 */
export const saltedLock = (lock: string): string =>
  `hashint8extended(${lock}, (SELECT salt FROM riverhook.migration WHERE version = 1))`

/**
 * The statement that takes the locks of these keys, always in the same order, so that nobody waits in a ring. Empty
 * for no keys.
 */
export function lockKeys(keys: readonly OrderKey[]): string {
  const locks = [...new Set(keys.map(lockOf))].sort((a, b) => (a < b ? -1 : 1))
  return locks.length === 0
    ? ''
    : `SELECT pg_advisory_xact_lock(${saltedLock('key')}) FROM unnest('{${locks.join(',')}}'::bigint[]) AS key;`
}

/**
 * Takes what locks are free. Waiting here could end in a ring: the caller holds rows. @returns for each key whether
 * it was free
 */
export async function tryLockKeys(tx: Transaction, keys: readonly OrderKey[]): Promise<readonly boolean[]> {
  const rows = await tx.query(
    `SELECT pg_try_advisory_xact_lock(${saltedLock('key')}) AS free FROM unnest($1::bigint[]) AS key`,
    [keys.map((key) => String(lockOf(key)))]
  )
  return rows.map((row) => row['free'] === true)
}

/**
 * Puts the deliveries of these keys in line. Those that are due or wait go in the order in which their events
 * arrived: the first is pending, or waits with the others while one of the key is running, or while one that arrived
 * before it is parked. The caller has the locks of the keys, and calls this after whatever may have changed the line,
 * in the same transaction.
 */
export async function lineUp(tx: Session, keys: readonly OrderKey[]): Promise<void> {
  if (keys.length === 0) return
  await tx.query(lineUpSql, columnsOf(keys))
}

// All of these are looked up for one key after the other, whatever the planner believes about how many there are: a
// subquery with LIMIT is not made into a join.

/** The first of a key in one role. Each role has its index. */
const firstOf = (columns: string, handler: string, realm: string, orderKey: string, role: string): string =>
  `SELECT ${columns} FROM riverhook.delivery AS peer WHERE peer.handler = ${handler} AND peer.realm = ${realm} AND peer.order_key = ${orderKey} AND peer.order_key IS NOT NULL AND ${role} ORDER BY peer.event_seq LIMIT 1`

const head = "peer.state = 'pending' AND NOT peer.overtakable"
const waiting = "peer.state = 'waiting'"
const parked = "peer.state = 'parked'"

const isRunning = (handler: string, realm: string, orderKey: string): string =>
  `coalesce((SELECT true FROM riverhook.delivery AS peer WHERE peer.handler = ${handler} AND peer.realm = ${realm} AND peer.order_key = ${orderKey} AND peer.order_key IS NOT NULL AND peer.state = 'running' LIMIT 1), false)`

/** True where a delivery of an event that arrives now has others of its key before it. */
export const isBusy = (handler: string, realm: string, orderKey: string): string =>
  `(${isRunning(handler, realm, orderKey)} OR ${[head, waiting, parked].map((role) => `coalesce((${firstOf('true', handler, realm, orderKey, role)}), false)`).join(' OR ')})`

/**
 * True where no other delivery of the key is running, and none that arrived before it is in line or parked. The
 * caller has the key's lock.
 */
export const isFirst = (alias: string): string =>
  `((SELECT true FROM riverhook.delivery AS other
    WHERE other.handler = ${alias}.handler AND other.realm = ${alias}.realm AND other.order_key = ${alias}.order_key AND other.order_key IS NOT NULL
      AND other.state = 'running' AND other.id <> ${alias}.id LIMIT 1) IS NULL
    AND ${[head, waiting, parked].map((role) => `coalesce((${firstOf('peer.event_seq', `${alias}.handler`, `${alias}.realm`, `${alias}.order_key`, role)}) >= ${alias}.event_seq, true)`).join(' AND ')})`

/** One row for each key: its first in line, and whether it may be pending. */
const lines = (keys: string): string => `
  SELECT key.handler, key.realm, key.order_key, first.id, first.state,
    NOT ${isRunning('key.handler', 'key.realm', 'key.order_key')}
    AND coalesce((${firstOf('peer.event_seq', 'key.handler', 'key.realm', 'key.order_key', parked)}) > first.event_seq, true) AS free
  FROM ${keys} AS key
  CROSS JOIN LATERAL (
    SELECT end_of_line.* FROM (
      (${firstOf('peer.id, peer.event_seq, peer.state', 'key.handler', 'key.realm', 'key.order_key', head)})
      UNION ALL
      (${firstOf('peer.id, peer.event_seq, peer.state', 'key.handler', 'key.realm', 'key.order_key', waiting)})) AS end_of_line
    ORDER BY end_of_line.event_seq LIMIT 1) AS first`

// Every row that is named changes from pending to waiting, or back. State is asked again of the row itself: parking
// and resuming take no locks.
const lineUpSql = `
UPDATE riverhook.delivery SET state = CASE state WHEN 'pending' THEN 'waiting' ELSE 'pending' END
WHERE state IN ('pending', 'waiting') AND id = ANY (ARRAY (
  WITH line AS MATERIALIZED (${lines('(SELECT DISTINCT handler, realm, order_key FROM unnest($1::text[], $2::text[], $3::text[]) AS given (handler, realm, order_key))')})
  SELECT id FROM line WHERE free AND state = 'waiting'
  UNION ALL
  SELECT back.id FROM line CROSS JOIN LATERAL (
    SELECT d.id FROM riverhook.delivery AS d
    WHERE d.handler = line.handler AND d.realm = line.realm AND d.order_key = line.order_key AND d.order_key IS NOT NULL AND d.state = 'pending' AND NOT d.overtakable
      AND NOT (line.free AND d.id = line.id) OFFSET 0) AS back))`

/** How many keys one statement walks over. */
const stride = 2_000

/**
 * Walks over the keys that have waiting deliveries. @returns those whose line is not as it should be, and where to go
 * on; undefined at the end
 */
export async function disorderedKeys(
  session: Session,
  after: OrderKey | undefined
): Promise<{ readonly disordered: readonly OrderKey[]; readonly last: OrderKey | undefined }> {
  const rows = await session.query(disorderedKeysSql, [
    after?.handler ?? '',
    after?.realm ?? '',
    after?.orderKey ?? '',
    stride
  ])
  const keys = rows.map(keyOf)
  return {
    disordered: keys.filter((_key, index) => rows[index]?.['disordered'] === true),
    last: keys.length < stride ? undefined : keys.at(-1)
  }
}

const nextKey = (handler: string, realm: string, orderKey: string): string => `
  SELECT d.handler, d.realm, d.order_key FROM riverhook.delivery AS d
  WHERE d.state = 'waiting' AND (d.handler, d.realm, d.order_key) > (${handler}, ${realm}, ${orderKey})
  ORDER BY d.handler, d.realm, d.order_key LIMIT 1`

const disorderedKeysSql = `
WITH RECURSIVE key (handler, realm, order_key, number) AS (
  SELECT first.handler, first.realm, first.order_key, 1 FROM (${nextKey('$1::text', '$2::text', '$3::text')}) AS first
  UNION ALL
  SELECT next.handler, next.realm, next.order_key, key.number + 1 FROM key
    CROSS JOIN LATERAL (${nextKey('key.handler', 'key.realm', 'key.order_key')}) AS next WHERE key.number < $4::integer
)
SELECT key.handler, key.realm, key.order_key,
  (line.free AND line.state = 'waiting')
  OR (NOT (line.free AND line.state = 'pending') AND coalesce((${firstOf('true', 'key.handler', 'key.realm', 'key.order_key', head)}), false)) AS disordered
FROM key LEFT JOIN LATERAL (${lines('(SELECT key.handler, key.realm, key.order_key)')}) AS line ON true
ORDER BY key.number`
