import type { Prepared } from './prepared.ts'

/*
 * The index of search keys, `event_key`, is divided into segments by the order of arrival. Most keys of new events go
 * to different pages: in one large index, a step would change a page for each key, and in a small segment it changes
 * few. But a search looks into each segment. So the keys of old events are copied, in the order of their values, to
 * segments of 64 times as many events. Each step copies or deletes a few thousand entries, in the transaction that
 * indexes new events: `list_index` says how far it is. Readers find the keys of an event in one segment: in the large
 * one once that is complete, and in the small one before.
 */

/** The events of a small segment have the same `seq >> smallBits`. */
export const smallBits = 12

/** The events of a large segment have the same `seq >> largeBits`. */
export const largeBits = 18

/** Large segments have negative numbers, also in the order of arrival. */
const largeOffset = 2 ** 20

const smallPerLarge = 2 ** (largeBits - smallBits)

/** The small segment of an event: its keys are there first. */
export function smallOf(seq: string): string {
  return `(${seq} >> ${smallBits})`
}

/** The large segment of an event: its keys are there later. */
export function largeOf(seq: string): string {
  return `((${seq} >> ${largeBits}) - ${largeOffset})`
}

/**
 * How many of the next entries are copied at once, at most: of the small segment that comes first, and of all others
 * together. Keys that are random are in all segments, and those in the order of arrival in one or a few.
 */
const [mostOfFirst, mostOfOthers] = [1_024, 4_096]

/** Finding the next entries takes as long as copying this many. */
const leastCounted = 250

const isAfter = '(k.value, k.event_seq) > (?, ?)'

export const keySegmentsSql = {
  keySegments: 'SELECT merged, emptied, copied_value, copied_seq FROM list_index',
  oldestEvent: 'SELECT min(seq) AS seq FROM event',
  setMerged: `UPDATE list_index SET merged = ?, copied_value = '', copied_seq = 0`,
  setCopied: 'UPDATE list_index SET copied_value = ?, copied_seq = ?',
  setEmptied: 'UPDATE list_index SET emptied = ?',
  nextSegment: 'SELECT min(segment) AS segment FROM event_key WHERE segment >= ?',
  /** An entry of each small segment after one. */
  nextEntries: `
    SELECT given.value AS segment, (
      SELECT json_array(k.value, k.event_seq) FROM event_key AS k WHERE k.segment = given.value AND ${isAfter}
      ORDER BY k.value, k.event_seq LIMIT 1 OFFSET ?) AS entry
    FROM json_each(?) AS given`,
  copyKeys: `
    INSERT OR IGNORE INTO event_key (segment, value, event_seq)
    SELECT ? - ${largeOffset}, k.value, k.event_seq FROM json_each(?) AS given CROSS JOIN event_key AS k
    WHERE k.segment = given.value AND ${isAfter} AND (k.value, k.event_seq) <= (?, ?) ORDER BY k.value, k.event_seq`,
  copyLastKeys: `
    INSERT OR IGNORE INTO event_key (segment, value, event_seq)
    SELECT ? - ${largeOffset}, k.value, k.event_seq FROM json_each(?) AS given CROSS JOIN event_key AS k
    WHERE k.segment = given.value AND ${isAfter} ORDER BY k.value, k.event_seq`,
  emptySegment: 'DELETE FROM event_key WHERE segment = ?'
} as const

type Sql = Prepared<typeof keySegmentsSql>

/** Lists the segments that have the keys of the events from one to another, in the order of arrival. */
export function listSegments(sql: Sql, from: number, to: number): readonly number[] {
  const { merged } = readState(sql)
  // Most events of a wide span may be removed.
  const oldest = Number(sql.oldestEvent.get()?.['seq'] ?? 0)
  const [first, last] = [Math.max(from, oldest), to]
  const firstSmall = Math.max(merged * smallPerLarge, numberOf(first, smallBits))
  return [
    ...range(numberOf(first, largeBits), Math.min(merged - 1, numberOf(last, largeBits))).map(
      (large) => large - largeOffset
    ),
    ...range(firstSmall, numberOf(last, smallBits))
  ]
}

function numberOf(seq: number, bits: number): number {
  return Math.floor(seq / 2 ** bits)
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
}

/** The keys that the events of a segment come after and before. */
export function spanOf(segment: number): { readonly above: number; readonly below: number } {
  const [number, size] = segment < 0 ? [segment + largeOffset, 2 ** largeBits] : [segment, 2 ** smallBits]
  return { above: number * size - 1, below: (number + 1) * size }
}

interface State {
  /** The number of the large segment that follows the complete ones. */
  readonly merged: number
  /** The small segment before which all are deleted. */
  readonly emptied: number
  /** The last entry that was copied to that large segment. */
  readonly copied: Entry
}

function readState(sql: Sql): State {
  const row = sql.keySegments.get() ?? {}
  return {
    merged: Number(row['merged']),
    emptied: Number(row['emptied']),
    copied: [String(row['copied_value']), Number(row['copied_seq'])]
  }
}

/**
 * Copies old keys to large segments, as long as there are any.
 * @param indexedTo the last event whose keys are in the index
 * @param entries after how many entries it ends; it may be some thousand more
 */
export function mergeSegments(sql: Sql, indexedTo: number, entries: number): void {
  for (let rest = entries; rest > 0; ) {
    const done = mergeSome(sql, indexedTo)
    if (done === undefined) return
    rest -= Math.max(done, leastCounted)
  }
}

/** @returns how many entries were copied or deleted; undefined if there is nothing to do */
function mergeSome(sql: Sql, indexedTo: number): number | undefined {
  const { merged, emptied, copied } = readState(sql)
  const start = merged * smallPerLarge
  if (emptied < start) {
    const segment = Math.min(nextSegment(sql, emptied) ?? start, start)
    sql.setEmptied.run(Math.min(segment + 1, start))
    return segment === start ? 0 : Number(sql.emptySegment.run(segment).changes)
  }
  const complete = Math.floor((indexedTo + 1) / 2 ** largeBits)
  if (merged >= complete) return undefined
  const next = nextSegment(sql, start) ?? Infinity
  // The events of a wide span may all be removed.
  const found = Math.min(Math.floor(next / smallPerLarge), complete)
  if (found > merged) {
    sql.setMerged.run(found)
    return 0
  }
  const small = Array.from({ length: smallPerLarge }, (_, index) => start + index)
  const end = findEnd(sql, small, copied)
  const from = JSON.stringify(small)
  if (end === undefined) {
    const { changes } = sql.copyLastKeys.run(merged, from, ...copied)
    sql.setMerged.run(merged + 1)
    return Number(changes)
  }
  sql.setCopied.run(...end)
  return Number(sql.copyKeys.run(merged, from, ...copied, ...end).changes)
}

/** Finds the entry up to which some thousand entries of small segments are at most. @returns undefined if all are */
function findEnd(sql: Sql, small: readonly number[], after: Entry): Entry | undefined {
  const first = readNext(sql, small, after, 0)
  const [next] = first
  if (next === undefined) return undefined
  const ends = readNext(sql, [next.segment], after, mostOfFirst - 1)
  const [end] = ends
  const others = first.slice(1).filter((each) => end === undefined || inOrder(each, end) < 0)
  const segments = others.map(({ segment }) => segment)
  ends.push(...readNext(sql, segments, after, Math.floor(mostOfOthers / Math.max(1, segments.length)) - 1))
  return ends.toSorted(inOrder)[0]?.entry
}

type Entry = readonly [string, number]

/** Reads an entry of each small segment after one, the first at the beginning. */
function readNext(
  sql: Sql,
  small: readonly number[],
  after: Entry,
  offset: number
): { readonly segment: number; readonly entry: Entry }[] {
  return sql.nextEntries
    .all(...after, offset, JSON.stringify(small))
    .flatMap(({ segment, entry }) =>
      entry === null ? [] : [{ segment: Number(segment), entry: JSON.parse(String(entry)) as Entry }]
    )
    .toSorted(inOrder)
}

/** Compares entries nearly as SQLite does: the order decides only how many are copied at once. */
function inOrder(
  { entry: [value, seq] }: { readonly entry: Entry },
  { entry: other }: { readonly entry: Entry }
): number {
  return value === other[0] ? seq - other[1] : value < other[0] ? -1 : 1
}

function nextSegment(sql: Sql, from: number): number | undefined {
  const segment = sql.nextSegment.get(from)?.['segment']
  return typeof segment === 'number' ? segment : undefined
}
