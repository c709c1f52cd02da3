import type { RiverhookError } from '../../model/errors.ts'
import type { Outcome } from '../../model/event.ts'
import type { Lease, OnLoss, Settlement, SettleResult } from '../inbox.ts'
import type { Times } from './claim.ts'
import { durable, type Database, type Row, type Session } from './database.ts'
import { readKey, lockKeys, lineUp, type OrderKey } from './order.ts'
import { inParts } from './parts.ts'
import { addCountsSql, minuteSql } from './tally.ts'

interface Settled {
  readonly results: readonly (SettleResult | RiverhookError)[]
  /** True if a delivery may have become due. */
  readonly due: boolean
}

/**
 * Stores the outcomes of attempts. Errors are handled as in `inParts`.
 * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE if the database is unavailable
 */
export async function settle(database: Database, settlements: readonly Settlement[], times: Times): Promise<Settled> {
  let due = false
  const results = await inParts(settlements, async (part) => {
    const settled = await settleAll(database, part, times)
    due ||= settled.due
    return settled.results
  })
  return { results, due }
}

/** Uses one statement, or a transaction of several if deliveries have order keys. */
async function settleAll(
  database: Database,
  settlements: readonly Settlement[],
  times: Times
): Promise<Settled & { readonly results: readonly SettleResult[] }> {
  const keys = await readKeys(database, settlements)
  const due = keys.length > 0 || settlements.some(({ outcome }) => outcome.state === 'released')
  if (keys.length === 0) return { results: await settleIn(database, settlements, times), due }
  const results = await database.transaction(
    async (tx) => {
      const settled = await settleIn(tx, settlements, times)
      await lineUp(tx, keys)
      return settled
    },
    { begin: lockKeys(keys) }
  )
  return { results, due }
}

/** Reads the order keys of deliveries. A delivery's key never changes, so it can be read before the key is locked. */
async function readKeys(session: Session, leases: readonly Lease[]): Promise<readonly OrderKey[]> {
  const rows = await session.query(keysSql, [leases.map(({ id }) => id)])
  return rows.map(readKey)
}

/** Stores outcomes. The caller must hold the locks of the order keys, and call `lineUp` afterwards. */
export async function settleIn(
  session: Session,
  settlements: readonly Settlement[],
  { now, fixed }: Times
): Promise<readonly SettleResult[]> {
  const rows = await session.query(settleSql, [
    settlements.map(({ id }) => id),
    settlements.map(({ token }) => token),
    settlements.map(({ outcome }) => outcome.state),
    settlements.map(({ outcome }) => ('dueAt' in outcome ? outcome.dueAt.getTime() - now : 0)),
    settlements.map(({ outcome }) => 'releaseKey' in outcome && outcome.releaseKey),
    settlements.map(({ outcome }) => errorText(outcome)),
    settlements.map(({ startedAt }) => startedAt),
    settlements.map(({ endedAt }) => endedAt),
    fixed ?? null,
    settlements.map(({ outcome }) => outcome.state === 'lost' && !outcome.counts)
  ])
  const settled = new Set(rows.map((row) => Number(row['position'])))
  return settlements.map((_settlement, index) => (settled.has(index + 1) ? 'settled' : 'stale'))
}

function errorText(outcome: Outcome): string | null {
  return 'error' in outcome ? outcome.error : null
}

/**
 * Extends leases.
 * @returns the ids of the deliveries whose lease was no longer held
 */
export async function extend(
  session: Session,
  leases: readonly Lease[],
  leaseMs: number,
  onLoss: OnLoss | undefined,
  fixed: Date | undefined
): Promise<readonly number[]> {
  const rows = await session.query(extendSql, [
    leases.map(({ id }) => id),
    leases.map(({ token }) => token),
    leaseMs,
    fixed ?? null,
    onLoss ?? null
  ])
  const held = new Set(rows.map((row: Row) => Number(row['position'])))
  return leases.filter((_lease, index) => !held.has(index + 1)).map(({ id }) => id)
}

const keysSql =
  'SELECT DISTINCT handler, realm, order_key FROM riverhook.delivery WHERE id = ANY ($1::bigint[]) AND order_key IS NOT NULL'

/** Locks rows in order of their ids, so that two statements over the same deliveries do not deadlock. */
const heldSql = (columns: string, from: string): string => `
WITH held AS MATERIALIZED (
  SELECT d.id, given.*
  FROM ${from} JOIN riverhook.delivery AS d ON d.id = given.delivery_id AND d.token = given.lease_token AND d.state = 'running'
  ORDER BY d.id FOR UPDATE OF d
)${columns}`

/** See `attemptMs`. */
const attemptMsSql =
  "CASE outcome WHEN 'lost' THEN 0 ELSE greatest(0, round(extract(epoch FROM ended_at - started_at) * 1000))::bigint END"

const settleSql = heldSql(
  `, settled AS (
  UPDATE riverhook.delivery AS d SET
    state = CASE WHEN held.outcome IN ('retry', 'lost', 'released') THEN 'pending' ELSE held.outcome END,
    owner = NULL,
    losses = d.losses + held.is_loss::integer,
    suspicion = CASE held.outcome WHEN 'lost' THEN d.suspicion + 1 WHEN 'retry' THEN 0 ELSE d.suspicion END,
    due_at = CASE WHEN held.outcome IN ('retry', 'lost', 'released', 'parked')
      THEN coalesce($9::timestamptz, statement_timestamp()) + held.wait_ms * interval '1 millisecond' ELSE d.due_at END,
    attempts = d.attempts - (held.outcome IN ('released', 'parked'))::integer,
    overtakable = CASE WHEN held.outcome IN ('retry', 'lost') THEN held.overtakable ELSE d.overtakable END,
    started_at = CASE WHEN held.outcome IN ('done', 'dead') THEN held.started_at ELSE d.started_at END,
    settled_at = CASE WHEN held.outcome IN ('done', 'dead') THEN held.ended_at ELSE d.settled_at END,
    last_error = coalesce(held.error, d.last_error)
  FROM held WHERE d.id = held.id
  RETURNING held.position, d.id, d.handler, d.attempts + (held.outcome IN ('released', 'parked'))::integer AS attempt, held.outcome, held.started_at, held.ended_at, held.error
), logged AS (
  INSERT INTO riverhook.attempt (delivery_id, attempt, state, started_at, ended_at, error)
  SELECT id, attempt, outcome, started_at, ended_at, error FROM settled WHERE outcome <> 'done' ORDER BY position
), counted AS (${addCountsSql(`
  SELECT 'attempt', ${minuteSql('$9')}, handler, outcome, count(*), sum(ms), max(ms)
  FROM (SELECT handler, outcome, ${attemptMsSql} AS ms FROM settled) AS ended GROUP BY handler, outcome`)}
)
SELECT position::integer, ${durable} FROM settled`,
  `unnest($1::bigint[], $2::bigint[], $3::text[], $4::float8[], $5::boolean[], $6::text[], $7::timestamptz[], $8::timestamptz[], $10::boolean[])
    WITH ORDINALITY AS given (delivery_id, lease_token, outcome, wait_ms, overtakable, error, started_at, ended_at, is_loss, position)`
)

const extendSql = heldSql(
  `
UPDATE riverhook.delivery AS d SET due_at = coalesce($4::timestamptz, statement_timestamp()) + $3::integer * interval '1 millisecond', on_loss = coalesce($5, d.on_loss)
FROM held WHERE d.id = held.id
RETURNING held.position::integer`,
  'unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS given (delivery_id, lease_token, position)'
)
