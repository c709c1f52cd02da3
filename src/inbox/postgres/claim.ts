import type {
  Claim,
  ClaimedDelivery,
  ClaimRequest,
  ClaimSuspectsRequest,
  HandlerName,
  Orphan,
  Suspect
} from '../inbox.ts'
import { readClaimed, readSuspect } from '../rows.ts'
import { leaseRanOut } from '../../model/lease.ts'
import type { Database, Row, Transaction } from './database.ts'
import { isClaimable, withoutIndex } from './plan.ts'
import { keyColumns, isFirst, readKey, lineUp, lockKeys, tryLockKeys } from './order.ts'

/** Converts between the database's time and this process's time. */
export interface Times {
  /** This process's time, in milliseconds since the epoch. */
  readonly now: number
  /** Replaces the database's time, in tests. */
  readonly fixed: Date | undefined
}

/**
 * Claims due deliveries. One statement finds them, and leases those without an order key. A second transaction leases
 * those with an order key, under the locks of their keys.
 */
export async function claim(database: Database, request: ClaimRequest, { now, fixed }: Times): Promise<Claim> {
  const { owner, leaseMs, wants, limit } = request
  const rows = await database.query(claimSql, [
    wants.map(({ handler }) => handler),
    wants.map(({ source }) => source),
    wants.map((want) => Math.min(want.limit, limit)),
    limit,
    leaseMs,
    owner,
    fixed ?? null
  ])
  const found = rows.filter((row) => row['id'] !== null)
  const orphaned = found.filter((row) => row['event_id'] === null)
  const present = found.filter((row) => row['event_id'] !== null)
  const keyed = present.filter(needsKey)
  const { leased, passedOver, areBusy } =
    keyed.length === 0 ? noneClaimed : await claimKeyed(database, { ...request, onLoss: 'loss' }, keyed, fixed)
  const deliveries = [...present.filter((row) => !needsKey(row)), ...leased].sort(byTurn).map(readClaimed)
  const orphans = orphaned.length === 0 ? [] : await dropOrphans(database, orphaned)
  return {
    deliveries,
    nextDueAt: passedOver + orphaned.length > 0 ? new Date(now) : nextDueAt(request, deliveries, areBusy, rows, now),
    ...(orphans.length > 0 && { orphans })
  }
}

/** A lost run needs no lock: it still holds its place in the line. */
function needsKey(row: Row): boolean {
  return row['order_key'] !== null && row['state_before'] !== 'running'
}

/** Lists the due suspects of these handlers. */
export async function findSuspects(
  database: Database,
  handlers: readonly HandlerName[],
  { fixed }: Times
): Promise<readonly Suspect[]> {
  const rows = await database.query(suspectsSql, [
    handlers.map(({ name }) => name),
    handlers.map(({ source }) => source),
    fixed ?? null
  ])
  return rows.map(readSuspect)
}

/** Claims these deliveries, if they are still due and first in the lines of their keys. */
export async function claimSuspects(
  database: Database,
  request: ClaimSuspectsRequest,
  { fixed }: Times
): Promise<readonly ClaimedDelivery[]> {
  const found = await database.query(
    `SELECT id, handler, realm, order_key FROM riverhook.delivery WHERE id = ANY ($1::bigint[]) AND ${withoutIndex("state = 'pending'")}`,
    [request.ids]
  )
  const { leased } = found.length === 0 ? noneClaimed : await claimKeyed(database, request, found, fixed)
  return leased.map(readClaimed)
}

type LeaseTerms = Omit<ClaimSuspectsRequest, 'ids'>

interface KeyedClaim {
  readonly leased: readonly Row[]
  /** How many were due, but not first in their line: they wait there now. */
  readonly passedOver: number
  /** Another transaction holds the locks of some of the keys. */
  readonly areBusy: boolean
}

const noneClaimed: KeyedClaim = { leased: [], passedOver: 0, areBusy: false }

function claimKeyed(
  database: Database,
  { owner, leaseMs, onLoss }: LeaseTerms,
  found: readonly Row[],
  fixed: Date | undefined
): Promise<KeyedClaim> {
  return database.transaction(async (tx: Transaction) => {
    const keyed = found.filter(needsKey)
    const free = keyed.length === 0 ? [] : await tryLockKeys(tx, keyed.map(readKey))
    const busy = new Set(keyed.filter((_row, index) => free[index] !== true))
    const chosen = found.filter((row) => !busy.has(row))
    const areBusy = busy.size > 0
    if (chosen.length === 0) return { ...noneClaimed, areBusy }
    const rows = await tx.query(claimKeyedSql, [chosen.map((row) => row['id']), leaseMs, owner, fixed ?? null, onLoss])
    const turns = new Map(chosen.map((row) => [row['id'], row]))
    const leased = rows.map((row) => ({ ...turns.get(row['id']), ...row }))
    for (const row of rows) turns.delete(row['id'])
    const passedOver = [...turns.values()].filter(needsKey)
    if (passedOver.length > 0) await rejoinLine(tx, passedOver, fixed)
    return { leased, passedOver: passedOver.length, areBusy }
  })
}

/** Puts failed deliveries that are due again back in their line. */
async function rejoinLine(tx: Transaction, rows: readonly Row[], fixed: Date | undefined): Promise<void> {
  const keys = rows.map(readKey)
  await tx.query(rejoinLineSql, [...keyColumns(keys), fixed ?? null])
  await lineUp(tx, keys)
}

/** Deletes deliveries whose event was deleted by hand: others with the same order key must not wait for them. */
async function dropOrphans(database: Database, orphaned: readonly Row[]): Promise<readonly Orphan[]> {
  const keys = orphaned.filter((row) => row['order_key'] !== null).map(readKey)
  return database.transaction(
    async (tx) => {
      const rows = await tx.query(dropOrphansSql, [orphaned.map((row) => row['id'])])
      await lineUp(tx, keys)
      return rows.map((row) => ({ id: Number(row['id']), handler: String(row['handler']) }))
    },
    { begin: lockKeys(keys) }
  )
}

/** Sorts by handler in the order of the request, then the longest overdue first. */
function byTurn(one: Row, other: Row): number {
  return Number(one['turn']) - Number(other['turn'])
}

/**
 * The time of the next claim. Every row carries the time when the next delivery falls due. If a limit was reached, or a
 * key was busy, more deliveries may be due already.
 */
function nextDueAt(
  { wants, limit }: ClaimRequest,
  claimed: readonly ClaimedDelivery[],
  someWereBusy: boolean,
  rows: readonly Row[],
  now: number
): Date | undefined {
  const isFull =
    claimed.length === limit ||
    wants.some(
      (want) => want.limit > 0 && claimed.filter(({ handler }) => handler === want.handler).length === want.limit
    )
  if (claimed.length > 0 && isFull) return new Date(now)
  const waitMs = rows[0]?.['wait_ms']
  const next = waitMs === null || waitMs === undefined ? undefined : new Date(now + Number(waitMs))
  // The transaction that holds the key's lock ends soon.
  return someWereBusy && (next === undefined || next.getTime() > now + busyMs) ? new Date(now + busyMs) : next
}

/** Delay before asking again for a delivery whose order key was locked. */
const busyMs = 20

// A running delivery whose lease has run out is claimed like a pending one. The dispatcher decides what to do with it.
export const expiredErrorSql = (row: string): string =>
  `'${leaseRanOut(`' || coalesce(${row}.owner, 'the process') || '`)}'`

/**
 * A delivery as its run will find it: `leaseSql` changes the locked row accordingly. The columns that end in `before`
 * show whether the previous run was lost. That run was counted when it began.
 */
const leasedColumns = (onLoss: string): string => `
  d.id, d.event_seq, d.realm, d.handler, d.order_key, d.token + 1 AS token, d.attempts + ${isNew}::integer AS attempts, d.losses, d.suspicion, ${onLossSql(onLoss)} AS on_loss,
  d.job_id, (SELECT job.given::json ->> 'trace' FROM riverhook.job AS job WHERE job.id = d.job_id) AS replay_trace, d.state AS state_before, d.due_at AS due_before, d.owner AS owner_before`

/** Those of a claimed delivery that are read. What was before the claim is of interest only if a run was lost. */
const givenColumns = `
  due.turn, due.id, due.realm, due.handler, due.order_key, due.token, due.attempts, due.losses, due.suspicion, due.on_loss, due.job_id, due.replay_trace, due.state_before,
  CASE due.state_before WHEN 'running' THEN due.due_before END AS due_before, CASE due.state_before WHEN 'running' THEN due.owner_before END AS owner_before`

const isNew = "(d.state <> 'running')"
const onLossSql = (onLoss: string): string => `CASE WHEN ${isNew} THEN ${onLoss} ELSE d.on_loss END`

/** Leases the rows of `due` that are leasable. They must be locked. */
const leaseSql = (leaseMs: string, owner: string, now: string, onLoss: string): string => `
leased AS (
  UPDATE riverhook.delivery AS d
  SET state = 'running', attempts = d.attempts + ${isNew}::integer, token = d.token + 1, overtakable = false,
      due_at = ${now} + ${leaseMs} * interval '1 millisecond', owner = ${owner}, on_loss = ${onLossSql(onLoss)}
  WHERE d.id = ANY (ARRAY (SELECT id FROM due WHERE leasable))
)`

/** The event of a delivery. */
const eventOf = (condition: string): string => `
  SELECT coalesce(event.whole_id, event.id) AS event_id, event.source, event.headers, event.type, event.endpoint, event.received_at, event.trace, event.body
  FROM riverhook.event AS event WHERE ${condition} LIMIT 1`

/** True if the handler in this column is paused. */
export const isPausedSql = (handler: string): string =>
  `EXISTS (SELECT 1 FROM riverhook.pause WHERE pause.handler = ${handler})`

/** The time of the statement, or the fixed time of a test. */
const timeSql = (parameter: string): string => `coalesce(${parameter}::timestamptz, statement_timestamp())`

const claimSql = `
WITH wanted AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::integer[]) WITH ORDINALITY AS asked (handler, source, room, position)
  WHERE NOT ${isPausedSql('asked.handler')}
), due AS MATERIALIZED (
  SELECT found.*, row_number() OVER (ORDER BY wanted.position, found.due_before, found.id) AS turn
  FROM wanted CROSS JOIN LATERAL (
    SELECT ${leasedColumns("'loss'")}, (d.order_key IS NULL OR d.state = 'running') AND event.source IS NOT NULL AS leasable, event.place
    FROM riverhook.delivery AS d
    LEFT JOIN LATERAL (SELECT event.source, event.ctid AS place FROM riverhook.event AS event WHERE event.seq = d.event_seq LIMIT 1) AS event ON true
    WHERE d.handler = wanted.handler AND ${isClaimable('d')} AND d.due_at <= ${timeSql('$7')}
      AND (d.suspicion = 0 OR d.state = 'running' OR event.source IS NULL)
      AND coalesce(event.source, wanted.source) = wanted.source
    ORDER BY d.due_at, d.id LIMIT wanted.room
    FOR UPDATE OF d SKIP LOCKED) AS found
  ORDER BY wanted.position, found.due_before, found.id LIMIT $4
), ${leaseSql('$5::integer', '$6', timeSql('$7'), "'loss'")}, next AS (
  SELECT ceil(date_part('epoch', min(later.due_at) - ${timeSql('$7')}) * 1000) AS wait_ms
  FROM (SELECT wanted.handler FROM wanted WHERE (SELECT count(*) FROM due) < $4) AS wanted CROSS JOIN LATERAL (
    SELECT d.due_at FROM riverhook.delivery AS d
    WHERE d.handler = wanted.handler AND ${isClaimable('d')} AND d.state = 'pending' AND d.suspicion = 0 AND d.due_at > ${timeSql('$7')}
    ORDER BY d.due_at LIMIT 1) AS later
)
SELECT claimed.*, next.wait_ms
FROM next LEFT JOIN (SELECT ${givenColumns}, event.* FROM due LEFT JOIN LATERAL (${eventOf('event.ctid = due.place')}) AS event ON true) AS claimed ON true
ORDER BY claimed.turn`

const isDue = (alias: string, now: string): string =>
  withoutIndex(`${alias}.state IN ('pending', 'running') AND ${alias}.due_at <= ${now}`)

/**
 * True if an earlier delivery of the key failed and is due again: it is about to rejoin the line. Only the index
 * `delivery_failed` has the order: the planner must not look among all earlier events instead.
 */
const failedBefore = (alias: string, now: string): string =>
  `coalesce((SELECT true FROM riverhook.delivery AS failed
    WHERE failed.handler = ${alias}.handler AND failed.realm = ${alias}.realm AND failed.order_key = ${alias}.order_key AND failed.order_key IS NOT NULL
      AND failed.state = 'pending' AND failed.overtakable AND failed.due_at <= ${now} AND failed.event_seq < ${alias}.event_seq
    ORDER BY failed.due_at LIMIT 1), false)`

// Re-check under the key locks: another replica may have taken the row since the first query. The predicate is repeated
// on `d` because EvalPlanQual re-reads rows that were locked.
const claimKeyedSql = `
WITH due AS MATERIALIZED (
  SELECT ${leasedColumns('$5')}, true AS leasable
  FROM riverhook.delivery AS d
  WHERE d.id = ANY (ARRAY (
      SELECT one.id FROM riverhook.delivery AS one
      WHERE one.id = ANY ($1::bigint[]) AND ${isDue('one', timeSql('$4'))}
        AND NOT ${isPausedSql('one.handler')} AND ${isFirst('one')} AND NOT ${failedBefore('one', timeSql('$4'))}))
    AND ${isDue('d', timeSql('$4'))}
  FOR UPDATE OF d SKIP LOCKED
), ${leaseSql('$2::integer', '$3', timeSql('$4'), '$5')}
SELECT * FROM due CROSS JOIN LATERAL (${eventOf('event.seq = due.event_seq')}) AS event`

const rejoinLineSql = `
UPDATE riverhook.delivery SET overtakable = false WHERE ${withoutIndex("state = 'pending' AND overtakable")} AND id = ANY (ARRAY (
  SELECT failed.id FROM (SELECT DISTINCT handler, realm, order_key FROM unnest($1::text[], $2::text[], $3::text[]) AS given (handler, realm, order_key)) AS key
  CROSS JOIN LATERAL (
    SELECT d.id FROM riverhook.delivery AS d
    WHERE d.handler = key.handler AND d.realm = key.realm AND d.order_key = key.order_key AND d.order_key IS NOT NULL AND d.state = 'pending' AND d.overtakable AND d.due_at <= ${timeSql('$4')}
    ORDER BY d.due_at LIMIT 1000) AS failed))`

const dropOrphansSql = `
WITH gone AS (
  DELETE FROM riverhook.delivery AS d WHERE d.id = ANY ($1::bigint[]) AND NOT EXISTS (SELECT 1 FROM riverhook.event WHERE seq = d.event_seq) RETURNING d.id, d.handler
), attempts AS (
  DELETE FROM riverhook.attempt WHERE delivery_id IN (SELECT id FROM gone)
)
SELECT id, handler FROM gone ORDER BY id`

const suspectsSql = `
SELECT id, handler, suspicion FROM riverhook.delivery AS d
WHERE d.state = 'pending' AND d.suspicion > 0 AND d.due_at <= ${timeSql('$3')} AND d.handler = ANY ($1::text[]) AND NOT ${isPausedSql('d.handler')}
  AND EXISTS (SELECT 1 FROM riverhook.event AS event JOIN unnest($1::text[], $2::text[]) AS known (handler, source) USING (source)
    WHERE event.seq = d.event_seq AND known.handler = d.handler)
ORDER BY d.due_at, d.id LIMIT 100`
