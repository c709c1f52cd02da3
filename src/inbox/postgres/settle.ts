import type { RiverhookError } from '../../model/errors.ts'
import type { Outcome } from '../../model/event.ts'
import type { Lease, OnLoss, OrderKey, Settlement, SettleResult } from '../inbox.ts'
import type { Times } from './claim.ts'
import { durable, type Database, type Row, type Session } from './database.ts'
import { readKey, lockKeys, lineUp } from './order.ts'
import { inParts } from './parts.ts'
import { withoutIndex } from './plan.ts'
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
  const given = await addOrderKeys(database, settlements)
  const keys = given.flatMap(({ orderKey }) => orderKey ?? [])
  const due = keys.length > 0 || given.some(({ outcome }) => outcome.state === 'released')
  if (keys.length === 0) {
    const areDone = given.every(({ outcome }) => outcome.state === 'done')
    return { results: await (areDone ? settleDone : settleIn)(database, given, times), due }
  }
  const results = await database.transaction(
    async (tx) => {
      const settled = await settleIn(tx, given, times)
      await lineUp(tx, keys)
      return settled
    },
    { begin: lockKeys(keys) }
  )
  return { results, due }
}

type KeyedSettlement = Settlement & { readonly orderKey: OrderKey | null }

/** Reads the order keys that are not given. A delivery's key never changes, so it can be read before it is locked. */
async function addOrderKeys(session: Session, settlements: readonly Settlement[]): Promise<readonly KeyedSettlement[]> {
  const unknown = settlements.filter(({ orderKey }) => orderKey === undefined)
  const rows = unknown.length === 0 ? [] : await session.query(keysSql, [unknown.map(({ id }) => id)])
  const found = new Map(rows.map((row) => [Number(row['id']), readKey(row)]))
  return settlements.map((settlement) => ({
    ...settlement,
    orderKey: settlement.orderKey === undefined ? (found.get(settlement.id) ?? null) : settlement.orderKey
  }))
}

/** Stores that attempts succeeded, of deliveries without an order key. */
async function settleDone(
  session: Session,
  settlements: readonly Settlement[],
  { fixed }: Times
): Promise<readonly SettleResult[]> {
  const given = latestById(settlements)
  const rows = await session.query(settleDoneSql, [
    given.map(({ id }) => id),
    given.map(({ token }) => token),
    given.map(({ startedAt }) => startedAt),
    given.map(({ endedAt }) => endedAt),
    fixed ?? null
  ])
  const held = heldOf(given, rows)
  return settlements.map((settlement) => (held.has(settlement) ? 'settled' : 'stale'))
}

/** The leases with the highest token of each delivery, sorted by its id. The others have ended. */
function latestById<Each extends Lease>(leases: readonly Each[]): readonly Each[] {
  return leases
    .toSorted((one, other) => one.id - other.id || other.token - one.token)
    .filter(({ id }, index, sorted) => id !== sorted[index - 1]?.id)
}

/** The leases whose deliveries are in these rows. */
function heldOf<Each extends Lease>(leases: readonly Each[], rows: readonly Row[]): ReadonlySet<Each> {
  const ids = new Set(rows.map((row) => Number(row['id'])))
  return new Set(leases.filter(({ id }) => ids.has(id)))
}

/** Stores outcomes. The caller must hold the locks of the order keys, and call `lineUp` afterwards. */
export async function settleIn(
  session: Session,
  settlements: readonly KeyedSettlement[],
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
    settlements.map(({ outcome }) => outcome.state === 'lost' && !outcome.counts),
    settlements.map(({ orderKey }) => orderKey?.orderKey ?? null)
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
  const given = latestById(leases)
  const rows = await session.query(extendSql, [
    given.map(({ id }) => id),
    given.map(({ token }) => token),
    leaseMs,
    fixed ?? null,
    onLoss ?? null
  ])
  const held = heldOf(given, rows)
  return leases.filter((lease) => !held.has(lease)).map(({ id }) => id)
}

const keysSql =
  'SELECT id, handler, realm, order_key FROM riverhook.delivery WHERE id = ANY ($1::bigint[]) AND order_key IS NOT NULL'

/** The position of a delivery in the sorted list of ids `$1`. */
const position = 'width_bucket(d.id, $1::bigint[])'

const isRunning = withoutIndex("d.state = 'running'")

/** True for the deliveries of the sorted list of ids `$1` whose lease has its token in the list `$2`. */
const isHeld = `d.id = ANY ($1::bigint[]) AND d.token = ($2::bigint[])[${position}] AND ${isRunning}`

/** See `attemptMs`. */
const attemptMsSql =
  "CASE outcome WHEN 'lost' THEN 0 ELSE greatest(0, round(extract(epoch FROM ended_at - started_at) * 1000))::bigint END"

const countAttemptsSql = (ended: string, fixed: string): string =>
  addCountsSql(`
  SELECT 'attempt', ${minuteSql(fixed)}, handler, outcome, count(*), sum(ms), max(ms)
  FROM (SELECT handler, outcome, ${attemptMsSql} AS ms FROM ${ended}) AS ended GROUP BY handler, outcome`)

const settleDoneSql = `
WITH settled AS (
  UPDATE riverhook.delivery AS d
  SET state = 'done', owner = NULL, started_at = ($3::timestamptz[])[${position}], settled_at = ($4::timestamptz[])[${position}]
  WHERE ${isHeld} AND d.order_key IS NULL
  RETURNING d.id, d.handler, 'done' AS outcome, d.started_at, d.settled_at AS ended_at
), counted AS (${countAttemptsSql('settled', '$5')}
)
SELECT id, ${durable} FROM settled`

/** Locks the rows in order of their ids, so that two statements over the same deliveries do not deadlock. */
const settleSql = `
WITH held AS MATERIALIZED (
  SELECT d.id, given.*
  FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::float8[], $5::boolean[], $6::text[], $7::timestamptz[], $8::timestamptz[], $10::boolean[], $11::text[])
      WITH ORDINALITY AS each (delivery_id, lease_token, outcome, wait_ms, overtakable, error, started_at, ended_at, is_loss, order_key, position)
    ORDER BY delivery_id) AS given
  CROSS JOIN LATERAL (
    SELECT d.id FROM riverhook.delivery AS d
    WHERE d.id = given.delivery_id AND d.token = given.lease_token AND ${isRunning} AND d.order_key IS NOT DISTINCT FROM given.order_key
    LIMIT 1 FOR UPDATE) AS d
), settled AS (
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
  FROM held WHERE d.id = held.id AND d.id = ANY (ARRAY (SELECT id FROM held))
  RETURNING held.position, d.id, d.handler, d.attempts + (held.outcome IN ('released', 'parked'))::integer AS attempt, held.outcome, held.started_at, held.ended_at, held.error
), logged AS (
  INSERT INTO riverhook.attempt (delivery_id, attempt, state, started_at, ended_at, error)
  SELECT id, attempt, outcome, started_at, ended_at, error FROM settled WHERE outcome <> 'done' ORDER BY position
), counted AS (${countAttemptsSql('settled', '$9')}
)
SELECT position::integer, ${durable} FROM settled`

const extendSql = `
UPDATE riverhook.delivery AS d SET due_at = coalesce($4::timestamptz, statement_timestamp()) + $3::integer * interval '1 millisecond', on_loss = coalesce($5, d.on_loss)
WHERE ${isHeld}
RETURNING d.id`
