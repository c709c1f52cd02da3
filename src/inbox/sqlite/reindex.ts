import type { IndexEntry } from '../inbox.ts'
import type { Prepared } from './prepared.ts'
import { replaceKeys, type searchKeysSql } from './search-keys.ts'

type Sql = Prepared<typeof searchKeysSql>

/** Replaces the search keys of events, except erased ones. @returns how many of these events there are */
export function reindex(sql: Sql, entries: readonly IndexEntry[]): number {
  return entries.filter(({ event: { realm, id }, about, resource }) => {
    const seq = sql.toReindex.get(id, realm)?.['seq']
    if (seq === undefined) return false
    replaceKeys(sql, Number(seq), { about, resource })
    return true
  }).length
}
