import type { Adopted, HandlerRecord, OrderKey } from '../inbox.ts'
import { readHandler } from '../rows.ts'
import { expiredErrorSql, type Times } from './claim.ts'
import { longTimeoutMs, type Database, type Row, type Session, type Transaction } from './database.ts'
import { findDisordered, lockKeys, lineUp, saltedLock } from './order.ts'
import { isClaimable, isParked, withoutIndex } from './plan.ts'
import { addCountsSql, minuteSql } from './tally.ts'

/** One running server that shares the inbox with others. */
export interface Replica {
  /** Unique to this engine object. */
  readonly instance: string
  /** Shown to people, in place of `instance`. */
  readonly owner: string
}

/** A replica that has not been seen for this long is gone, and so are its handlers. */
const goneAfter = "interval '60 seconds'"

const adoptLock = saltedLock("hashtextextended('riverhook.adopt', 0)")

/** Deliveries changed per transaction, so that a start never waits for a backlog of millions. */
const batchSize = 1_000

/**
 * Stores which handlers this replica has. Parks the unsettled deliveries of handlers that no replica has any more, and
 * resumes the deliveries whose handler is back: a batch of them. Resumed deliveries with an order key wait until
 * `promoteBatch` reaches their key.
 */
export function adopt(
  database: Database,
  { instance, owner }: Replica,
  handlers: readonly HandlerRecord[],
  times: Times
): Promise<Adopted> {
  return database.transaction(
    async (tx) => {
      // Replicas that start together take turns.
      await tx.query(`SELECT pg_advisory_xact_lock(${adoptLock})`)
      await tx.query(
        'INSERT INTO riverhook.server (instance, owner, seen_at) VALUES ($1, $2, now()) ON CONFLICT (instance) DO UPDATE SET seen_at = excluded.seen_at',
        [instance, owner]
      )
      await tx.query('DELETE FROM riverhook.handler WHERE instance = $1', [instance])
      await tx.query(
        `INSERT INTO riverhook.handler (instance, position, name, source, pattern, ordered)
       SELECT $1, position, name, source, pattern, ordered
       FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) WITH ORDINALITY AS given (name, source, pattern, ordered, position)`,
        [
          instance,
          ...handlerColumns(handlers),
          handlers.map(({ pattern }) => pattern),
          handlers.map(({ ordered = false }) => ordered)
        ]
      )
      return adoptBatch(tx, handlers, times)
    },
    { statementTimeoutMs: longTimeoutMs }
  )
}

async function adoptBatch(tx: Transaction, handlers: readonly HandlerRecord[], times: Times): Promise<Adopted> {
  const parked = await parkAbandoned(tx, times)
  const resumed = await resume(tx, handlers)
  const batch = { parked: parked.changed, resumed: resumed.changed }
  return isFull(parked) || isFull(resumed) ? { ...batch, hasMore: true } : batch
}

/**
 * Resumes parked deliveries, by handler and in order of arrival: a delivery that is still parked holds back later ones
 * with the same order key.
 */
async function resume(tx: Transaction, handlers: readonly HandlerRecord[]): Promise<Batch> {
  let [found, changed] = [0, 0]
  for (const row of await tx.query(parkedHandlersSql)) {
    const handler = handlers.find(({ name }) => name === row['handler'])
    if (handler === undefined || found >= batchSize) continue
    const batch = readBatch((await tx.query(resumeSql, [handler.name, batchSize - found, handler.source]))[0])
    found += batch.found
    changed += batch.changed
  }
  return { found, changed }
}

/**
 * Updates the replica's heartbeat. Parks a batch of the deliveries of replicas that are gone, if `mayPark`.
 * @returns `isKnown: false` if another replica removed this one after a long silence: it must adopt again; `hasMore`:
 *   another batch may be needed
 */
export async function beat(
  database: Database,
  { instance }: Replica,
  times: Times,
  mayPark: boolean
): Promise<{ readonly isKnown: boolean; readonly hasMore: boolean }> {
  const rows = await database.query(
    'UPDATE riverhook.server SET seen_at = now() WHERE instance = $1 RETURNING instance',
    [instance]
  )
  const isKnown = rows.length > 0
  return { isKnown, hasMore: isKnown && mayPark && (await parkUnlessLocked(database, times)) }
}

/** Marks the replica as gone. The last replica's handlers stay known until the next replica adopts its own. */
export async function leave(database: Database, { instance }: Replica, times: Times): Promise<void> {
  await database.query("UPDATE riverhook.server SET seen_at = '-infinity' WHERE instance = $1", [instance])
  await parkUnlessLocked(database, times)
}

/** @returns true if another batch may be needed */
async function parkUnlessLocked(database: Database, times: Times): Promise<boolean> {
  return database.transaction(
    async (tx) => {
      // Skip if another replica holds the lock: it is doing the same.
      const [row] = await tx.query(
        `SELECT pg_try_advisory_xact_lock(${adoptLock}) AS free, EXISTS (SELECT 1 FROM riverhook.server WHERE seen_at >= now() - ${goneAfter}) AS living`
      )
      return row?.['free'] === true && row['living'] === true && isFull(await parkAbandoned(tx, times))
    },
    { statementTimeoutMs: longTimeoutMs }
  )
}

/** How many deliveries a statement found, and how many of these it changed. */
interface Batch {
  readonly found: number
  readonly changed: number
}

/** True if more may be left. Others may have changed some of those found before they were locked. */
function isFull({ found }: Batch): boolean {
  return found >= batchSize
}

async function parkAbandoned(tx: Transaction, times: Times): Promise<Batch> {
  await tx.query(`DELETE FROM riverhook.server WHERE seen_at < now() - ${goneAfter}`)
  await tx.query('DELETE FROM riverhook.handler WHERE instance NOT IN (SELECT instance FROM riverhook.server)')
  const gone = await tx.query(goneHandlersSql)
  return park(tx, [...gone, ...(await tx.query(otherSourcesSql))], times)
}

/** @param rows the handlers to park. A row with `source` limits that to events of that source */
async function park(tx: Transaction, rows: readonly Row[], { fixed }: Times): Promise<Batch> {
  if (rows.length === 0) return { found: 0, changed: 0 }
  const handlers = rows.map((row) => row['handler'])
  const sources = rows.map((row) => row['source'] ?? null)
  const [parked] = await tx.query(parkSql, [handlers, fixed ?? null, batchSize, sources])
  return readBatch(parked)
}

/** Converts handlers to query parameters: names and sources. */
function handlerColumns(handlers: readonly HandlerRecord[]): readonly (readonly string[])[] {
  return [handlers.map(({ name }) => name), handlers.map(({ source }) => source)]
}

/** Lists the other replicas that are running. */
export async function listServers(session: Session, instance: string): Promise<readonly string[]> {
  const rows = await session.query(
    `SELECT owner FROM riverhook.server WHERE instance <> $1 AND seen_at >= now() - ${goneAfter} ORDER BY owner`,
    [instance]
  )
  return rows.map((row) => String(row['owner']))
}

export async function listHandlers(session: Session): Promise<readonly HandlerRecord[]> {
  const rows = await session.query(
    `SELECT name, source, pattern, ordered FROM (
       SELECT DISTINCT ON (handler.name) handler.name, handler.source, handler.pattern, handler.ordered, handler.position
       FROM riverhook.handler AS handler JOIN riverhook.server AS server USING (instance) ORDER BY handler.name, server.seen_at DESC) AS latest
     ORDER BY position, name`
  )
  return rows.map(readHandler)
}

/** Handlers that have deliveries in a partial index. Skips from one handler to the next instead of scanning. */
const handlersWith = (condition: string): string => `(
  WITH RECURSIVE name (handler) AS (
    SELECT min(handler) FROM riverhook.delivery AS d WHERE ${condition}
    UNION ALL
    SELECT (SELECT min(handler) FROM riverhook.delivery AS d WHERE ${condition} AND handler > name.handler) FROM name WHERE name.handler IS NOT NULL
  ) SELECT handler FROM name WHERE handler IS NOT NULL)`

const goneHandlersSql = `${handlersWith(isClaimable('d'))} UNION ${handlersWith("d.state = 'waiting'")} EXCEPT SELECT name FROM riverhook.handler`

/**
 * Deliveries whose handler exists, but for another source than their event's. Checks only the longest overdue ones and
 * the first waiting ones of each handler: unclaimable deliveries collect there. Reads no event of a handler that never
 * had a delivery of another source.
 */
const otherSourcesSql = `
SELECT DISTINCT known.name AS handler, event.source FROM (SELECT DISTINCT name FROM riverhook.handler) AS known
CROSS JOIN LATERAL (
  (SELECT d.event_seq FROM riverhook.delivery AS d
   WHERE d.handler = known.name AND ${isClaimable('d')} ORDER BY d.due_at, d.id LIMIT 1000)
  UNION ALL
  (SELECT d.event_seq FROM riverhook.delivery AS d
   WHERE d.handler = known.name AND d.state = 'waiting' ORDER BY d.realm, d.order_key, d.event_seq LIMIT 1000)) AS first
JOIN riverhook.event AS event ON event.seq = first.event_seq
WHERE EXISTS (
  SELECT 1 FROM riverhook.handled JOIN riverhook.kind ON kind.id = handled.kind
  WHERE handled.handler = known.name AND ${hasNoHandler('kind.source')})
AND ${hasNoHandler('event.source')}`

/** True if no replica has the handler `known` for this source. */
function hasNoHandler(source: string): string {
  return `NOT EXISTS (SELECT 1 FROM riverhook.handler AS other WHERE other.name = known.name AND other.source = ${source})`
}

/** True if the delivery `d` belongs to the handler `gone`. */
const isGone =
  'd.handler = gone.name AND (gone.source IS NULL OR gone.source = (SELECT event.source FROM riverhook.event AS event WHERE event.seq = d.event_seq))'

// A running delivery belongs to its process until the lease ends, even if no replica has its handler.
const isFree = "(d.state <> 'running' OR d.due_at <= coalesce($2::timestamptz, statement_timestamp()))"

/**
 * The index of each state has a handler's deliveries together: any other would be read to its end for a few. The
 * parameters are the names of the handlers, the time, the size of a batch, and the sources; null for all.
 */
const parkSql = `
WITH found AS MATERIALIZED (
  SELECT each.id FROM unnest($1::text[], $4::text[]) AS gone (name, source) CROSS JOIN LATERAL (
    (SELECT d.id FROM riverhook.delivery AS d
     WHERE ${isGone} AND ${isClaimable('d')} AND ${isFree} ORDER BY d.due_at, d.id LIMIT $3::bigint)
    UNION ALL
    (SELECT d.id FROM riverhook.delivery AS d
     WHERE ${isGone} AND d.state = 'waiting' ORDER BY d.realm, d.order_key, d.event_seq LIMIT $3::bigint)) AS each
  LIMIT $3::bigint
), gone AS MATERIALIZED (
  SELECT d.id, d.attempts, d.state, d.due_at, d.owner, d.handler FROM riverhook.delivery AS d
  WHERE d.id = ANY (ARRAY(SELECT id FROM found)) AND ${withoutIndex("d.state IN ('pending', 'waiting', 'running')")} AND ${isFree}
  ORDER BY d.id FOR UPDATE
), expired AS (
  INSERT INTO riverhook.attempt (delivery_id, attempt, state, started_at, ended_at, error)
  SELECT id, attempts, 'lost', due_at, coalesce($2::timestamptz, statement_timestamp()), ${expiredErrorSql('gone')} FROM gone WHERE state = 'running' ORDER BY id
), counted AS (${addCountsSql(`
  SELECT 'attempt', ${minuteSql('$2')}, handler, 'lost', count(*), 0, 0 FROM gone WHERE state = 'running' GROUP BY handler`)}
), parked AS (
  UPDATE riverhook.delivery AS d
  SET state = 'parked', owner = NULL,
      losses = d.losses + (gone.state = 'running' AND d.on_loss <> 'attempt')::integer,
      suspicion = d.suspicion + (gone.state = 'running' AND d.on_loss <> 'nothing')::integer, overtakable = d.overtakable AND gone.state <> 'running',
      last_error = CASE WHEN gone.state = 'running' THEN ${expiredErrorSql('gone')} ELSE d.last_error END
  FROM gone WHERE d.id = gone.id RETURNING 1)
SELECT (SELECT count(*) FROM found) AS found, count(*) AS changed FROM parked`

const parkedHandlersSql = handlersWith(isParked('d'))

/** Resumes the deliveries of events that were deleted by hand, too: a claim removes them, so that no line waits. */
const resumeSql = `
WITH found AS MATERIALIZED (
  SELECT d.id FROM riverhook.delivery AS d WHERE ${isParked('d')} AND d.handler = $1
    AND coalesce((SELECT event.source FROM riverhook.event AS event WHERE event.seq = d.event_seq), $3) = $3 ORDER BY event_seq LIMIT $2
), resumed AS (
  UPDATE riverhook.delivery SET state = CASE WHEN order_key IS NULL OR overtakable THEN 'pending' ELSE 'waiting' END
  WHERE id = ANY (ARRAY(SELECT id FROM found)) AND ${withoutIndex("state = 'parked'")}
  RETURNING 1)
SELECT (SELECT count(*) FROM found) AS found, count(*) AS changed FROM resumed`

function readBatch(row: Row | undefined): Batch {
  return { found: Number(row?.['found']), changed: Number(row?.['changed']) }
}

/**
 * Checks a batch of the order keys that have waiting deliveries, and repairs the lines that are out of order. Uses
 * several transactions, since each key holds a lock.
 * @returns the key to resume after; undefined when all keys were checked
 */
export async function promoteBatch(database: Database, after: OrderKey | undefined): Promise<OrderKey | undefined> {
  const { disordered, last } = await findDisordered(database, after)
  for (let start = 0; start < disordered.length; start += keysPerTransaction) {
    const keys = disordered.slice(start, start + keysPerTransaction)
    await database.transaction((tx) => lineUp(tx, keys), { begin: lockKeys(keys), statementTimeoutMs: longTimeoutMs })
  }
  return last
}

const keysPerTransaction = 500
