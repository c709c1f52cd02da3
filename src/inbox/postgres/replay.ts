import type { Act } from '../../model/audit.ts'
import type { RiverhookError } from '../../model/errors.ts'
import { replayResult } from '../act-results.ts'
import type { JobReplayResult, OrderKey, ReplayResult, ReplayTarget } from '../inbox.ts'
import { writeAudit } from './audit.ts'
import type { Times } from './claim.ts'
import type { Database, Row, Transaction } from './database.ts'
import { storeHandledSql } from './kinds.ts'
import { lockKeys, lineUp } from './order.ts'
import { inParts } from './parts.ts'
import { indexed } from './storable.ts'

/** Makes deliveries due again, and creates missing ones, in one transaction. Errors are handled as in `inParts`. */
export async function replay(
  database: Database,
  targets: readonly ReplayTarget[],
  act: Act | undefined,
  times: Times
): Promise<readonly (ReplayResult | RiverhookError)[]> {
  const results = await replayFor(database, targets, times, {
    end: (tx, part) => writeAudit(tx, act, replayResult(part), times.fixed)
  })
  return results as readonly (ReplayResult | RiverhookError)[]
}

/**
 * The reason for a replay. Both functions are called in its transaction: in that of each part, if there are several.
 */
export interface ReplayReason {
  /** A job, which replays each delivery once. */
  readonly jobId?: number
  /** @returns false to replay nothing */
  readonly begin?: (tx: Transaction) => Promise<boolean>
  readonly end: (tx: Transaction, results: readonly JobReplayResult[]) => Promise<void>
}

/** Replays as `replay` does. */
export function replayFor(
  database: Database,
  targets: readonly ReplayTarget[],
  times: Times,
  reason: ReplayReason
): Promise<readonly (JobReplayResult | RiverhookError)[]> {
  return inParts(targets, (part) => replayAll(database, part, times, reason))
}

async function replayAll(
  database: Database,
  given: readonly ReplayTarget[],
  { fixed }: Times,
  { jobId, begin, end }: ReplayReason
): Promise<readonly JobReplayResult[]> {
  const targets = given.map((target) => ({
    ...target,
    ...(target.orderKey === undefined ? {} : { orderKey: indexed(target.orderKey) })
  }))
  const names = [...eventColumns(targets), targets.map(({ handler }) => handler)]
  const how = [targets.map(({ unlessDone = false }) => unlessDone), targets.map(({ dueInMs = 0 }) => dueInMs)]
  const existing = await database.query(keysSql, names)
  // An existing delivery keeps its order key. A new one gets the target's.
  const keys = targets.flatMap(({ event, handler, orderKey }, index): OrderKey[] => {
    const own = existing[index]?.['order_key'] as string | null | undefined
    const key = own ?? orderKey
    return key === undefined ? [] : [{ handler, realm: indexed(event.realm), orderKey: key }]
  })
  return database.transaction(
    async (tx) => {
      if ((await begin?.(tx)) === false) return []
      const rows = await tx.query(replaySql, [...names, fixed ?? null, ...how, jobId ?? null])
      const found = rows.map((row, index) => toResult(row, targets[index]?.unlessDone === true))
      const created = await create(
        tx,
        targets.filter((_target, index) => found[index] === 'missing'),
        fixed,
        jobId
      )
      await lineUp(tx, keys)
      const results = found.map((result) => (result === 'missing' ? (created.shift() ?? 'replayed') : result))
      await end(tx, results)
      return results
    },
    { begin: lockKeys(keys) }
  )
}

/** Converts the targets' events to query parameters: ids and realms. */
function eventColumns(targets: readonly ReplayTarget[]): readonly (readonly string[])[] {
  return [targets.map(({ event }) => indexed(event.id)), targets.map(({ event }) => indexed(event.realm))]
}

function toResult(row: Row, isSpared: boolean): JobReplayResult | 'missing' {
  if (row['event_seq'] === null) return 'unknown_event'
  if (row['repeated'] === true) return 'repeated'
  if (row['state'] === null) return 'missing'
  return row['state'] === 'running' || (row['state'] === 'done' && isSpared) ? row['state'] : 'replayed'
}

/**
 * Creates the missing deliveries. A second target for the same delivery counts as replayed.
 * @returns a result for each target, in order
 */
async function create(
  tx: Transaction,
  missing: readonly ReplayTarget[],
  fixed: Date | undefined,
  jobId: number | undefined
): Promise<ReplayResult[]> {
  if (missing.length === 0) return []
  const rows = await tx.query(createSql, [
    ...eventColumns(missing),
    missing.map(({ handler }) => handler),
    missing.map(({ orderKey }) => orderKey ?? null),
    fixed ?? null,
    missing.map(({ dueInMs = 0 }) => dueInMs),
    jobId ?? null
  ])
  const created = new Set(rows.map((row) => Number(row['position'])))
  return missing.map((_target, index) => (created.has(index + 1) ? 'created' : 'replayed'))
}

const keysSql = `
SELECT d.order_key
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS given (event_id, realm, handler, position)
LEFT JOIN riverhook.event AS event ON event.id = given.event_id AND event.realm = given.realm
LEFT JOIN riverhook.delivery AS d ON d.event_seq = event.seq AND d.handler = given.handler
ORDER BY given.position`

// FOR KEY SHARE prevents the event from being removed meanwhile. The successful attempt of a done delivery is stored in
// the delivery's row, which the next run overwrites: log that attempt first.
const replaySql = `
WITH target AS MATERIALIZED (
  SELECT given.*, event.seq AS event_seq, event.source
  FROM unnest($1::text[], $2::text[], $3::text[], $5::boolean[], $6::integer[]) WITH ORDINALITY AS given (event_id, realm, handler, unless_done, wait_ms, position)
  LEFT JOIN riverhook.event AS event ON event.id = given.event_id AND event.realm = given.realm AND event.state = 'accepted'
), kept AS MATERIALIZED (
  SELECT seq FROM riverhook.event WHERE seq IN (SELECT event_seq FROM target) ORDER BY seq FOR KEY SHARE
), found AS MATERIALIZED (
  SELECT d.*, d.state <> 'running' AND NOT (d.state = 'done' AND one.unless_done) AND coalesce(d.job_id < $7::bigint, true) AS taken, coalesce(d.job_id >= $7::bigint, false) AS repeated, one.wait_ms, one.source
  FROM riverhook.delivery AS d
  JOIN (SELECT event_seq, handler, min(source) AS source, bool_and(unless_done) AS unless_done, max(wait_ms) AS wait_ms FROM target GROUP BY event_seq, handler) AS one USING (event_seq, handler)
  WHERE d.event_seq IN (SELECT seq FROM kept)
  ORDER BY d.id FOR UPDATE OF d
), logged AS (
  INSERT INTO riverhook.attempt (delivery_id, attempt, state, started_at, ended_at)
  SELECT note.delivery_id, note.attempt, note.state, note.started_at, note.ended_at
  FROM (
    SELECT id AS delivery_id, attempts AS attempt, 'done' AS state, started_at, settled_at AS ended_at, 1 AS turn FROM found WHERE state = 'done' AND taken
    UNION ALL
    SELECT id, attempts, 'replayed', coalesce($4::timestamptz, statement_timestamp()), coalesce($4::timestamptz, statement_timestamp()), 2
    FROM found WHERE taken AND attempts > 0) AS note
  ORDER BY note.delivery_id, note.turn
), rewound AS (
  UPDATE riverhook.delivery AS d SET
    state = CASE WHEN NOT EXISTS (SELECT 1 FROM riverhook.handler WHERE name = d.handler AND source = found.source) THEN 'parked' WHEN d.order_key IS NULL THEN 'pending' ELSE 'waiting' END,
    attempts = 0, losses = 0, suspicion = 0, due_at = coalesce($4::timestamptz, statement_timestamp()) + found.wait_ms * interval '1 millisecond', overtakable = false, owner = NULL, settled_at = NULL, job_id = coalesce($7::bigint, d.job_id)
  FROM found WHERE d.id = found.id AND found.taken
)
SELECT kept.seq AS event_seq, found.state, found.repeated
FROM target LEFT JOIN kept ON kept.seq = target.event_seq LEFT JOIN found ON found.event_seq = target.event_seq AND found.handler = target.handler
ORDER BY target.position`

const createSql = `
WITH made AS (
  INSERT INTO riverhook.delivery (event_seq, realm, handler, state, due_at, order_key, job_id)
  SELECT event.seq, event.realm, given.handler,
    CASE WHEN given.order_key IS NULL THEN 'pending' ELSE 'waiting' END,
    coalesce($5::timestamptz, statement_timestamp()) + given.wait_ms * interval '1 millisecond', given.order_key, $7::bigint
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $6::integer[]) WITH ORDINALITY AS given (event_id, realm, handler, order_key, wait_ms, position)
  JOIN riverhook.event AS event ON event.id = given.event_id AND event.realm = given.realm
  ORDER BY given.position
  ON CONFLICT (event_seq, handler) DO NOTHING
  RETURNING event_seq, handler
), handled AS (${storeHandledSql('SELECT made.handler, event.kind FROM made JOIN riverhook.event AS event ON event.seq = made.event_seq')}
)
SELECT DISTINCT ON (made.event_seq, made.handler) given.position::integer
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS given (event_id, realm, handler, position)
JOIN riverhook.event AS event ON event.id = given.event_id AND event.realm = given.realm
JOIN made ON made.event_seq = event.seq AND made.handler = given.handler
ORDER BY made.event_seq, made.handler, given.position`
