import type { AlarmKey } from '../../model/alarm.ts'
import type { Act } from '../../model/audit.ts'
import { acknowledgeResult } from '../act-results.ts'
import type { AlarmHold, AlarmSave, HeldAlarms, StoredAlarms } from '../inbox.ts'
import { readAcknowledged, readText } from '../rows.ts'
import { writeAudit } from './audit.ts'
import type { Times } from './claim.ts'
import type { Database, Session } from './database.ts'
import { indexed } from './storable.ts'

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
  const token = held === undefined ? undefined : Number(held['token'])
  return { token, ...(await findAlarmState(database)) }
}

/** Stores the state. @returns false if the token is not the latest */
export function saveAlarms(
  database: Database,
  { token, leaseMs, state, forget = [] }: AlarmSave,
  { fixed }: Times
): Promise<boolean> {
  return database.transaction(async (tx) => {
    const saved = await tx.query(saveSql, [state ?? null, leaseMs, fixed ?? null, token])
    if (saved.length > 0 && forget.length > 0)
      await tx.query(forgetSql, [...columnsOf(forget), forget.map(({ at }) => at)])
    return saved.length > 0
  })
}

/** Returns the state that was stored last, and which alarms are acknowledged. */
export async function findAlarmState(session: Database | Session): Promise<StoredAlarms> {
  const [row] = await session.query('SELECT state FROM riverhook.alarm')
  const acknowledged = await session.query(
    'SELECT condition, subject, since, at FROM riverhook.acknowledged ORDER BY condition, subject, since'
  )
  return { state: readText(row?.['state']), acknowledged: acknowledged.map(readAcknowledged) }
}

/** Acknowledges alarms, or removes that. @returns how many were changed */
export function acknowledgeAlarms(
  database: Database,
  alarms: readonly AlarmKey[],
  isAcknowledged: boolean,
  act: Act | undefined,
  { fixed }: Times
): Promise<number> {
  return database.transaction(async (tx) => {
    const columns = columnsOf(alarms)
    const rows = isAcknowledged
      ? await tx.query(acknowledgeSql, [...columns, fixed ?? null])
      : await tx.query(reopenSql, columns)
    await writeAudit(tx, act, acknowledgeResult(isAcknowledged, rows.length), fixed)
    return rows.length
  })
}

/** The columns of the primary key. */
function columnsOf(alarms: readonly AlarmKey[]): readonly [readonly string[], readonly string[], readonly Date[]] {
  return [
    alarms.map(({ condition }) => indexed(condition)),
    alarms.map(({ subject }) => indexed(subject)),
    alarms.map(({ since }) => since)
  ]
}

const acknowledgeSql = `
INSERT INTO riverhook.acknowledged AS acknowledged (condition, subject, since, at)
SELECT DISTINCT condition, subject, since, coalesce($4::timestamptz, statement_timestamp())
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS given (condition, subject, since)
ON CONFLICT (condition, subject, since) DO UPDATE SET at = excluded.at RETURNING condition`

const reopenSql = `
DELETE FROM riverhook.acknowledged AS acknowledged
USING unnest($1::text[], $2::text[], $3::timestamptz[]) AS given (condition, subject, since)
WHERE (acknowledged.condition, acknowledged.subject, acknowledged.since) = (given.condition, given.subject, given.since)
RETURNING acknowledged.condition`

const forgetSql = `
DELETE FROM riverhook.acknowledged AS acknowledged
USING unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS given (condition, subject, since, at)
WHERE (acknowledged.condition, acknowledged.subject, acknowledged.since) = (given.condition, given.subject, given.since)
  AND date_trunc('milliseconds', acknowledged.at) = given.at`
