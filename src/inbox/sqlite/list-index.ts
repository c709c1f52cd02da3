import type { Prepared } from './prepared.ts'

/*
 * An event is stored without entries in the indexes of lists: `event_key` by search keys, `event_kind` by kind, and
 * `event_block` by the time of arrival. These follow in steps of hundreds of events. Most keys change a different page,
 * so a step writes a page once for many of them. A list looks into the indexes, and at the events after the last step.
 */

/** After how many events the indexes follow. A list reads at most as many that are in no index. */
const stepSize = 500

/** The events of a block have the same `seq >> blockBits`. */
export const blockBits = 10

/** The kind of an event, as a table. */
export function kindOf(event: string): string {
  return `kind WHERE kind.source = ${event}.source AND kind.realm = ${event}.realm AND kind.type = ${event}.type
      AND kind.endpoint = ${event}.endpoint AND kind.live_mode IS ${event}.live_mode`
}

const between = 'event.seq > ? AND event.seq <= ?'

export const listIndexSql = {
  indexedTo: 'SELECT seq FROM list_index',
  setIndexedTo: 'UPDATE list_index SET seq = ?',
  indexKeys: `
    INSERT OR IGNORE INTO event_key (value, event_seq) SELECT key.value, event.seq FROM event, json_each(event.about) AS key
    WHERE ${between} ORDER BY key.value, event.seq`,
  addKinds: `
    INSERT INTO kind (source, realm, type, endpoint, live_mode) SELECT DISTINCT source, realm, type, endpoint, live_mode
    FROM event WHERE ${between} AND NOT EXISTS (SELECT 1 FROM ${kindOf('event')})`,
  indexKinds: `
    INSERT OR IGNORE INTO event_kind (kind, event_seq) SELECT (SELECT id FROM ${kindOf('event')}) AS kind, event.seq FROM event
    WHERE ${between} ORDER BY kind, event.seq`,
  /** The times of a block include those of its removed events. */
  indexTimes: `
    INSERT INTO event_block (number, first_at, last_at) SELECT event.seq >> ${blockBits} AS block, min(received_at), max(received_at)
    FROM event WHERE ${between} GROUP BY block
    ON CONFLICT DO UPDATE SET first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)`,
  pruneKinds: 'DELETE FROM kind WHERE NOT EXISTS (SELECT 1 FROM event_kind WHERE event_kind.kind = kind.id)',
  pruneBlocks: `DELETE FROM event_block WHERE number < (SELECT min(seq) >> ${blockBits} FROM event)`
} as const

type Sql = Prepared<typeof listIndexSql>

/** Lets the indexes follow if there are enough events after the last step. `first` and `last` are new events. */
export function followEvents(sql: Sql, first: number, last: number): void {
  const indexedTo = readIndexedTo(sql)
  // SQLite gives the keys of the newest events again if these were removed.
  const from = Math.min(indexedTo, first - 1)
  if (last - from >= stepSize) indexEvents(sql, from, last)
  else if (from !== indexedTo) sql.setIndexedTo.run(from)
}

/** Adds the events after one and up to another to the indexes. */
export function indexEvents(sql: Sql, after: number, last: number): void {
  sql.indexKeys.run(after, last)
  sql.addKinds.run(after, last)
  sql.indexKinds.run(after, last)
  sql.indexTimes.run(after, last)
  sql.setIndexedTo.run(last)
}

/** Returns the last event that the indexes have. */
export function readIndexedTo(sql: Prepared<Pick<typeof listIndexSql, 'indexedTo'>>): number {
  return Number(sql.indexedTo.get()?.['seq'])
}

/** Deletes the kinds and the blocks that have no events. */
export function pruneIndex(sql: Sql): void {
  sql.pruneKinds.run()
  sql.pruneBlocks.run()
}
