import type { Act } from '../../model/audit.ts'
import { pauseResult, resumeResult } from '../act-results.ts'
import type { Pause } from '../inbox.ts'
import { readPause } from '../rows.ts'
import { writeAudit } from './audit.ts'
import type { Times } from './claim.ts'
import type { Database } from './database.ts'

/** Pauses a handler. @returns false if it is paused already */
export function pause(database: Database, handler: string, act: Act | undefined, { fixed }: Times): Promise<boolean> {
  return database.transaction(async (tx) => {
    const isChanged = (await tx.query(pauseSql, [handler, fixed ?? null])).length > 0
    await writeAudit(tx, act, pauseResult(isChanged), fixed)
    return isChanged
  })
}

const pauseSql = `
INSERT INTO riverhook.pause (handler, since) VALUES ($1, coalesce($2::timestamptz, statement_timestamp()))
ON CONFLICT (handler) DO NOTHING RETURNING handler`

/** Ends the pause of a handler. @returns false if it was not paused */
export function resume(database: Database, handler: string, act: Act | undefined, { fixed }: Times): Promise<boolean> {
  return database.transaction(async (tx) => {
    const rows = await tx.query('DELETE FROM riverhook.pause WHERE handler = $1 RETURNING handler', [handler])
    await writeAudit(tx, act, resumeResult(rows.length > 0), fixed)
    return rows.length > 0
  })
}

/** Lists the paused handlers by name. */
export async function listPauses(database: Database): Promise<readonly Pause[]> {
  const rows = await database.query('SELECT handler, since FROM riverhook.pause ORDER BY handler COLLATE "C"')
  return rows.map(readPause)
}
