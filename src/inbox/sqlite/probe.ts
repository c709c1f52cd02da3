import type { DatabaseSync } from 'node:sqlite'

import type { Backlog } from '../inbox.ts'
import { readFreeShare, type freeShareSql } from './free-share.ts'
import type { Prepared } from './prepared.ts'
import { oldestDueAt, type readSql } from './read.ts'

export const probeSql = {
  fillProbe: 'INSERT INTO probe (filler) VALUES (zeroblob(?))',
  clearProbe: 'DELETE FROM probe WHERE true'
} as const

type Sql = Prepared<typeof probeSql & typeof readSql & typeof freeShareSql> & { readonly db: DatabaseSync }

/** Checks that a write of more than a page can be committed. */
export function probe(sql: Sql, _args: undefined, now: number): Backlog {
  // A smaller write could succeed on a full disk, or at the size limit of the file.
  sql.fillProbe.run(16_384)
  sql.clearProbe.run()
  return { oldestDueAt: oldestDueAt(sql, now), freeShare: readFreeShare(sql) }
}
