import type { Pause } from '../inbox.ts'
import { readPause } from '../rows.ts'
import type { Prepared } from './prepared.ts'

export const pauseSql = {
  pause: 'INSERT INTO pause (handler, since) VALUES (?, ?) ON CONFLICT (handler) DO NOTHING',
  resume: 'DELETE FROM pause WHERE handler = ?',
  isPaused: 'SELECT 1 FROM pause WHERE handler = ?',
  pauses: 'SELECT handler, since FROM pause ORDER BY handler'
} as const

type Sql = Prepared<typeof pauseSql>

/** Pauses a handler. Changes nothing if it is paused already. */
export function pause(sql: Sql, handler: string, now: number): undefined {
  sql.pause.run(handler, now)
}

/** Ends the pause of a handler. @returns false if it was not paused */
export function resume(sql: Sql, handler: string): boolean {
  return sql.resume.run(handler).changes > 0
}

/** Lists the paused handlers by name. */
export function listPauses(sql: Sql): Pause[] {
  return sql.pauses.all().map(readPause)
}
