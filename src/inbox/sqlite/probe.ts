import type { Backlog } from '../inbox.ts'
import type { Prepared } from './prepared.ts'
import { oldestDueAt, type readSql } from './read.ts'

export const probeSql = {
  fillProbe: 'INSERT INTO probe (filler) VALUES (zeroblob(?))',
  clearProbe: 'DELETE FROM probe'
} as const

type Sql = Prepared<typeof probeSql & typeof readSql>

/** Proves that a write of some size can be committed. */
export function probe(sql: Sql, _args: undefined, now: number): Backlog {
  // More than a page, so that a full disk or a file at its size limit shows.
  sql.fillProbe.run(16_384)
  sql.clearProbe.run()
  return { oldestDueAt: oldestDueAt(sql, now) }
}
