import type { HandlerRecord } from '../inbox.ts'
import type { Database, Row } from './database.ts'
import { lockKeys, promote, type OrderKey } from './order-keys.ts'

/** Who adopts. */
export interface Replica {
  /** Unique to this engine object. */
  readonly instance: string
  /** For people. */
  readonly owner: string
}

/** A replica that was not seen for so long is gone, and its handlers with it. */
const goneAfter = "interval '60 seconds'"

/**
 * Notes which handlers this replica has. Parks the unsettled deliveries of handlers that no replica has any more, and makes those due whose
 * handler is back.
 */
export async function adopt(database: Database, { instance, owner }: Replica, handlers: readonly HandlerRecord[]): Promise<{ readonly parked: number; readonly resumed: number }> {
  const names = handlers.map(({ name }) => name)
  const result = await database.transaction(async (tx) => {
    // Replicas that start together take turns.
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('riverhook.adopt', 0)), set_config('statement_timeout', '60s', true)")
    await tx.query('INSERT INTO riverhook.server (instance, owner, seen_at) VALUES ($1, $2, now()) ON CONFLICT (instance) DO UPDATE SET seen_at = excluded.seen_at', [instance, owner])
    await tx.query(`DELETE FROM riverhook.server WHERE seen_at < now() - ${goneAfter}`)
    await tx.query('DELETE FROM riverhook.handler WHERE instance = $1 OR instance NOT IN (SELECT instance FROM riverhook.server)', [instance])
    await tx.query(
      `INSERT INTO riverhook.handler (instance, position, name, pattern, ordered)
       SELECT $1, position, name, pattern, ordered FROM unnest($2::text[], $3::text[], $4::boolean[]) WITH ORDINALITY AS given (name, pattern, ordered, position)`,
      [instance, names, handlers.map(({ pattern }) => pattern), handlers.map(({ ordered = false }) => ordered)]
    )
    const parked = await tx.query(parkSql)
    const resumed = await tx.query(resumeSql, [names])
    return { parked: countOf(parked), resumed: countOf(resumed) }
  })
  await promoteAll(database, names)
  return result
}

/** Says that the replica is there. @returns whether it was known: after a long silence another one has taken it for gone, and it must adopt anew */
export async function beat(database: Database, { instance }: Replica): Promise<boolean> {
  const rows = await database.query('UPDATE riverhook.server SET seen_at = now() WHERE instance = $1 RETURNING instance', [instance])
  return rows.length > 0
}

/** The replica ends: its handlers stay known until the next one adopts its own. */
export async function leave(database: Database, { instance }: Replica): Promise<void> {
  await database.query("UPDATE riverhook.server SET seen_at = '-infinity' WHERE instance = $1", [instance])
}

export async function listHandlers(database: Database): Promise<readonly HandlerRecord[]> {
  const rows = await database.query(
    `SELECT name, pattern, ordered FROM (
       SELECT DISTINCT ON (handler.name) handler.name, handler.pattern, handler.ordered, handler.position
       FROM riverhook.handler AS handler JOIN riverhook.server AS server USING (instance) ORDER BY handler.name, server.seen_at DESC) AS latest
     ORDER BY position, name`
  )
  return rows.map((row) => ({ name: String(row['name']), pattern: String(row['pattern']), ordered: row['ordered'] === true }))
}

const parkSql = `
WITH parked AS (
  UPDATE riverhook.delivery AS d SET state = 'parked'
  WHERE d.state IN ('pending', 'waiting') AND NOT EXISTS (SELECT 1 FROM riverhook.handler AS handler WHERE handler.name = d.handler)
  RETURNING 1)
SELECT count(*)::integer AS count FROM parked`

const resumeSql = `
WITH resumed AS (
  UPDATE riverhook.delivery SET state = CASE WHEN order_key IS NULL THEN 'pending' ELSE 'waiting' END
  WHERE state = 'parked' AND handler = ANY ($1::text[]) RETURNING 1)
SELECT count(*)::integer AS count FROM resumed`

function countOf(rows: readonly Row[]): number {
  return Number(rows[0]?.['count'])
}

const keysAtATime = 500

/** Every key of these handlers that has waiting deliveries and none that holds it. In portions: a lock is held for each key. */
async function promoteAll(database: Database, handlers: readonly string[]): Promise<void> {
  let after: OrderKey = { handler: '', orderKey: '' }
  for (;;) {
    const rows = await database.query(waitingKeysSql, [handlers, after.handler, after.orderKey, keysAtATime])
    const keys = rows.map((row) => ({ handler: String(row['handler']), orderKey: String(row['order_key']) }))
    const last = keys.at(-1)
    if (last === undefined) return
    await database.transaction((tx) => promote(tx, keys), { begin: lockKeys(keys) })
    after = last
  }
}

const waitingKeysSql = `
SELECT DISTINCT handler, order_key FROM riverhook.delivery
WHERE order_key IS NOT NULL AND state IN ('pending', 'waiting', 'running') AND state = 'waiting'
  AND handler = ANY ($1::text[]) AND (handler, order_key) > ($2, $3)
ORDER BY handler, order_key LIMIT $4`
