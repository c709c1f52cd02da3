import type { Mismatch } from '../inbox.ts'
import { readMismatch } from '../rows.ts'
import type { Prepared } from './prepared.ts'

export const mismatchesSql = {
  flag: `
    INSERT INTO drift (realm, type, path, rule, handler, count, first_at, last_at, event_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (realm, type, path, rule, handler) DO UPDATE SET
      count = count + excluded.count, first_at = min(first_at, excluded.first_at),
      event_id = iif(excluded.last_at > last_at, excluded.event_id, event_id), last_at = max(last_at, excluded.last_at)`,
  drifts:
    'SELECT realm, type, path, rule, handler, count, first_at, last_at, event_id FROM drift ORDER BY last_at DESC LIMIT 1000'
} as const

type Sql = Prepared<typeof mismatchesSql>

/** Adds mismatches to the counts of their kinds. */
export function flag(sql: Sql, notes: readonly Mismatch[]): undefined {
  for (const { realm, type, path, rule, handler, count, firstAt, lastAt, eventId } of notes) {
    sql.flag.run(realm, type, path, rule, handler, count, firstAt.getTime(), lastAt.getTime(), eventId)
  }
}

/** Lists all kinds of mismatches, the latest first. */
export function listDrifts(sql: Sql): Mismatch[] {
  return sql.drifts.all().map(readMismatch)
}
