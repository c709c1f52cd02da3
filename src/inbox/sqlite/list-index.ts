import { keySegmentsSql, mergeSegments, smallOf } from './key-segments.ts'
import type { Prepared } from './prepared.ts'

/*
 * An event is stored without entries in the indexes of lists: `event_key` by search keys, `event_kind` by kind and by
 * handler, and `event_block` by the time of arrival. These follow in steps of hundreds of events. Most keys change a
 * different page, so a step writes a page once for many of them: see key-segments.ts. A list looks into the indexes,
 * and at the events after the last step.
 */

/** After how many events the indexes follow. A list reads at most as many that are in no index. */
const stepSize = 500

/**
 * How many keys of old events a step copies or deletes. Each key is copied and deleted once, so this is more than
 * enough for all.
 */
const mergedPerKey = 2.5
const leastMerged = 100

/** The events of a block have the same `seq >> blockBits`. */
export const blockBits = 10

/** The kinds of an event and its deliveries, as a table: all, or the one with a handler. */
export function kindsOf(event: string, handler?: string): string {
  const isOfHandler = handler === undefined ? '' : ` AND kind.handler IS ${handler}`
  return `kind WHERE kind.source = ${event}.source AND kind.realm = ${event}.realm AND kind.type = ${event}.type
      AND kind.endpoint = ${event}.endpoint AND kind.live IS ${event}.live_mode${isOfHandler}`
}

/** The rows that have a kind. */
const [ofEvents, ofDeliveries] = [
  { handler: 'NULL', from: 'event' },
  { handler: 'delivery.handler', from: 'event CROSS JOIN delivery ON delivery.event_seq = event.seq' }
] as const

function addKinds({ handler, from }: typeof ofEvents | typeof ofDeliveries, between: string): string {
  return `
    INSERT INTO kind (source, realm, type, endpoint, live, handler)
    SELECT DISTINCT event.source, event.realm, event.type, event.endpoint, event.live_mode, ${handler} FROM ${from}
    WHERE ${between} AND NOT EXISTS (SELECT 1 FROM ${kindsOf('event', handler)})`
}

function indexKinds({ handler, from }: typeof ofEvents | typeof ofDeliveries, between: string): string {
  return `
    INSERT OR IGNORE INTO event_kind (kind, event_seq)
    SELECT (SELECT kind.id FROM ${kindsOf('event', handler)}) AS kind, event.seq FROM ${from} WHERE ${between} ORDER BY kind, event.seq`
}

/** The statements that index the kinds of one event and its deliveries. */
export function indexKindsOf(seq: string): string {
  const isEvent = `event.seq = ${seq}`
  const parts = [ofEvents, ofDeliveries].flatMap((each) => [addKinds(each, isEvent), indexKinds(each, isEvent)])
  return parts.join(';')
}

const between = 'event.seq > ? AND event.seq <= ?'

export const listIndexSql = {
  ...keySegmentsSql,
  indexedTo: 'SELECT seq FROM list_index',
  setIndexedTo: 'UPDATE list_index SET seq = ?',
  /** Not sorted: the pages of a segment are in the cache, so sorting costs more than it saves. */
  indexKeys: `
    INSERT OR IGNORE INTO event_key (segment, value, event_seq)
    SELECT ${smallOf('event.seq')}, key.value, event.seq FROM event CROSS JOIN json_each(event.about) AS key
    WHERE ${between}`,
  addEventKinds: addKinds(ofEvents, between),
  indexEventKinds: indexKinds(ofEvents, between),
  addDeliveryKinds: addKinds(ofDeliveries, between),
  indexDeliveryKinds: indexKinds(ofDeliveries, between),
  /** The times of a block include those of its removed events. */
  indexTimes: `
    INSERT INTO event_block (number, first_at, last_at) SELECT event.seq >> ${blockBits} AS block, min(received_at), max(received_at)
    FROM event WHERE ${between} GROUP BY block
    ON CONFLICT DO UPDATE SET first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)`,
  pruneBlocks: `DELETE FROM event_block WHERE number < (SELECT min(seq) >> ${blockBits} FROM event)`
} as const

type Sql = Prepared<typeof listIndexSql>

/** Lets the indexes follow if there are enough events after the last step. */
export function followEvents(sql: Sql, newest: number): void {
  const indexedTo = readIndexedTo(sql)
  if (newest - indexedTo >= stepSize) indexEvents(sql, indexedTo, newest)
}

/** Adds the events after one and up to another to the indexes. */
export function indexEvents(sql: Sql, after: number, last: number): void {
  const { changes } = sql.indexKeys.run(after, last)
  sql.addEventKinds.run(after, last)
  sql.indexEventKinds.run(after, last)
  indexDeliveries(sql, after, last)
  sql.indexTimes.run(after, last)
  sql.setIndexedTo.run(last)
  mergeSegments(sql, last, leastMerged + mergedPerKey * Number(changes))
}

/** Adds a new delivery of an event to the indexes, if these have the event. */
export function indexDelivery(sql: Sql, eventSeq: number): void {
  if (eventSeq <= readIndexedTo(sql)) indexDeliveries(sql, eventSeq - 1, eventSeq)
}

function indexDeliveries(sql: Sql, after: number, last: number): void {
  sql.addDeliveryKinds.run(after, last)
  sql.indexDeliveryKinds.run(after, last)
}

/** Returns the last event that the indexes have. */
export function readIndexedTo(sql: Prepared<Pick<typeof listIndexSql, 'indexedTo'>>): number {
  return Number(sql.indexedTo.get()?.['seq'])
}

/** Deletes the blocks that have no events. */
export function pruneBlocks(sql: Sql): void {
  sql.pruneBlocks.run()
}
