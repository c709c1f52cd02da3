import type { Act } from '../../model/audit.ts'
import { pauseResult, resumeResult } from '../act-results.ts'
import type { Pause } from '../inbox.ts'
import { readPause } from '../rows.ts'
import { writeAudit, type auditSql } from './audit.ts'
import type { Prepared } from './prepared.ts'

export const pauseSql = {
  pause: 'INSERT INTO pause (handler, since) VALUES (?, ?) ON CONFLICT (handler) DO NOTHING',
  resume: 'DELETE FROM pause WHERE handler = ?',
  isPaused: 'SELECT 1 FROM pause WHERE handler = ?',
  pauses: 'SELECT handler, since FROM pause ORDER BY handler'
} as const

type Sql = Prepared<typeof pauseSql & typeof auditSql>

interface Paused {
  readonly handler: string
  readonly act: Act | undefined
}

/** Pauses a handler. @returns false if it is paused already */
export function pause(sql: Sql, { handler, act }: Paused, now: number): boolean {
  const isChanged = sql.pause.run(handler, now).changes > 0
  writeAudit(sql, act, pauseResult(isChanged), now)
  return isChanged
}

/** Ends the pause of a handler. @returns false if it was not paused */
export function resume(sql: Sql, { handler, act }: Paused, now: number): boolean {
  const wasPaused = sql.resume.run(handler).changes > 0
  writeAudit(sql, act, resumeResult(wasPaused), now)
  return wasPaused
}

/** Lists the paused handlers by name. */
export function listPauses(sql: Prepared<typeof pauseSql>): Pause[] {
  return sql.pauses.all().map(readPause)
}
