import type { IndexEntry } from '../inbox.ts'
import type { Prepared } from './prepared.ts'
import type { pruneSql } from './prune.ts'
import type { readSql } from './read.ts'
import type { recordSql } from './record.ts'

type Sql = Prepared<typeof pruneSql & typeof readSql & typeof recordSql>

/** Replaces the search keys of events. @returns how many of these events there are */
export function reindex(sql: Sql, entries: readonly IndexEntry[]): number {
  return entries.filter(({ event: { realm, id }, about }) => {
    const seq = sql.seqOf.get(id, realm)?.['seq']
    if (seq === undefined) return false
    sql.deleteKeys.run(seq)
    for (const key of about) sql.insertKey.run(seq, key)
    return true
  }).length
}
