import type { AlarmHold, AlarmSave, HeldAlarms } from '../inbox.ts'
import { readText } from '../rows.ts'
import type { Prepared } from './prepared.ts'

export const alarmsSql = {
  holdAlarms: `
    INSERT INTO alarm (one, owner, token, lease_until) VALUES (1, ?, 1, ?)
    ON CONFLICT (one) DO UPDATE SET owner = excluded.owner, token = token + 1, lease_until = excluded.lease_until
    WHERE owner = excluded.owner OR lease_until <= ? RETURNING token, state`,
  saveAlarms: 'UPDATE alarm SET state = coalesce(?, state), lease_until = ? WHERE token = ?',
  alarmState: 'SELECT state FROM alarm'
} as const

type Sql = Prepared<typeof alarmsSql>

/** Takes or keeps the right to raise alarms. */
export function holdAlarms(sql: Sql, { owner, leaseMs }: AlarmHold, now: number): HeldAlarms {
  const held = sql.holdAlarms.get(owner, now + leaseMs, now)
  return held === undefined
    ? { token: undefined, state: findAlarmState(sql) }
    : { token: Number(held['token']), state: readText(held['state']) }
}

/** Stores the state. @returns false if the token is not the latest */
export function saveAlarms(sql: Sql, { token, leaseMs, state }: AlarmSave, now: number): boolean {
  return sql.saveAlarms.run(state ?? null, now + leaseMs, token).changes > 0
}

/** Returns the state that was stored last. */
export function findAlarmState(sql: Sql): string | undefined {
  return readText(sql.alarmState.get()?.['state'])
}
