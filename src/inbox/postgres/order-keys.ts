import { createHash } from 'node:crypto'

import type { Session, Transaction } from './database.ts'

/** One order key of one handler: its deliveries go one at a time. */
export interface OrderKey {
  readonly handler: string
  readonly orderKey: string
}

/**
 * The number by which a key is locked. Whoever decides which delivery of a key may run holds its lock until the end of its transaction:
 * that is what makes the order hold across replicas. Two keys with one number only wait for each other.
 */
function lockOf({ handler, orderKey }: OrderKey): bigint {
  return createHash('sha256').update(`riverhook\0${handler}\0${orderKey}`).digest().readBigInt64BE()
}

/** The statement that takes the locks of these keys, always in the same order, so that nobody waits in a ring. Empty for no keys. */
export function lockKeys(keys: readonly OrderKey[]): string {
  const locks = [...new Set(keys.map(lockOf))].sort((a, b) => (a < b ? -1 : 1))
  return locks.length === 0 ? '' : `SELECT pg_advisory_xact_lock(key) FROM unnest('{${locks.join(',')}}'::bigint[]) AS key;`
}

/** Takes what locks are free. Waiting here could end in a ring: the caller holds rows. @returns for each key whether it was free */
export async function tryLockKeys(tx: Transaction, keys: readonly OrderKey[]): Promise<readonly boolean[]> {
  const rows = await tx.query('SELECT pg_try_advisory_xact_lock(key) AS free FROM unnest($1::bigint[]) AS key', [keys.map((key) => String(lockOf(key)))])
  return rows.map((row) => row['free'] === true)
}

/** Makes the next waiting delivery of each key due, unless another one holds it. The caller has the locks. */
export async function promote(tx: Session, keys: readonly OrderKey[]): Promise<void> {
  if (keys.length === 0) return
  await tx.query(promoteSql, [keys.map(({ handler }) => handler), keys.map(({ orderKey }) => orderKey)])
}

/** A delivery that holds its key: it runs, or waits for its next attempt without letting others overtake. */
const holds = (alias: string): string =>
  `${alias}.order_key IS NOT NULL AND ${alias}.state IN ('pending', 'running') AND (${alias}.state = 'running' OR NOT ${alias}.overtakable)`

// All of these are looked up for one key after the other, whatever the planner believes about how many there are: a subquery with LIMIT is
// not made into a join.

/** True where a delivery of the key holds it. */
const isHeld = (handler: string, orderKey: string): string =>
  `coalesce((SELECT true FROM riverhook.delivery AS held WHERE held.handler = ${handler} AND held.order_key = ${orderKey} AND ${holds('held')} LIMIT 1), false)`

/** True where a new delivery of the key has others before it. Those that wait while nobody holds the key are about to be promoted. */
export const isBusy = (handler: string, orderKey: string): string =>
  `(coalesce((SELECT true FROM riverhook.delivery AS ahead WHERE ahead.handler = ${handler} AND ahead.order_key = ${orderKey} AND ahead.state = 'waiting' LIMIT 1), false)
    OR ${isHeld(handler, orderKey)})`

/** True where no other delivery of the key is running. */
export const isIdle = (alias: string): string =>
  `(SELECT true FROM riverhook.delivery AS other
    WHERE other.handler = ${alias}.handler AND other.order_key = ${alias}.order_key AND other.order_key IS NOT NULL
      AND other.state IN ('pending', 'running') AND other.state = 'running' AND other.id <> ${alias}.id LIMIT 1) IS NULL`

const promoteSql = `
UPDATE riverhook.delivery SET state = 'pending' WHERE id = ANY (ARRAY (
  SELECT next.id
  FROM (SELECT DISTINCT handler, order_key FROM unnest($1::text[], $2::text[]) AS given (handler, order_key)) AS key
  CROSS JOIN LATERAL (
    SELECT id FROM riverhook.delivery AS d
    WHERE d.handler = key.handler AND d.order_key = key.order_key AND d.state = 'waiting'
    ORDER BY id LIMIT 1) AS next
  WHERE NOT ${isHeld('key.handler', 'key.order_key')}))`

/** How many keys one statement walks over. */
const stride = 2_000

/** Walks over the keys that have waiting deliveries. @returns those that nobody holds, and where to go on; undefined at the end */
export async function freeKeys(session: Session, after: OrderKey | undefined): Promise<{ readonly free: readonly OrderKey[]; readonly last: OrderKey | undefined }> {
  const rows = await session.query(freeKeysSql, [after?.handler ?? '', after?.orderKey ?? '', stride])
  const keys = rows.map((row) => ({ handler: String(row['handler']), orderKey: String(row['order_key']) }))
  return { free: keys.filter((_key, index) => rows[index]?.['held'] !== true), last: keys.length < stride ? undefined : keys.at(-1) }
}

const nextKey = (handler: string, orderKey: string): string => `
  SELECT d.handler, d.order_key FROM riverhook.delivery AS d
  WHERE d.state = 'waiting' AND (d.handler, d.order_key) > (${handler}, ${orderKey})
  ORDER BY d.handler, d.order_key LIMIT 1`

const freeKeysSql = `
WITH RECURSIVE key (handler, order_key, number) AS (
  SELECT first.handler, first.order_key, 1 FROM (${nextKey('$1::text', '$2::text')}) AS first
  UNION ALL
  SELECT next.handler, next.order_key, key.number + 1 FROM key CROSS JOIN LATERAL (${nextKey('key.handler', 'key.order_key')}) AS next WHERE key.number < $3::integer
)
SELECT handler, order_key, ${isHeld('key.handler', 'key.order_key')} AS held FROM key ORDER BY number`
