import type { Act } from '../../model/audit.ts'
import { purgedMark } from '../../model/purged-mark.ts'
import type { DeliveryState, EventState } from '../../model/event.ts'
import { removeResult } from '../act-results.ts'
import { arrivedAt, isPastOld } from '../arrival-time.ts'
import type { EventStates, PruneRequest, RemovalTarget } from '../inbox.ts'
import type { Row } from '../rows.ts'
import { isAsSeen } from '../seen-states.ts'
import { writeAudit, type auditSql } from './audit.ts'
import type { jobsSql } from './jobs.ts'
import { pruneIndex, type listIndexSql } from './list-index.ts'
import { lineUp, readLine, type orderSql } from './order.ts'
import type { Prepared } from './prepared.ts'
import type { watermarksSql } from './watermarks.ts'

export const pruneSql = {
  removable: `
    SELECT seq, state FROM event WHERE id = ? AND realm = ?
    AND NOT EXISTS (SELECT 1 FROM delivery WHERE event_seq = event.seq AND state = 'running')`,
  statesOf: 'SELECT handler, state FROM delivery WHERE event_seq = ?',
  linesOf: 'SELECT handler, realm, order_key FROM delivery WHERE event_seq = ? AND order_key IS NOT NULL',
  deleteAttempts: 'DELETE FROM attempt WHERE delivery_id IN (SELECT id FROM delivery WHERE event_seq = ?)',
  deleteDeliveries: 'DELETE FROM delivery WHERE event_seq = ?',
  deleteEvent: 'DELETE FROM event WHERE seq = ?',
  oldest: `
    SELECT seq, realm, received_at, created_time, state <> 'quarantined' AND NOT EXISTS
      (SELECT 1 FROM delivery WHERE event_seq = event.seq AND state <> 'done') AS settled
    FROM event WHERE seq > ? ORDER BY seq LIMIT ?`
} as const

type Sql = Prepared<typeof pruneSql & typeof orderSql & typeof listIndexSql & typeof watermarksSql & typeof jobsSql>

/**
 * Removes events with their deliveries, except those with a running delivery, or that are not as they were seen.
 * @returns how many
 */
export function remove(
  sql: Sql & Prepared<typeof auditSql>,
  { targets, act }: { readonly targets: readonly RemovalTarget[]; readonly act: Act | undefined },
  now: number
): number {
  const removed = targets.filter(({ realm, id, seen }) => {
    const row = sql.removable.get(id, realm)
    if (row === undefined || !isAsSeen(seen, readStates(sql, row))) return false
    drop(sql, Number(row['seq']))
    return true
  }).length
  writeAudit(sql, act, removeResult(targets.length, removed), now)
  return removed
}

function readStates(sql: Sql, { seq, state }: Row): EventStates {
  return {
    state: state as EventState,
    deliveries: sql.statesOf.all(Number(seq)).map((row) => ({
      handler: String(row['handler']),
      state: row['state'] as DeliveryState
    }))
  }
}

/** Deletes an event with its deliveries, and lets the deliveries continue that waited for them. */
function drop(sql: Sql, seq: number): void {
  const lines = sql.linesOf.all(seq)
  sql.deleteAttempts.run(seq)
  sql.deleteDeliveries.run(seq)
  sql.deleteEvent.run(seq)
  for (const row of lines) lineUp(sql, readLine(row))
}

/** Purges old events whose deliveries are all done. */
export function prune(
  sql: Sql,
  { before, limit, after }: PruneRequest,
  now: number
): { purged: number; next: number | undefined } {
  if (after === undefined) {
    sql.pruneJobs.run(before.getTime())
    pruneIndex(sql)
  }
  const rows = sql.oldest.all(after ?? 0, limit)
  const arrival = (row: Row): number => arrivedAt(Number(row['received_at']), row['created_time'], now)
  const old = rows.filter((row) => arrival(row) < before.getTime())
  const settled = old.filter((row) => row['settled'] === 1)
  for (const row of settled) drop(sql, Number(row['seq']))
  const purgedTo = new Map<string, number>()
  for (const row of settled)
    purgedTo.set(String(row['realm']), Math.max(arrival(row), purgedTo.get(String(row['realm'])) ?? 0))
  for (const [realm, to] of purgedTo) sql.advance.run(realm, purgedMark, to, now)
  const isLast =
    rows.length < limit ||
    isPastOld(
      rows.filter((row) => !old.includes(row)).map((row) => Number(row['received_at'])),
      now
    )
  return { purged: settled.length, next: isLast ? undefined : Number(rows.at(-1)?.['seq']) }
}
