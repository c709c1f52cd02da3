import type { SearchKeys } from '../../model/search-keys.ts'
import type { Prepared } from './prepared.ts'

/*
 * An event is stored with its search keys as a list. The table `event_key`, which is the index of the keys, follows in
 * steps of hundreds of events: most keys change a different page, so a step writes a page once for many of them. A
 * search looks into the table, and at the events after the last step.
 */

/** After how many events the index follows. A search reads at most as many. */
const stepSize = 500

export const searchKeysSql = {
  indexedTo: 'SELECT seq FROM key_index',
  setIndexedTo: 'UPDATE key_index SET seq = ?',
  indexBetween: `
    INSERT OR IGNORE INTO event_key (value, event_seq) SELECT key.value, event.seq FROM event, json_each(event.about) AS key
    WHERE event.seq > ? AND event.seq <= ? ORDER BY key.value, event.seq`,
  setKeys: 'UPDATE event SET about = ?, resource = ? WHERE seq = ?',
  insertKey: 'INSERT OR IGNORE INTO event_key (value, event_seq) VALUES (?, ?)',
  deleteKeys: `
    DELETE FROM event_key WHERE event_seq = ?
    AND value IN (SELECT key.value FROM event, json_each(event.about) AS key WHERE event.seq = ?)`,
  keysOf: 'SELECT key.value FROM event, json_each(event.about) AS key WHERE event.seq = ? ORDER BY key.value'
} as const

type Sql = Prepared<typeof searchKeysSql>

/** Lets the index follow if there are enough events after its last step. `first` and `last` are new events. */
export function followKeys(sql: Sql, first: number, last: number): void {
  const indexedTo = Number(sql.indexedTo.get()?.['seq'])
  // SQLite gives the keys of the newest events again if these were removed.
  const from = Math.min(indexedTo, first - 1)
  const isDue = last - from >= stepSize
  if (isDue) sql.indexBetween.run(from, last)
  const to = isDue ? last : from
  if (to !== indexedTo) sql.setIndexedTo.run(to)
}

/** Replaces the search keys of an event, and indexes them now. */
export function replaceKeys(sql: Sql, seq: number, { about, resource }: SearchKeys): void {
  sql.deleteKeys.run(seq, seq)
  sql.setKeys.run(packKeys(about), resource ?? null, seq)
  for (const key of about) sql.insertKey.run(key, seq)
}

/** Converts search keys to their stored form. */
export function packKeys(about: readonly string[]): string | null {
  return about.length === 0 ? null : JSON.stringify(about)
}
