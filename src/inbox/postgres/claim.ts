import type { Claim, ClaimedDelivery, ClaimRequest } from '../inbox.ts'
import { leaseRanOut } from '../inbox.ts'
import type { Database, Row, Transaction } from './database.ts'
import { isIdle, tryLockKeys, type OrderKey } from './order-keys.ts'

/** How the times of the database are told in this process's time. */
export interface Times {
  /** This process's, in milliseconds since the epoch. */
  readonly now: number
  /** Stands for the database's; given by tests. */
  readonly fixed: Date | undefined
}

/**
 * Gives out what is due. Deliveries without an order key are leased by the one statement that finds them. Those with one are found by it,
 * and leased by a second transaction, under the locks of their keys.
 */
export async function claim(database: Database, request: ClaimRequest, { now, fixed }: Times): Promise<Claim> {
  const { owner, leaseMs, wants, limit } = request
  const rows = await database.query(claimSql, [wants.map(({ handler }) => handler), wants.map((want) => Math.min(want.limit, limit)), limit, leaseMs, owner, fixed ?? null])
  const found = rows.filter((row) => row['id'] !== null)
  const keyed = found.filter((row) => row['order_key'] !== null)
  const leased = keyed.length === 0 ? [] : await claimKeyed(database, request, keyed, fixed)
  const deliveries = [...found.filter((row) => row['order_key'] === null), ...leased].sort(byTurn).map(claimedOf)
  return { deliveries, nextDueAt: nextDueAt(request, deliveries, keyed.length > leased.length, rows, now) }
}

function claimKeyed(database: Database, { owner, leaseMs }: ClaimRequest, found: readonly Row[], fixed: Date | undefined): Promise<readonly Row[]> {
  return database.transaction(async (tx: Transaction) => {
    const free = await tryLockKeys(tx, found.map(keyOf))
    const chosen = found.filter((_row, index) => free[index])
    if (chosen.length === 0) return []
    const rows = await tx.query(claimKeyedSql, [chosen.map((row) => row['id']), leaseMs, owner, fixed ?? null])
    const turns = new Map(chosen.map((row) => [row['id'], row]))
    return rows.map((row) => ({ ...turns.get(row['id']), ...row }))
  })
}

function keyOf(row: Row): OrderKey {
  return { handler: String(row['handler']), orderKey: String(row['order_key']) }
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
    takenOverFrom: (row['owner_before'] as string | null) ?? undefined,
    event: {
      id: String(row['event_id']),
      type: String(row['type']),
      endpoint: String(row['endpoint']),
      receivedAt: row['received_at'] as Date,
      body: row['body'] as Buffer
    }
  }
}

/** Every row tells when the next one falls due; where the room is filled, or a key was busy, there may be more at once. */
function nextDueAt({ wants, limit }: ClaimRequest, claimed: readonly ClaimedDelivery[], someWereBusy: boolean, rows: readonly Row[], now: number): Date | undefined {
  const isFull = claimed.length === limit || wants.some((want) => want.limit > 0 && claimed.filter(({ handler }) => handler === want.handler).length === want.limit)
  if (claimed.length > 0 && isFull) return new Date(now)
  const waitMs = rows[0]?.['wait_ms']
  const next = waitMs === null || waitMs === undefined ? undefined : new Date(now + Number(waitMs))
  // Whoever has the key ends its transaction in a moment.
  return someWereBusy && (next === undefined || next.getTime() > now + busyMs) ? new Date(now + busyMs) : next
}

const busyMs = 20

// A running delivery whose lease has run out is due like a pending one: its attempt is over, and stays counted.
export const expiredErrorOf = (row: string): string => `'${leaseRanOut(`' || coalesce(${row}.owner, 'the process') || '`)}'`

/** Leases the rows of `due` (id, state, attempts, due_at, owner), notes the attempts that had expired, and gives back what a handler's run needs. */
const leaseSql = (leaseMs: string, owner: string, now: string): string => `
expired AS (
  INSERT INTO riverhook.attempt (delivery_id, attempt, state, started_at, ended_at, error)
  SELECT id, attempts, 'expired', due_at, ${now}, ${expiredErrorOf('due')} FROM due WHERE state = 'running' AND leasable ORDER BY id
), leased AS (
  UPDATE riverhook.delivery AS d
  SET state = 'running', attempts = d.attempts + 1, token = d.token + 1, due_at = ${now} + ${leaseMs} * interval '1 millisecond', owner = ${owner},
      overtakable = d.overtakable AND due.state <> 'running', last_error = CASE WHEN due.state = 'running' THEN ${expiredErrorOf('due')} ELSE d.last_error END
  FROM due WHERE d.id = due.id AND due.leasable
  RETURNING d.id, d.token, d.attempts
)`

const eventColumns = 'coalesce(event.whole_id, event.id) AS event_id, event.type, event.endpoint, event.received_at, event.body'

const ownerBefore = "CASE WHEN due.state = 'running' THEN due.owner END AS owner_before"

const at = (parameter: string): string => `coalesce(${parameter}::timestamptz, statement_timestamp())`

const claimSql = `
WITH wanted AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS asked (handler, room, position)
), due AS MATERIALIZED (
  SELECT found.*, found.order_key IS NULL AS leasable, row_number() OVER (ORDER BY wanted.position, found.due_at, found.id) AS turn
  FROM wanted CROSS JOIN LATERAL (
    SELECT d.id, d.event_seq, d.handler, d.state, d.attempts, d.due_at, d.order_key, d.owner
    FROM riverhook.delivery AS d
    WHERE d.handler = wanted.handler AND d.state IN ('pending', 'running') AND d.due_at <= ${at('$6')}
      AND (d.order_key IS NULL OR ${isIdle('d')})
    ORDER BY d.due_at, d.id LIMIT wanted.room
    FOR UPDATE OF d SKIP LOCKED) AS found
  ORDER BY wanted.position, found.due_at, found.id LIMIT $3
), ${leaseSql('$4::integer', '$5', at('$6'))}, next AS (
  SELECT min(later.due_at) AS due_at
  FROM wanted CROSS JOIN LATERAL (
    SELECT d.due_at FROM riverhook.delivery AS d
    WHERE d.handler = wanted.handler AND d.state IN ('pending', 'running') AND d.state = 'pending' AND d.due_at > ${at('$6')}
    ORDER BY d.due_at LIMIT 1) AS later
)
SELECT due.id, leased.token, leased.attempts, due.handler, due.order_key, due.turn, ${ownerBefore}, ${eventColumns},
       ceil(extract(epoch FROM next.due_at - ${at('$6')}) * 1000)::float8 AS wait_ms
FROM next LEFT JOIN (due JOIN riverhook.event AS event ON event.seq = due.event_seq LEFT JOIN leased ON leased.id = due.id) ON true
ORDER BY due.turn`

// Seen anew, and under the locks of the keys: what the first statement found may have been taken meanwhile. State and time are asked of the
// row itself too, which is read again where another transaction had it.
const claimKeyedSql = `
WITH due AS MATERIALIZED (
  SELECT d.id, d.event_seq, d.state, d.attempts, d.due_at, d.owner, true AS leasable
  FROM riverhook.delivery AS d
  WHERE d.id IN (
      SELECT DISTINCT ON (one.handler, one.order_key) one.id FROM riverhook.delivery AS one
      WHERE one.id = ANY ($1::bigint[]) AND one.state IN ('pending', 'running') AND one.due_at <= ${at('$4')}
      ORDER BY one.handler, one.order_key, one.due_at, one.id)
    AND d.state IN ('pending', 'running') AND d.due_at <= ${at('$4')} AND ${isIdle('d')}
  FOR UPDATE OF d SKIP LOCKED
), ${leaseSql('$2::integer', '$3', at('$4'))}
SELECT due.id, leased.token, leased.attempts, ${ownerBefore}, ${eventColumns}
FROM leased JOIN due ON due.id = leased.id JOIN riverhook.event AS event ON event.seq = due.event_seq`
