import type {
  Claim,
  ClaimedDelivery,
  ClaimRequest,
  ClaimSuspectsRequest,
  HandlerName,
  LostRun,
  OnLoss,
  Orphan,
  Suspect
} from '../inbox.ts'
import { leaseRanOut } from '../inbox.ts'
import type { Database, Row, Transaction } from './database.ts'
import { columnsOf, isFirst, keyOf, lineUp, lockKeys, tryLockKeys } from './order.ts'
import { headersOf } from './storable.ts'

/** How the times of the database are told in this process's time. */
export interface Times {
  /** This process's, in milliseconds since the epoch. */
  readonly now: number
  /** Stands for the database's; given by tests. */
  readonly fixed: Date | undefined
}

/**
 * Gives out what is due. Deliveries without an order key are leased by the one statement that finds them. Those with
 * one are found by it, and leased by a second transaction, under the locks of their keys.
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
  const lost = found.filter((row) => row['event_id'] === null)
  const there = found.filter((row) => row['event_id'] !== null)
  const keyed = there.filter(needsKey)
  const { leased, passedOver, areBusy } =
    keyed.length === 0 ? nothingKeyed : await claimKeyed(database, { ...request, onLoss: 'loss' }, keyed, fixed)
  const deliveries = [...there.filter((row) => !needsKey(row)), ...leased].sort(byTurn).map(claimedOf)
  const orphans = lost.length === 0 ? [] : await dropOrphans(database, lost)
  return {
    deliveries,
    nextDueAt: passedOver + lost.length > 0 ? new Date(now) : nextDueAt(request, deliveries, areBusy, rows, now),
    ...(orphans.length > 0 && { orphans })
  }
}

/** A lost run has its place in the line still. */
function needsKey(row: Row): boolean {
  return row['order_key'] !== null && row['state_before'] !== 'running'
}

/** The suspects of these handlers that are due. */
export async function suspects(
  database: Database,
  handlers: readonly HandlerName[],
  { fixed }: Times
): Promise<readonly Suspect[]> {
  const rows = await database.query(suspectsSql, [
    handlers.map(({ name }) => name),
    handlers.map(({ source }) => source),
    fixed ?? null
  ])
  return rows.map((row) => ({
    id: Number(row['id']),
    handler: String(row['handler']),
    suspicion: Number(row['suspicion'])
  }))
}

/** Gives out these deliveries, where they are still due and first in the lines of their keys. */
export async function claimSuspects(
  database: Database,
  request: ClaimSuspectsRequest,
  { fixed }: Times
): Promise<readonly ClaimedDelivery[]> {
  const found = await database.query(
    "SELECT id, handler, realm, order_key FROM riverhook.delivery WHERE id = ANY ($1::bigint[]) AND state = 'pending'",
    [request.ids]
  )
  const { leased } = found.length === 0 ? nothingKeyed : await claimKeyed(database, request, found, fixed)
  return leased.map(claimedOf)
}

type Terms = Omit<ClaimSuspectsRequest, 'ids'>

interface Keyed {
  readonly leased: readonly Row[]
  /** How many wait in their line from now on. */
  readonly passedOver: number
  /** Somebody else decides about some of the keys at the moment. */
  readonly areBusy: boolean
}

const nothingKeyed: Keyed = { leased: [], passedOver: 0, areBusy: false }

function claimKeyed(
  database: Database,
  { owner, leaseMs, onLoss }: Terms,
  found: readonly Row[],
  fixed: Date | undefined
): Promise<Keyed> {
  return database.transaction(async (tx: Transaction) => {
    const keyed = found.filter(needsKey)
    const free = keyed.length === 0 ? [] : await tryLockKeys(tx, keyed.map(keyOf))
    const busy = new Set(keyed.filter((_row, index) => free[index] !== true))
    const chosen = found.filter((row) => !busy.has(row))
    const areBusy = busy.size > 0
    if (chosen.length === 0) return { ...nothingKeyed, areBusy }
    const rows = await tx.query(claimKeyedSql, [chosen.map((row) => row['id']), leaseMs, owner, fixed ?? null, onLoss])
    const turns = new Map(chosen.map((row) => [row['id'], row]))
    const leased = rows.map((row) => ({ ...turns.get(row['id']), ...row }))
    for (const row of rows) turns.delete(row['id'])
    const passedOver = [...turns.values()].filter(needsKey)
    if (passedOver.length > 0) await getInLine(tx, passedOver, fixed)
    return { leased, passedOver: passedOver.length, areBusy }
  })
}

/** One that failed and is due again takes its place in the line. */
async function getInLine(tx: Transaction, rows: readonly Row[], fixed: Date | undefined): Promise<void> {
  const keys = rows.map(keyOf)
  await tx.query(getInLineSql, [...columnsOf(keys), fixed ?? null])
  await lineUp(tx, keys)
}

/** Their events were deleted by hand: there is nothing to run, and others of their keys must not wait for them. */
async function dropOrphans(database: Database, lost: readonly Row[]): Promise<readonly Orphan[]> {
  const keys = lost.filter((row) => row['order_key'] !== null).map(keyOf)
  return database.transaction(
    async (tx) => {
      const rows = await tx.query(dropOrphansSql, [lost.map((row) => row['id'])])
      await lineUp(tx, keys)
      return rows.map((row) => ({ id: Number(row['id']), handler: String(row['handler']) }))
    },
    { begin: lockKeys(keys) }
  )
}

/** By handler in the order asked, the longest due first. */
function byTurn(one: Row, other: Row): number {
  return Number(one['turn']) - Number(other['turn'])
}

function claimedOf(row: Row): ClaimedDelivery {
  return {
    id: Number(row['id']),
    token: Number(row['token']),
    handler: String(row['handler']),
    orderKey: (row['order_key'] as string | null) ?? undefined,
    attempt: Number(row['attempts']),
    losses: Number(row['losses']),
    suspicion: Number(row['suspicion']),
    lost: lostRunOf(row),
    event: {
      realm: String(row['realm']),
      id: String(row['event_id']),
      source: String(row['source']),
      type: String(row['type']),
      headers: headersOf(row['headers']),
      endpoint: String(row['endpoint']),
      receivedAt: row['received_at'] as Date,
      body: row['body'] as Buffer
    }
  }
}

function lostRunOf(row: Row): LostRun | undefined {
  if (row['state_before'] !== 'running') return undefined
  return {
    owner: (row['owner_before'] as string | null) ?? undefined,
    at: row['due_before'] as Date,
    onLoss: row['on_loss'] as OnLoss
  }
}

/**
 * Every row tells when the next one falls due; where the room is filled, or a key was busy, there may be more at once.
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
  // Whoever has the key ends its transaction in a moment.
  return someWereBusy && (next === undefined || next.getTime() > now + busyMs) ? new Date(now + busyMs) : next
}

const busyMs = 20

// A running delivery whose lease has run out is given out like a pending one, and its claimer decides what becomes of
// it.
export const expiredErrorOf = (row: string): string =>
  `'${leaseRanOut(`' || coalesce(${row}.owner, 'the process') || '`)}'`

/** Leases the rows of `due` (id, state, due_at, owner). The attempt of a lost run was counted when it began. */
const leaseSql = (leaseMs: string, owner: string, now: string, onLoss: string): string => `
leased AS (
  UPDATE riverhook.delivery AS d
  SET state = 'running', attempts = d.attempts + (due.state <> 'running')::integer, token = d.token + 1, overtakable = false,
      due_at = ${now} + ${leaseMs} * interval '1 millisecond', owner = ${owner},
      on_loss = CASE WHEN due.state = 'running' THEN d.on_loss ELSE ${onLoss} END
  FROM due WHERE d.id = due.id AND due.leasable
  RETURNING d.id, d.token, d.attempts, d.losses, d.suspicion, d.on_loss
)`

/** What tells whether the run before was lost, and what a handler's run needs. */
const leasedColumns =
  'leased.token, leased.attempts, leased.losses, leased.suspicion, leased.on_loss, due.state AS state_before, due.due_at AS due_before, due.owner AS owner_before'

const eventColumns =
  'coalesce(event.whole_id, event.id) AS event_id, event.source, event.headers, event.type, event.endpoint, event.received_at, event.body'

const at = (parameter: string): string => `coalesce(${parameter}::timestamptz, statement_timestamp())`

const claimSql = `
WITH wanted AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::integer[]) WITH ORDINALITY AS asked (handler, source, room, position)
), due AS MATERIALIZED (
  SELECT found.*, (found.order_key IS NULL OR found.state = 'running') AND found.event_seq IN (SELECT seq FROM riverhook.event WHERE seq = found.event_seq) AS leasable, row_number() OVER (ORDER BY wanted.position, found.due_at, found.id) AS turn
  FROM wanted CROSS JOIN LATERAL (
    SELECT d.id, d.event_seq, d.realm, d.handler, d.state, d.due_at, d.order_key, d.owner
    FROM riverhook.delivery AS d
    WHERE d.handler = wanted.handler AND d.state IN ('pending', 'running') AND d.due_at <= ${at('$7')}
      AND (d.suspicion = 0 OR d.state = 'running' OR (SELECT true FROM riverhook.event WHERE seq = d.event_seq) IS NULL)
      AND coalesce((SELECT source FROM riverhook.event WHERE seq = d.event_seq), wanted.source) = wanted.source
    ORDER BY d.due_at, d.id LIMIT wanted.room
    FOR UPDATE OF d SKIP LOCKED) AS found
  ORDER BY wanted.position, found.due_at, found.id LIMIT $4
), ${leaseSql('$5::integer', '$6', at('$7'), "'loss'")}, next AS (
  SELECT min(later.due_at) AS due_at
  FROM wanted CROSS JOIN LATERAL (
    SELECT d.due_at FROM riverhook.delivery AS d
    WHERE d.handler = wanted.handler AND d.state IN ('pending', 'running') AND d.state = 'pending' AND d.suspicion = 0 AND d.due_at > ${at('$7')}
    ORDER BY d.due_at LIMIT 1) AS later
)
SELECT due.id, ${leasedColumns}, due.realm, due.handler, due.order_key, due.turn, ${eventColumns},
       ceil(extract(epoch FROM next.due_at - ${at('$7')}) * 1000)::float8 AS wait_ms
FROM next LEFT JOIN (due LEFT JOIN riverhook.event AS event ON event.seq = due.event_seq LEFT JOIN leased ON leased.id = due.id) ON true
ORDER BY due.turn`

/** A failed delivery of the key that is due again: it is about to get in line. */
const failedBefore = (alias: string, now: string): string =>
  `coalesce((SELECT true FROM riverhook.delivery AS failed
    WHERE failed.handler = ${alias}.handler AND failed.realm = ${alias}.realm AND failed.order_key = ${alias}.order_key AND failed.order_key IS NOT NULL
      AND failed.state = 'pending' AND failed.overtakable AND failed.due_at <= ${now} AND failed.event_seq < ${alias}.event_seq LIMIT 1), false)`

// Seen anew, and under the locks of the keys: what the first statement found may have been taken meanwhile. State and
// time are asked of the row itself too, which is read again where another transaction had it.
const claimKeyedSql = `
WITH due AS MATERIALIZED (
  SELECT d.id, d.event_seq, d.realm, d.handler, d.order_key, d.state, d.due_at, d.owner, true AS leasable
  FROM riverhook.delivery AS d
  WHERE d.id IN (
      SELECT one.id FROM riverhook.delivery AS one
      WHERE one.id = ANY ($1::bigint[]) AND one.state IN ('pending', 'running') AND one.due_at <= ${at('$4')}
        AND ${isFirst('one')} AND NOT ${failedBefore('one', at('$4'))})
    AND d.state IN ('pending', 'running') AND d.due_at <= ${at('$4')}
  FOR UPDATE OF d SKIP LOCKED
), ${leaseSql('$2::integer', '$3', at('$4'), '$5')}
SELECT due.id, ${leasedColumns}, due.realm, due.handler, due.order_key, ${eventColumns}
FROM leased JOIN due ON due.id = leased.id JOIN riverhook.event AS event ON event.seq = due.event_seq`

const getInLineSql = `
UPDATE riverhook.delivery SET overtakable = false WHERE state = 'pending' AND overtakable AND id = ANY (ARRAY (
  SELECT failed.id FROM (SELECT DISTINCT handler, realm, order_key FROM unnest($1::text[], $2::text[], $3::text[]) AS given (handler, realm, order_key)) AS key
  CROSS JOIN LATERAL (
    SELECT d.id FROM riverhook.delivery AS d
    WHERE d.handler = key.handler AND d.realm = key.realm AND d.order_key = key.order_key AND d.order_key IS NOT NULL AND d.state = 'pending' AND d.overtakable AND d.due_at <= ${at('$4')}
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
WHERE d.state = 'pending' AND d.suspicion > 0 AND d.due_at <= ${at('$3')} AND d.handler = ANY ($1::text[])
  AND EXISTS (SELECT 1 FROM riverhook.event AS event JOIN unnest($1::text[], $2::text[]) AS known (handler, source) USING (source)
    WHERE event.seq = d.event_seq AND known.handler = d.handler)
ORDER BY d.due_at, d.id LIMIT 100`
