import { tallyKinds, type CountedRequests, type TallyKind, type TallyQuery, type TallyRow } from '../../model/tally.ts'
import type { PruneTallyRequest } from '../inbox.ts'
import { readCounted } from '../rows.ts'
import {
  hourMinutes,
  toCounted,
  toHour,
  toLimits,
  toSpan,
  toTallyRow,
  type Counted,
  type TallyCounts
} from '../tally.ts'
import { givenLimit, type Prepared } from './prepared.ts'
import { inTime } from './read-limit.ts'

const kinds = tallyKinds.map((kind) => `'${kind}'`).join(', ')
const columns = 'kind, minute, name, outcome, count, total_ms, max_ms'

const inSpan = `kind = ? AND minute >= ? AND minute < ? AND (? IS NULL OR name = ?) AND ${inTime('minute')}`

export const tallySql = {
  addCounts: `
    INSERT INTO tally (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET count = count + excluded.count, total_ms = total_ms + excluded.total_ms, max_ms = max(max_ms, excluded.max_ms)`,
  restoreCounts: `
    INSERT INTO tally (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET count = max(count, excluded.count), total_ms = max(total_ms, excluded.total_ms), max_ms = max(max_ms, excluded.max_ms)`,
  /** In the order of the primary key. */
  listMinutes: `SELECT ${columns} FROM tally WHERE ${inSpan} ORDER BY minute, name, outcome`,
  nextMinute: 'SELECT min(minute) AS minute FROM tally WHERE kind = ? AND minute >= ? AND minute < ?',
  /** Sums one hour: to group all hours at once would sort thousands of rows, and take several times as long. */
  sumHour: `
    SELECT kind, name, outcome, sum(count) AS count, sum(total_ms) AS total_ms, max(max_ms) AS max_ms FROM tally
    WHERE ${inSpan} GROUP BY name, outcome ORDER BY name, outcome`,
  deleteOldCounts: `
    DELETE FROM tally WHERE (kind, minute, name, outcome) IN (
      SELECT kind, minute, name, outcome FROM tally WHERE kind IN (${kinds}) AND minute < ? ${givenLimit})`,
  oldMinutes: `SELECT ${columns} FROM tally INDEXED BY tally_minute WHERE minute % 60 <> 0 AND minute < ? ORDER BY minute ${givenLimit}`,
  deleteCounts: 'DELETE FROM tally WHERE kind = ? AND minute = ? AND name = ? AND outcome = ?'
} as const

export interface Counting {
  /** The counts of the current transaction, written at its end. */
  readonly counts: TallyCounts
  /** The handlers of claimed deliveries, by id. To read them would take as long as to settle the deliveries. */
  readonly claimed: Map<number, string>
}

type Sql = Prepared<typeof tallySql> & Counting

/** Writes the counts of a transaction: one row for each minute, kind, name and outcome. */
export function writeCounts(sql: Sql): void {
  for (const row of sql.counts.rows) addRow(sql, row)
  sql.counts.clear()
}

function addRow(sql: Sql, { kind, minute, name, outcome, count, totalMs, maxMs }: Counted): void {
  sql.addCounts.run(kind, minute, name, outcome, count, totalMs, maxMs)
}

export function countRequests({ counts }: Sql, requests: readonly CountedRequests[]): undefined {
  counts.addRequests(requests)
}

/** Lists the counts by minute or hour. */
export function listTally(sql: Sql, query: TallyQuery): TallyRow[] {
  const list = query.step === 'hour' ? listHours : listMinutes
  return tallyKinds
    .filter((kind) => (query.kind ?? kind) === kind)
    .toSorted()
    .flatMap((kind) => list(sql, kind, query))
    .sort((one, other) => one.minute - other.minute)
    .map(toTallyRow)
}

function listMinutes(sql: Sql, kind: TallyKind, query: TallyQuery): Counted[] {
  const { first, end } = toSpan(query)
  const { name = null } = query
  return sql.listMinutes.all(kind, first, end, name, name).map(readCounted)
}

function listHours(sql: Sql, kind: TallyKind, query: TallyQuery): Counted[] {
  const { first, end } = toSpan(query)
  const { name = null } = query
  const found: Counted[] = []
  for (let from = first; ; ) {
    const next = sql.nextMinute.get(kind, from, end)?.['minute']
    if (typeof next !== 'number') return found
    const minute = toHour(next)
    from = minute + hourMinutes
    for (const row of sql.sumHour.all(kind, minute, from, name, name)) found.push(readCounted({ ...row, minute }))
  }
}

/** Deletes old rows, and folds minutes into hours. @returns true if there may be more */
export function pruneTally(sql: Sql, request: PruneTallyRequest): boolean {
  const { deleteBefore, foldBefore } = toLimits(request)
  const { limit } = request
  const { changes } = sql.deleteOldCounts.run(deleteBefore, limit)
  const minutes = sql.oldMinutes.all(foldBefore, limit).map(readCounted)
  for (const row of minutes) {
    sql.deleteCounts.run(row.kind, row.minute, row.name, row.outcome)
    sql.counts.add({ ...row, minute: toHour(row.minute) })
  }
  return changes === limit || minutes.length === limit
}

/** Stores counts of another inbox: the larger of both. */
export function restoreTally(sql: Sql, rows: readonly TallyRow[]): undefined {
  for (const { kind, minute, name, outcome, count, totalMs, maxMs } of rows.map(toCounted))
    sql.restoreCounts.run(kind, minute, name, outcome, count, totalMs, maxMs)
}
