import type { HandlerRecord } from '../inbox.ts'
import { expiredErrorOf, type Times } from './claim.ts'
import { longTimeoutMs, type Database, type Row, type Transaction } from './database.ts'
import { disorderedKeys, lockKeys, lineUp, saltedLock, type OrderKey } from './order.ts'

/** Who adopts. */
export interface Replica {
  /** Unique to this engine object. */
  readonly instance: string
  /** For people. */
  readonly owner: string
}

/** A replica that was not seen for so long is gone, and its handlers with it. */
const goneAfter = "interval '60 seconds'"

const adoptLock = saltedLock("hashtextextended('riverhook.adopt', 0)")

/**
 * So many deliveries are parked, or made due again, in one transaction: a start must not wait for a million of them.
 * `goOn` sees to the rest.
 */
const portion = 10_000

/** True where there may be more to do than one portion. */
export function isPortionFull({ parked, resumed }: Adopted): boolean {
  return parked >= portion || resumed >= portion
}

export interface Adopted {
  readonly parked: number
  readonly resumed: number
}

/**
 * Notes which handlers this replica has. Parks the unsettled deliveries of handlers that no replica has any more, and
 * makes those due whose handler is back: those with order keys wait, until `promoteSome` has come to their key.
 * @returns what was done at once
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
          ...namesOf(handlers),
          handlers.map(({ pattern }) => pattern),
          handlers.map(({ ordered = false }) => ordered)
        ]
      )
      return aPortion(tx, handlers, times)
    },
    { statementTimeoutMs: longTimeoutMs }
  )
}

/** The next portion of what `adopt` began. */
export function goOn(database: Database, handlers: readonly HandlerRecord[], times: Times): Promise<Adopted> {
  return database.transaction(
    async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(${adoptLock})`)
      return aPortion(tx, handlers, times)
    },
    { statementTimeoutMs: longTimeoutMs }
  )
}

async function aPortion(tx: Transaction, handlers: readonly HandlerRecord[], times: Times): Promise<Adopted> {
  return { parked: await parkOfGone(tx, times), resumed: await resume(tx, handlers) }
}

/**
 * By handler, and in the order of their arrival: one that is still parked keeps back those of its key that arrived
 * after it.
 */
async function resume(tx: Transaction, handlers: readonly HandlerRecord[]): Promise<number> {
  let resumed = 0
  for (const row of await tx.query(parkedHandlersSql)) {
    const handler = handlers.find(({ name }) => name === row['handler'])
    if (handler !== undefined && resumed < portion)
      resumed += countOf((await tx.query(resumeSql, [handler.name, portion - resumed, handler.source]))[0])
  }
  return resumed
}

/**
 * Says that the replica is there, and parks what replicas have left that are gone since: nobody else would.
 * @returns whether it was known: after a long silence another one has taken it for gone, and it must adopt anew
 */
export async function beat(
  database: Database,
  { instance }: Replica,
  times: Times
): Promise<{ readonly isKnown: boolean; readonly parked: number }> {
  const rows = await database.query(
    'UPDATE riverhook.server SET seen_at = now() WHERE instance = $1 RETURNING instance',
    [instance]
  )
  if (rows.length === 0) return { isKnown: false, parked: 0 }
  return { isKnown: true, parked: await tidy(database, times) }
}

/** The replica ends. Where it was the last one, its handlers stay known until the next one adopts its own. */
export async function leave(database: Database, { instance }: Replica, times: Times): Promise<void> {
  await database.query("UPDATE riverhook.server SET seen_at = '-infinity' WHERE instance = $1", [instance])
  await tidy(database, times)
}

async function tidy(database: Database, times: Times): Promise<number> {
  return database.transaction(
    async (tx) => {
      // Whoever has the lock does the same.
      const [row] = await tx.query(
        `SELECT pg_try_advisory_xact_lock(${adoptLock}) AS free, EXISTS (SELECT 1 FROM riverhook.server WHERE seen_at >= now() - ${goneAfter}) AS living`
      )
      return row?.['free'] === true && row['living'] === true ? parkOfGone(tx, times) : 0
    },
    { statementTimeoutMs: longTimeoutMs }
  )
}

/** @returns how many deliveries were parked: a portion at most */
async function parkOfGone(tx: Transaction, times: Times): Promise<number> {
  await tx.query(`DELETE FROM riverhook.server WHERE seen_at < now() - ${goneAfter}`)
  await tx.query('DELETE FROM riverhook.handler WHERE instance NOT IN (SELECT instance FROM riverhook.server)')
  const gone = await tx.query(goneHandlersSql)
  return park(tx, [...gone, ...(await tx.query(otherSourcesSql))], times)
}

/** @param rows with `handler`, and with `source` where only events of that source are meant */
async function park(tx: Transaction, rows: readonly Row[], { fixed }: Times): Promise<number> {
  if (rows.length === 0) return 0
  const handlers = rows.map((row) => row['handler'])
  const sources = rows.map((row) => row['source'] ?? null)
  const [parked] = await tx.query(parkSql, [handlers, fixed ?? null, portion, sources])
  return countOf(parked)
}

/** Handlers as parameters: names and sources. */
function namesOf(handlers: readonly HandlerRecord[]): readonly (readonly string[])[] {
  return [handlers.map(({ name }) => name), handlers.map(({ source }) => source)]
}

/** The replicas that are there, this one excepted. */
export async function listServers(database: Database, instance: string): Promise<readonly string[]> {
  const rows = await database.query(
    `SELECT owner FROM riverhook.server WHERE instance <> $1 AND seen_at >= now() - ${goneAfter} ORDER BY owner`,
    [instance]
  )
  return rows.map((row) => String(row['owner']))
}

export async function listHandlers(database: Database): Promise<readonly HandlerRecord[]> {
  const rows = await database.query(
    `SELECT name, source, pattern, ordered FROM (
       SELECT DISTINCT ON (handler.name) handler.name, handler.source, handler.pattern, handler.ordered, handler.position
       FROM riverhook.handler AS handler JOIN riverhook.server AS server USING (instance) ORDER BY handler.name, server.seen_at DESC) AS latest
     ORDER BY position, name`
  )
  return rows.map((row) => ({
    name: String(row['name']),
    source: String(row['source']),
    pattern: String(row['pattern']),
    ordered: row['ordered'] === true
  }))
}

/** The handlers that have deliveries in a partial index: jumps from one to the next. */
const handlersOf = (condition: string): string => `(
  WITH RECURSIVE name (handler) AS (
    SELECT min(handler) FROM riverhook.delivery WHERE ${condition}
    UNION ALL
    SELECT (SELECT min(handler) FROM riverhook.delivery WHERE ${condition} AND handler > name.handler) FROM name WHERE name.handler IS NOT NULL
  ) SELECT handler FROM name WHERE handler IS NOT NULL)`

const goneHandlersSql = `${handlersOf("state IN ('pending', 'running')")} UNION ${handlersOf("state = 'waiting'")} EXCEPT SELECT name FROM riverhook.handler`

/**
 * Handlers of deliveries that no handler of their name and their event's source is for. Looks at the longest overdue
 * ones of each handler: deliveries that nobody claims end up there.
 */
const otherSourcesSql = `
SELECT DISTINCT known.name AS handler, due.source FROM (SELECT DISTINCT name FROM riverhook.handler) AS known
CROSS JOIN LATERAL (
  SELECT event.source FROM riverhook.delivery AS d JOIN riverhook.event AS event ON event.seq = d.event_seq
  WHERE d.handler = known.name AND d.state IN ('pending', 'running') ORDER BY d.due_at, d.id LIMIT 1000) AS due
WHERE NOT EXISTS (SELECT 1 FROM riverhook.handler AS other WHERE other.name = known.name AND other.source = due.source)`

// One that is running is its process's until the lease ends, whoever knows the handler.
const ofGone =
  "handler = ANY ($1::text[]) AND (state IN ('pending', 'waiting') OR (state = 'running' AND due_at <= coalesce($2::timestamptz, statement_timestamp())))" +
  ' AND EXISTS (SELECT 1 FROM unnest($1::text[], $4::text[]) AS known (name, source) WHERE known.name = handler' +
  ' AND (known.source IS NULL OR known.source = (SELECT event.source FROM riverhook.event AS event WHERE event.seq = event_seq)))'
const parkSql = `
WITH gone AS MATERIALIZED (
  SELECT id, attempts, state, due_at, owner FROM riverhook.delivery
  WHERE id IN (SELECT id FROM riverhook.delivery WHERE ${ofGone} LIMIT $3) AND ${ofGone}
  ORDER BY id FOR UPDATE
), expired AS (
  INSERT INTO riverhook.attempt (delivery_id, attempt, state, started_at, ended_at, error)
  SELECT id, attempts, 'lost', due_at, coalesce($2::timestamptz, statement_timestamp()), ${expiredErrorOf('gone')} FROM gone WHERE state = 'running' ORDER BY id
), parked AS (
  UPDATE riverhook.delivery AS d
  SET state = 'parked', owner = NULL,
      losses = d.losses + (gone.state = 'running' AND d.on_loss <> 'attempt')::integer,
      suspicion = d.suspicion + (gone.state = 'running' AND d.on_loss <> 'nothing')::integer, overtakable = d.overtakable AND gone.state <> 'running',
      last_error = CASE WHEN gone.state = 'running' THEN ${expiredErrorOf('gone')} ELSE d.last_error END
  FROM gone WHERE d.id = gone.id RETURNING 1)
SELECT count(*)::integer AS count FROM parked`

/** The condition of the index `delivery_parked`. */
const isParked = "state = 'parked' AND attempts >= 0"

const parkedHandlersSql = handlersOf(isParked)

const resumeSql = `
WITH resumed AS (
  UPDATE riverhook.delivery SET state = CASE WHEN order_key IS NULL THEN 'pending' ELSE 'waiting' END
  WHERE id IN (SELECT id FROM riverhook.delivery WHERE ${isParked} AND handler = $1
    AND (SELECT event.source FROM riverhook.event AS event WHERE event.seq = event_seq) = $3 ORDER BY event_seq LIMIT $2) AND state = 'parked'
  RETURNING 1)
SELECT count(*)::integer AS count FROM resumed`

function countOf(row: Row | undefined): number {
  return Number(row?.['count'])
}

/**
 * Goes through the keys that have waiting deliveries, and puts those in line that are not. In portions: a lock is
 * held for each key.
 * @returns where to go on; undefined at the end
 */
export async function promoteSome(database: Database, after: OrderKey | undefined): Promise<OrderKey | undefined> {
  const { disordered, last } = await disorderedKeys(database, after)
  for (let start = 0; start < disordered.length; start += keysAtATime) {
    const keys = disordered.slice(start, start + keysAtATime)
    await database.transaction((tx) => lineUp(tx, keys), { begin: lockKeys(keys), statementTimeoutMs: longTimeoutMs })
  }
  return last
}

const keysAtATime = 500
