import type { Admission, AdmitResult, NewDelivery, ReplayResult, ReplayTarget } from '../inbox.ts'
import { lineUp, type orderSql } from './order.ts'
import { packFlag } from './protocol.ts'
import type { Prepared } from './prepared.ts'
import type { pruneSql } from './prune.ts'
import type { recordSql } from './record.ts'
import type { settleSql } from './settle.ts'

export const replaySql = {
  acceptedSeq: "SELECT seq, source FROM event WHERE id = ? AND realm = ? AND state = 'accepted'",
  deliveryOf:
    'SELECT id, state, attempts, order_key, started_at, settled_at FROM delivery WHERE event_seq = ? AND handler = ?',
  rewind: `
    UPDATE delivery SET state = ?, attempts = 0, losses = 0, suspicion = 0, due_at = ?, overtakable = 0, owner = NULL, settled_at = NULL WHERE id = ?`,
  knowsHandler: 'SELECT 1 FROM handler WHERE name = ? AND source = ?',
  quarantined: "SELECT seq, body, backfilled FROM event WHERE id = ? AND realm = ? AND state = 'quarantined'",
  admit:
    "UPDATE event SET id = ?, state = 'accepted', type = ?, live_mode = ?, created_time = ?, reason = NULL WHERE seq = ?"
} as const

type Sql = Prepared<typeof replaySql & typeof orderSql & typeof recordSql & typeof settleSql & typeof pruneSql>

/** Makes deliveries due again, and creates those that do not exist yet. */
export function replay(sql: Sql, targets: readonly ReplayTarget[], now: number): ReplayResult[] {
  return targets.map((target) => replayOne(sql, target, now))
}

function replayOne(
  sql: Sql,
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
  // The row holds its successful attempt only until it runs again: copy it to the log.
  if (row['state'] === 'done')
    sql.logAttempt.run(id, attempts, 'done', row['started_at'] ?? now, row['settled_at'] ?? now, null)
  if (attempts > 0) sql.logAttempt.run(id, attempts, 'replayed', now, now, null)
  sql.rewind.run(
    sql.knowsHandler.get(handler, String(event['source'])) === undefined
      ? 'parked'
      : key === null
        ? 'pending'
        : 'waiting',
    now + dueInMs,
    id
  )
  lineUp(sql, { handler, realm, orderKey: key })
  return 'replayed'
}

/** Creates a delivery of an event that may have arrived before others of its line. */
function createDelivery(
  sql: Sql,
  eventSeq: number,
  realm: string,
  { handler, orderKey }: NewDelivery,
  dueAt: number
): void {
  sql.insertDelivery.run(
    eventSeq,
    realm,
    handler,
    orderKey === undefined ? 'pending' : 'waiting',
    dueAt,
    orderKey ?? null
  )
  lineUp(sql, { handler, realm, orderKey: orderKey ?? null })
}

/** Accepts quarantined requests: their rows become the events. */
export function admit(sql: Sql, requests: readonly Admission[], now: number): AdmitResult[] {
  return requests.map((request) => admitOne(sql, request, now))
}

function admitOne(
  sql: Sql,
  { request, id, type, liveMode, createdTime, deliveries }: Admission,
  now: number
): AdmitResult {
  const { realm } = request
  const row = sql.quarantined.get(request.id, realm)
  if (row === undefined) return 'unknown_request'
  const { seq, body, backfilled } = row as { seq: number; body: Uint8Array; backfilled: number }
  if (sql.isKnown.get(id, realm) !== undefined) {
    if (sql.countDuplicate.get(backfilled, body, id, realm, backfilled, body)?.['conflict'] === 1) return 'conflict'
    sql.deleteEvent.run(seq)
    return 'duplicate'
  }
  sql.admit.run(id, type, packFlag(liveMode), createdTime ?? null, seq)
  for (const delivery of deliveries) createDelivery(sql, seq, realm, delivery, now)
  return 'accepted'
}
