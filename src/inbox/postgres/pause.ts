import type { Pause } from '../inbox.ts'
import { readPause } from '../rows.ts'
import type { Times } from './claim.ts'
import type { Database } from './database.ts'

/** Pauses a handler. Changes nothing if it is paused already. */
export async function pause(database: Database, handler: string, { fixed }: Times): Promise<void> {
  await database.query(pauseSql, [handler, fixed ?? null])
}

const pauseSql = `
INSERT INTO riverhook.pause (handler, since) VALUES ($1, coalesce($2::timestamptz, statement_timestamp()))
ON CONFLICT (handler) DO NOTHING`

/** Ends the pause of a handler. @returns false if it was not paused */
export async function resume(database: Database, handler: string): Promise<boolean> {
  const rows = await database.query('DELETE FROM riverhook.pause WHERE handler = $1 RETURNING handler', [handler])
  return rows.length > 0
}

/** Lists the paused handlers by name. */
export async function listPauses(database: Database): Promise<readonly Pause[]> {
  const rows = await database.query('SELECT handler, since FROM riverhook.pause ORDER BY handler COLLATE "C"')
  return rows.map(readPause)
}
