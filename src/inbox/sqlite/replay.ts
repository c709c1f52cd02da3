import type { Act } from '../../model/audit.ts'
import { replayResult } from '../act-results.ts'
import type { JobReplayResult, NewDelivery, ReplayResult, ReplayTarget } from '../inbox.ts'
import { stateBeforeLineUp } from '../rows.ts'
import { writeAudit, type auditSql } from './audit.ts'
import { indexDelivery, type listIndexSql } from './list-index.ts'
import { lineUp, type orderSql } from './order.ts'
import type { Prepared } from './prepared.ts'
import type { recordSql } from './record.ts'
import type { settleSql } from './settle.ts'

export const replaySql = {
  acceptedSeq: "SELECT seq, source FROM event WHERE id = ? AND realm = ? AND state = 'accepted'",
  deliveryOf:
    'SELECT id, state, attempts, order_key, started_at, settled_at FROM delivery WHERE event_seq = ? AND handler = ?',
  rewind: `
    UPDATE delivery SET state = ?, attempts = 0, losses = 0, suspicion = 0, due_at = ?, overtakable = 0, owner = NULL, settled_at = NULL WHERE id = ?`,
  isReplayed:
    'SELECT 1 FROM delivery WHERE event_seq = (SELECT seq FROM event WHERE id = ? AND realm = ?) AND handler = ? AND job_id >= ?',
  markForJob:
    'UPDATE delivery SET job_id = ? WHERE event_seq = (SELECT seq FROM event WHERE id = ? AND realm = ?) AND handler = ?',
  knowsHandler: 'SELECT 1 FROM handler WHERE name = ? AND source = ?'
} as const

/** The statements of a replay. */
export type ReplaySql = Prepared<
  typeof replaySql & typeof orderSql & typeof recordSql & typeof settleSql & typeof listIndexSql
>

/** Makes deliveries due again, and creates those that do not exist yet. */
export function replay(
  sql: ReplaySql & Prepared<typeof auditSql>,
  { targets, act }: { readonly targets: readonly ReplayTarget[]; readonly act: Act | undefined },
  now: number
): ReplayResult[] {
  const results = targets.map((target) => replayOne(sql, target, now))
  writeAudit(sql, act, replayResult(results), now)
  return results
}

/** Replays deliveries for a job, except those that it or a later job has replayed before. */
export function replayOnce(
  sql: ReplaySql,
  jobId: number,
  targets: readonly ReplayTarget[],
  now: number
): JobReplayResult[] {
  return targets.map((target) => {
    const {
      event: { id, realm },
      handler
    } = target
    if (sql.isReplayed.get(id, realm, handler, jobId) !== undefined) return 'repeated'
    const result = replayOne(sql, target, now)
    if (result === 'replayed' || result === 'created') sql.markForJob.run(jobId, id, realm, handler)
    return result
  })
}

function replayOne(
  sql: ReplaySql,
  { event: { realm, id: eventId }, handler, orderKey, unlessDone, dueInMs = 0 }: ReplayTarget,
  now: number
): ReplayResult {
  const event = sql.acceptedSeq.get(eventId, realm)
  if (event === undefined) return 'unknown_event'
  const eventSeq = Number(event['seq'])
  const row = sql.deliveryOf.get(eventSeq, handler)
  if (row === undefined) {
    createDelivery(sql, eventSeq, realm, { handler, orderKey }, now + dueInMs)
    return 'created'
  }
  if (row['state'] === 'running') return 'running'
  if (row['state'] === 'done' && unlessDone === true) return 'done'
  const id = Number(row['id'])
  const attempts = Number(row['attempts'])
  const key = row['order_key'] as string | null
  // The next run overwrites the successful attempt in the row: copy it to the log first.
  if (row['state'] === 'done')
    sql.logAttempt.run(id, attempts, 'done', row['started_at'] ?? now, row['settled_at'] ?? now, null)
  if (attempts > 0) sql.logAttempt.run(id, attempts, 'replayed', now, now, null)
  sql.rewind.run(
    sql.knowsHandler.get(handler, String(event['source'])) === undefined
      ? 'parked'
      : stateBeforeLineUp({ orderKey: key ?? undefined }),
    now + dueInMs,
    id
  )
  lineUp(sql, { handler, realm, orderKey: key })
  return 'replayed'
}

/** Creates a delivery of a stored event, which may have arrived before other events of the line. */
export function createDelivery(
  sql: Prepared<typeof orderSql & typeof recordSql & typeof listIndexSql>,
  eventSeq: number,
  realm: string,
  { handler, orderKey }: NewDelivery,
  dueAt: number
): void {
  sql.insertDelivery.run(eventSeq, realm, handler, stateBeforeLineUp({ orderKey }), dueAt, orderKey ?? null)
  indexDelivery(sql, eventSeq)
  lineUp(sql, { handler, realm, orderKey: orderKey ?? null })
}
