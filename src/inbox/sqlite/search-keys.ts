import type { SearchKeys } from '../../model/search-keys.ts'
import { largeOf, smallOf } from './key-segments.ts'
import type { Prepared } from './prepared.ts'

export const searchKeysSql = {
  /** The event, unless it is erased: its keys may have been read before that. */
  toReindex: "SELECT seq FROM event WHERE id = ? AND realm = ? AND state <> 'erased'",
  setKeys: 'UPDATE event SET about = ?, resource = ? WHERE seq = ?',
  insertKey: `
    INSERT OR IGNORE INTO event_key (segment, value, event_seq)
    VALUES (${smallOf('?')}, ?, ?), (${largeOf('?')}, ?, ?)`,
  deleteKeys: `
    DELETE FROM event_key WHERE segment IN (${smallOf('?')}, ${largeOf('?')}) AND event_seq = ?
    AND value IN (SELECT key.value FROM event, json_each(event.about) AS key WHERE event.seq = ?)`,
  keysOf: 'SELECT key.value FROM event, json_each(event.about) AS key WHERE event.seq = ? ORDER BY key.value'
} as const

type Sql = Prepared<typeof searchKeysSql>

/** Replaces the search keys of an event, and indexes them now: in both segments, as it may be copied meanwhile. */
export function replaceKeys(sql: Sql, seq: number, { about, resource }: SearchKeys): void {
  sql.deleteKeys.run(seq, seq, seq, seq)
  sql.setKeys.run(packKeys(about), resource ?? null, seq)
  for (const key of about) sql.insertKey.run(seq, key, seq, seq, key, seq)
}

/** Converts search keys to their stored form. */
export function packKeys(about: readonly string[]): string | null {
  return about.length === 0 ? null : JSON.stringify(about)
}
