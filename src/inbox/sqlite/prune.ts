import type { Act } from '../../model/audit.ts'
import { purgedMark } from '../../model/purged-mark.ts'
import type { DeliveryState, EventState } from '../../model/event.ts'
import { removeResult } from '../act-results.ts'
import { arrivedAt, isPastOld } from '../arrival-time.ts'
import type { EventStates, PruneRequest, PruneResult, RemovalTarget } from '../inbox.ts'
import { countPurged, findPurgeKind } from '../purge-kind.ts'
import type { Row } from '../rows.ts'
import { isAsSeen } from '../seen-states.ts'
import { writeAudit, type auditSql } from './audit.ts'
import type { jobsSql } from './jobs.ts'
import { pruneBlocks, type listIndexSql } from './list-index.ts'
import { lineUp, readLine, type orderSql } from './order.ts'
import { givenLimit, type Prepared } from './prepared.ts'
import type { watermarksSql } from './watermarks.ts'

export const pruneSql = {
  changeable: `
    SELECT seq, state FROM event WHERE id = ? AND realm = ? AND state <> 'erased'
    AND NOT EXISTS (SELECT 1 FROM delivery WHERE event_seq = event.seq AND state = 'running')`,
  statesOf: 'SELECT handler, state FROM delivery WHERE event_seq = ?',
  linesOf: 'SELECT handler, realm, order_key FROM delivery WHERE event_seq = ? AND order_key IS NOT NULL',
  deleteAttempts: 'DELETE FROM attempt WHERE delivery_id IN (SELECT id FROM delivery WHERE event_seq = ?)',
  deleteDeliveries: 'DELETE FROM delivery WHERE event_seq = ?',
  deleteEvent: 'DELETE FROM event WHERE seq = ?',
  oldest: `
    SELECT seq, realm, state, received_at, created_time,
      EXISTS (SELECT 1 FROM delivery WHERE event_seq = event.seq AND state NOT IN ('done', 'dead', 'parked')) AS open,
      (SELECT max(iif(state = 'dead', coalesce(settled_at, due_at), due_at)) FROM delivery
        WHERE event_seq = event.seq AND state IN ('dead', 'parked')) AS stopped_at
    FROM event WHERE seq > ? ORDER BY seq ${givenLimit}`
} as const

type Sql = Prepared<typeof pruneSql & typeof orderSql & typeof listIndexSql & typeof watermarksSql & typeof jobsSql>

/** Removes events with their deliveries. @returns how many */
export function remove(
  sql: Sql & Prepared<typeof auditSql>,
  { targets, act }: { readonly targets: readonly RemovalTarget[]; readonly act: Act | undefined },
  now: number
): number {
  const removed = targets.filter((target) => {
    const seq = findSeen(sql, target)
    if (seq !== undefined) drop(sql, seq)
    return seq !== undefined
  }).length
  writeAudit(sql, act, removeResult(targets.length, removed), now)
  return removed
}

/** Finds an event that is as it was seen, unless it is erased or has a running delivery. */
export function findSeen(sql: Prepared<typeof pruneSql>, { realm, id, seen }: RemovalTarget): number | undefined {
  const row = sql.changeable.get(id, realm)
  return row !== undefined && isAsSeen(seen, readStates(sql, row)) ? Number(row['seq']) : undefined
}

function readStates(sql: Prepared<typeof pruneSql>, { seq, state }: Row): EventStates {
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

/** Purges old events. */
export function prune(sql: Sql, request: PruneRequest, now: number): PruneResult {
  const { before, limit, after } = request
  if (after === undefined) {
    sql.pruneJobs.run(before.getTime())
    pruneBlocks(sql)
  }
  const rows = sql.oldest.all(after ?? 0, limit)
  const arrival = (row: Row): number => arrivedAt(Number(row['received_at']), row['created_time'], now)
  const old = rows.filter((row) => arrival(row) < before.getTime())
  const purgedTo = new Map<string, number>()
  const kinds = old.flatMap((row) => {
    const kind = findPurgeKind(request, {
      state: row['state'] as EventState,
      arrivedAt: arrival(row),
      isOpen: row['open'] === 1,
      stoppedAt: row['stopped_at'] === null ? undefined : Number(row['stopped_at'])
    })
    if (kind === undefined) return []
    drop(sql, Number(row['seq']))
    const realm = String(row['realm'])
    if (kind !== 'quarantined') purgedTo.set(realm, Math.max(arrival(row), purgedTo.get(realm) ?? 0))
    return kind
  })
  for (const [realm, to] of purgedTo) sql.advance.run(realm, purgedMark, to, now)
  const isLast =
    rows.length < limit ||
    isPastOld(
      rows.filter((row) => !old.includes(row)).map((row) => Number(row['received_at'])),
      now
    )
  return { ...countPurged(kinds), next: isLast ? undefined : Number(rows.at(-1)?.['seq']) }
}
