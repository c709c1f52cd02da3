import type { AlarmHold, AlarmSave, HeldAlarms } from '../inbox.ts'
import { readText } from '../rows.ts'
import type { Times } from './claim.ts'
import type { Database, Session } from './database.ts'

const now = 'coalesce($3::timestamptz, statement_timestamp())'
const leaseUntil = `${now} + $2::integer * interval '1 millisecond'`

const holdSql = `
INSERT INTO riverhook.alarm AS alarm (one, owner, token, lease_until) VALUES (true, $1, 1, ${leaseUntil})
ON CONFLICT (one) DO UPDATE SET owner = excluded.owner, token = alarm.token + 1, lease_until = excluded.lease_until
WHERE alarm.owner = excluded.owner OR alarm.lease_until <= ${now} RETURNING token, state`

const saveSql = `UPDATE riverhook.alarm SET state = coalesce($1::text, state), lease_until = ${leaseUntil} WHERE token = $4 RETURNING token`

/** Takes or keeps the right to raise alarms. */
export async function holdAlarms(
  database: Database,
  { owner, leaseMs }: AlarmHold,
  { fixed }: Times
): Promise<HeldAlarms> {
  const [held] = await database.query(holdSql, [owner, leaseMs, fixed ?? null])
  return held === undefined
    ? { token: undefined, state: await findAlarmState(database) }
    : { token: Number(held['token']), state: readText(held['state']) }
}

/** Stores the state. @returns false if the token is not the latest */
export async function saveAlarms(
  database: Database,
  { token, leaseMs, state }: AlarmSave,
  { fixed }: Times
): Promise<boolean> {
  return (await database.query(saveSql, [state ?? null, leaseMs, fixed ?? null, token])).length > 0
}

/** Returns the state that was stored last. */
export async function findAlarmState(session: Database | Session): Promise<string | undefined> {
  const [row] = await session.query('SELECT state FROM riverhook.alarm')
  return readText(row?.['state'])
}
