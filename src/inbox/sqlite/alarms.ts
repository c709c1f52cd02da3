import { acknowledgeResult } from '../act-results.ts'
import type { AlarmHold, AlarmSave, HeldAlarms, StoredAlarms } from '../inbox.ts'
import { readAcknowledged, readText } from '../rows.ts'
import { writeAudit, type auditSql } from './audit.ts'
import type { Operations } from './protocol.ts'
import type { Prepared } from './prepared.ts'

export const alarmsSql = {
  holdAlarms: `
    INSERT INTO alarm (one, owner, token, lease_until) VALUES (1, ?, 1, ?)
    ON CONFLICT (one) DO UPDATE SET owner = excluded.owner, token = token + 1, lease_until = excluded.lease_until
    WHERE owner = excluded.owner OR lease_until <= ? RETURNING token, state`,
  saveAlarms: 'UPDATE alarm SET state = coalesce(?, state), lease_until = ? WHERE token = ?',
  alarmState: 'SELECT state FROM alarm',
  acknowledgedAlarms: 'SELECT * FROM acknowledged ORDER BY condition, subject, since',
  acknowledgeAlarm: `
    INSERT INTO acknowledged (condition, subject, since, at) VALUES (?, ?, ?, ?)
    ON CONFLICT (condition, subject, since) DO UPDATE SET at = excluded.at`,
  reopenAlarm: 'DELETE FROM acknowledged WHERE condition = ? AND subject = ? AND since = ?',
  forgetAlarm: 'DELETE FROM acknowledged WHERE condition = ? AND subject = ? AND since = ? AND at = ?'
} as const

type Sql = Prepared<typeof alarmsSql>

/** Takes or keeps the right to raise alarms. */
export function holdAlarms(sql: Sql, { owner, leaseMs }: AlarmHold, now: number): HeldAlarms {
  const held = sql.holdAlarms.get(owner, now + leaseMs, now)
  const token = held === undefined ? undefined : Number(held['token'])
  return { token, ...findAlarmState(sql) }
}

/** Stores the state. @returns false if the token is not the latest */
export function saveAlarms(sql: Sql, { token, leaseMs, state, forget = [] }: AlarmSave, now: number): boolean {
  if (sql.saveAlarms.run(state ?? null, now + leaseMs, token).changes === 0) return false
  for (const { condition, subject, since, at } of forget)
    sql.forgetAlarm.run(condition, subject, since.getTime(), at.getTime())
  return true
}

/** Returns the state that was stored last, and which alarms are acknowledged. */
export function findAlarmState(sql: Sql): StoredAlarms {
  return {
    state: readText(sql.alarmState.get()?.['state']),
    acknowledged: sql.acknowledgedAlarms.all().map(readAcknowledged)
  }
}

/** Acknowledges alarms, or removes that. @returns how many were changed */
export function acknowledgeAlarms(
  sql: Sql & Prepared<typeof auditSql>,
  { alarms, isAcknowledged, act }: Operations['acknowledgeAlarms']['args'],
  now: number
): number {
  const changes = alarms.map(({ condition, subject, since }) =>
    Number(
      isAcknowledged
        ? sql.acknowledgeAlarm.run(condition, subject, since.getTime(), now).changes
        : sql.reopenAlarm.run(condition, subject, since.getTime()).changes
    )
  )
  const changed = changes.reduce((total, each) => total + each, 0)
  writeAudit(sql, act, acknowledgeResult(isAcknowledged, changed), now)
  return changed
}
