import { createHash } from 'node:crypto'

import type { OrderKey } from '../inbox.ts'
import type { Row, Session, Transaction } from './database.ts'
import { withoutIndex } from './plan.ts'
import { indexed } from './storable.ts'

/** Reads the key of a row with the columns `handler`, `realm` and `order_key`. */
export function readKey(row: Row): OrderKey {
  return { handler: String(row['handler']), realm: String(row['realm']), orderKey: String(row['order_key']) }
}

/** Converts keys to query parameters: handlers, realms and order keys. */
export function keyColumns(keys: readonly OrderKey[]): readonly (readonly string[])[] {
  return [keys.map(({ handler }) => handler), keys.map(({ realm }) => realm), keys.map(({ orderKey }) => orderKey)]
}

/** The order keys of new deliveries, as they are stored. */
export function newKeys(
  realm: string,
  deliveries: readonly { readonly handler: string; readonly orderKey?: string | undefined }[]
): OrderKey[] {
  return deliveries.flatMap(({ handler, orderKey }) =>
    orderKey === undefined ? [] : [{ handler, realm: indexed(realm), orderKey: indexed(orderKey) }]
  )
}

/**
 * The number of a key's advisory lock. A transaction that decides which delivery of a key may run holds its lock until
 * it ends: this keeps the order across replicas. If two keys share a number, they only wait for each other.
 */
function lockNumber({ handler, realm, orderKey }: OrderKey): bigint {
  return createHash('sha256').update(`riverhook\0${handler}\0${realm}\0${orderKey}`).digest().readBigInt64BE()
}

/**
 * Advisory locks are shared by the whole database: any role that can connect can take any of them, and so can other
 * inboxes. The schema's salt makes ours unguessable for roles that cannot read its tables.
 */
export const saltedLock = (lock: string): string =>
  `hashint8extended(${lock}, (SELECT salt FROM riverhook.migration WHERE version = 1))`

/** The statement that locks these keys, always in the same order, to prevent deadlocks. Empty without keys. */
export function lockKeys(keys: readonly OrderKey[]): string {
  const locks = [...new Set(keys.map(lockNumber))].sort((a, b) => (a < b ? -1 : 1))
  return locks.length === 0
    ? ''
    : `SELECT pg_advisory_xact_lock(${saltedLock('key')}) FROM unnest('{${locks.join(',')}}'::bigint[]) AS key;`
}

/**
 * Acquires the locks that are free. Never waits: the caller holds row locks, so waiting could deadlock.
 * @returns for each key, whether its lock was acquired
 */
export async function tryLockKeys(tx: Transaction, keys: readonly OrderKey[]): Promise<readonly boolean[]> {
  const rows = await tx.query(
    `SELECT pg_try_advisory_xact_lock(${saltedLock('key')}) AS free FROM unnest($1::bigint[]) AS key`,
    [keys.map((key) => String(lockNumber(key)))]
  )
  return rows.map((row) => row['free'] === true)
}

/**
 * Puts the deliveries of these keys in line, in order of arrival. The first is pending; all others wait. The first
 * waits too while another delivery of the key is running, or while an earlier one is parked. The caller must hold the
 * locks of the keys, and call this after any change to the line, in the same transaction.
 */
export async function lineUp(tx: Session, keys: readonly OrderKey[]): Promise<void> {
  if (keys.length === 0) return
  await tx.query(lineUpSql, keyColumns(keys))
}

// Subqueries with LIMIT force an index lookup per key: the planner cannot turn them into a join, even if its row
// estimates are wrong.

/**
 * True if a delivery has the order key. Not written as an equality: if all deliveries had one key when the tables were
 * analysed, the planner would take each delivery for one of the key, and look for the first in the order of arrival. It
 * knows no frequency for this comparison. With ORDER BY for `order_key` and the next column of an index, it has to sort
 * unless it takes the index of the key.
 */
export const hasKey = (alias: string, handler: string, realm: string, orderKey: string): string =>
  `${alias}.handler = ${handler} AND ${alias}.realm = ${realm} AND ${alias}.order_key >= ${orderKey} AND ${alias}.order_key <= ${orderKey} AND ${alias}.order_key IS NOT NULL`

/** The first delivery of a key in one role. Each role has its own index. */
const firstSql = (columns: string, handler: string, realm: string, orderKey: string, role: string): string =>
  `SELECT ${columns} FROM riverhook.delivery AS peer WHERE ${hasKey('peer', handler, realm, orderKey)} AND ${role} ORDER BY peer.order_key, peer.event_seq LIMIT 1`

const head = "peer.state = 'pending' AND NOT peer.overtakable"
const waiting = "peer.state = 'waiting'"
const parked = "peer.state = 'parked'"

const isRunning = (handler: string, realm: string, orderKey: string): string =>
  `coalesce((SELECT true FROM riverhook.delivery AS peer WHERE ${hasKey('peer', handler, realm, orderKey)} AND peer.state = 'running' ORDER BY peer.order_key LIMIT 1), false)`

/** True if a delivery of a new event must wait for others with its order key. */
export const isBusy = (handler: string, realm: string, orderKey: string): string =>
  `(${isRunning(handler, realm, orderKey)} OR ${[head, waiting, parked].map((role) => `coalesce((${firstSql('true', handler, realm, orderKey, role)}), false)`).join(' OR ')})`

/**
 * True if no other delivery of the key is running, and no earlier one is in line or parked. The caller must hold the
 * key's lock.
 */
export const isFirst = (alias: string): string =>
  `((SELECT true FROM riverhook.delivery AS other
    WHERE ${hasKey('other', `${alias}.handler`, `${alias}.realm`, `${alias}.order_key`)}
      AND other.state = 'running' AND other.id <> ${alias}.id ORDER BY other.order_key LIMIT 1) IS NULL
    AND ${[head, waiting, parked].map((role) => `coalesce((${firstSql('peer.event_seq', `${alias}.handler`, `${alias}.realm`, `${alias}.order_key`, role)}) >= ${alias}.event_seq, true)`).join(' AND ')})`

/**
 * One row per key: the first in line, and whether it may be pending. The heads and those that wait are merged in the
 * order of their indexes, without a sort for each key.
 */
const lines = (keys: string): string => `
  SELECT key.handler, key.realm, key.order_key, first.id, first.state,
    NOT ${isRunning('key.handler', 'key.realm', 'key.order_key')}
    AND coalesce((${firstSql('peer.event_seq', 'key.handler', 'key.realm', 'key.order_key', parked)}) > first.event_seq, true) AS free
  FROM ${keys} AS key
  CROSS JOIN LATERAL (
    SELECT end_of_line.* FROM (
      (${firstSql('peer.id, peer.order_key, peer.event_seq, peer.state', 'key.handler', 'key.realm', 'key.order_key', head)})
      UNION ALL
      (${firstSql('peer.id, peer.order_key, peer.event_seq, peer.state', 'key.handler', 'key.realm', 'key.order_key', waiting)})) AS end_of_line
    ORDER BY end_of_line.order_key, end_of_line.event_seq LIMIT 1) AS first`

// Each listed row changes from pending to waiting, or back. The state is checked again on the row itself, because
// parking and resuming take no locks.
const lineUpSql = `
UPDATE riverhook.delivery SET state = CASE state WHEN 'pending' THEN 'waiting' ELSE 'pending' END
WHERE ${withoutIndex("state IN ('pending', 'waiting')")} AND id = ANY (ARRAY (
  WITH line AS MATERIALIZED (${lines('(SELECT DISTINCT handler, realm, order_key FROM unnest($1::text[], $2::text[], $3::text[]) AS given (handler, realm, order_key))')})
  SELECT id FROM line WHERE free AND state = 'waiting'
  UNION ALL
  SELECT back.id FROM line CROSS JOIN LATERAL (
    SELECT d.id FROM riverhook.delivery AS d
    WHERE ${hasKey('d', 'line.handler', 'line.realm', 'line.order_key')} AND d.state = 'pending' AND NOT d.overtakable
      AND NOT (line.free AND d.id = line.id) ORDER BY d.order_key, d.event_seq OFFSET 0) AS back))`

/** Keys checked per statement. */
const keysPerStatement = 2_000

/**
 * Checks a batch of the keys that have waiting deliveries.
 * @returns `disordered`: the keys whose line is out of order; `last`: the key to resume after, undefined when all keys
 *   were checked
 */
export async function findDisordered(
  session: Session,
  after: OrderKey | undefined
): Promise<{ readonly disordered: readonly OrderKey[]; readonly last: OrderKey | undefined }> {
  const rows = await session.query(findDisorderedSql, [
    after?.handler ?? '',
    after?.realm ?? '',
    after?.orderKey ?? '',
    keysPerStatement
  ])
  const keys = rows.map(readKey)
  return {
    disordered: keys.filter((_key, index) => rows[index]?.['disordered'] === true),
    last: keys.length < keysPerStatement ? undefined : keys.at(-1)
  }
}

const nextKey = (handler: string, realm: string, orderKey: string): string => `
  SELECT d.handler, d.realm, d.order_key FROM riverhook.delivery AS d
  WHERE d.state = 'waiting' AND (d.handler, d.realm, d.order_key) > (${handler}, ${realm}, ${orderKey})
  ORDER BY d.handler, d.realm, d.order_key LIMIT 1`

const findDisorderedSql = `
WITH RECURSIVE key (handler, realm, order_key, number) AS (
  SELECT first.handler, first.realm, first.order_key, 1 FROM (${nextKey('$1::text', '$2::text', '$3::text')}) AS first
  UNION ALL
  SELECT next.handler, next.realm, next.order_key, key.number + 1 FROM key
    CROSS JOIN LATERAL (${nextKey('key.handler', 'key.realm', 'key.order_key')}) AS next WHERE key.number < $4::integer
)
SELECT key.handler, key.realm, key.order_key,
  (line.free AND line.state = 'waiting')
  OR (NOT (line.free AND line.state = 'pending') AND coalesce((${firstSql('true', 'key.handler', 'key.realm', 'key.order_key', head)}), false)) AS disordered
FROM key LEFT JOIN LATERAL (${lines('(SELECT key.handler, key.realm, key.order_key)')}) AS line ON true
ORDER BY key.number`
