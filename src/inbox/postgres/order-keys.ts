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
export const holds = (alias: string): string =>
  `${alias}.order_key IS NOT NULL AND ${alias}.state IN ('pending', 'waiting', 'running')
   AND (${alias}.state = 'running' OR (${alias}.state = 'pending' AND NOT ${alias}.overtakable))`

const promoteSql = `
UPDATE riverhook.delivery SET state = 'pending' WHERE id IN (
  SELECT next.id
  FROM (SELECT DISTINCT handler, order_key FROM unnest($1::text[], $2::text[]) AS given (handler, order_key)) AS key
  CROSS JOIN LATERAL (
    SELECT id FROM riverhook.delivery AS d
    WHERE d.handler = key.handler AND d.order_key = key.order_key AND d.order_key IS NOT NULL AND d.state IN ('pending', 'waiting', 'running')
      AND d.state = 'waiting'
    ORDER BY id LIMIT 1) AS next
  WHERE NOT EXISTS (
    SELECT 1 FROM riverhook.delivery AS held
    WHERE held.handler = key.handler AND held.order_key = key.order_key AND ${holds('held')}))`
