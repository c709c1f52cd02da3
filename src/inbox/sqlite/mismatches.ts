import { acknowledgeResult } from '../act-results.ts'
import type { Mismatch } from '../inbox.ts'
import { readMismatch } from '../rows.ts'
import { writeAudit, type auditSql } from './audit.ts'
import type { Operations } from './protocol.ts'
import type { Prepared } from './prepared.ts'

export const mismatchesSql = {
  flag: `
    INSERT INTO drift (realm, type, path, rule, handler, count, first_at, last_at, event_id, acknowledged_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (realm, type, path, rule, handler) DO UPDATE SET
      count = count + excluded.count, first_at = min(first_at, excluded.first_at),
      event_id = iif(excluded.last_at > last_at, excluded.event_id, event_id), last_at = max(last_at, excluded.last_at)`,
  drifts: 'SELECT * FROM drift ORDER BY last_at DESC LIMIT 1000',
  acknowledge: `
    UPDATE drift SET acknowledged_at = ? WHERE realm = ? AND type = ? AND path = ? AND rule = ? AND handler = ? AND (acknowledged_at IS NULL) = ?`
} as const

type Sql = Prepared<typeof mismatchesSql>

/** Adds mismatches to the counts of their kinds. */
export function flag(sql: Sql, notes: readonly Mismatch[]): undefined {
  for (const { realm, type, path, rule, handler, count, firstAt, lastAt, eventId, acknowledgedAt } of notes) {
    const times = [firstAt.getTime(), lastAt.getTime()]
    sql.flag.run(realm, type, path, rule, handler, count, ...times, eventId, acknowledgedAt?.getTime() ?? null)
  }
}

/** Lists all kinds of mismatches, the latest first. */
export function listDrifts(sql: Sql): Mismatch[] {
  return sql.drifts.all().map(readMismatch)
}

/** Marks kinds as acknowledged, or removes the mark. @returns how many were changed */
export function acknowledge(
  sql: Sql & Prepared<typeof auditSql>,
  { kinds, isAcknowledged, act }: Operations['acknowledge']['args'],
  now: number
): number {
  const mark = isAcknowledged ? now : null
  const changes = kinds.map(({ realm, type, path, rule, handler }) =>
    Number(sql.acknowledge.run(mark, realm, type, path, rule, handler, Number(isAcknowledged)).changes)
  )
  const changed = changes.reduce((total, each) => total + each, 0)
  writeAudit(sql, act, acknowledgeResult(isAcknowledged, changed), now)
  return changed
}
