import { tallyKinds, type RefusedRequests, type TallyQuery, type TallyRow } from '../../model/tally.ts'
import type { PruneTallyRequest } from '../inbox.ts'
import { readCounted } from '../rows.ts'
import { toHour, toLimits, toSpan, toTallyRow, type Counted, type TallyCounts } from '../tally.ts'
import type { Prepared } from './prepared.ts'
import { inTime } from './read-limit.ts'

const kinds = tallyKinds.map((kind) => `'${kind}'`).join(', ')
const columns = 'kind, minute, name, outcome, count, total_ms, max_ms'

const listSql = (minute: string): string => `
    SELECT ${minute} AS minute, kind, name, outcome, sum(count) AS count, sum(total_ms) AS total_ms, max(max_ms) AS max_ms
    FROM tally WHERE kind IN (${kinds}) AND minute >= ? AND minute < ? AND (? IS NULL OR kind = ?) AND (? IS NULL OR name = ?)
      AND ${inTime('minute')}
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`

export const tallySql = {
  addCounts: `
    INSERT INTO tally (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET count = count + excluded.count, total_ms = total_ms + excluded.total_ms, max_ms = max(max_ms, excluded.max_ms)`,
  listMinutes: listSql('minute'),
  listHours: listSql('minute - minute % 60'),
  deleteOldCounts: `
    DELETE FROM tally WHERE (kind, minute, name, outcome) IN (
      SELECT kind, minute, name, outcome FROM tally WHERE kind IN (${kinds}) AND minute < ? LIMIT ?)`,
  oldMinutes: `SELECT ${columns} FROM tally INDEXED BY tally_minute WHERE minute % 60 <> 0 AND minute < ? ORDER BY minute LIMIT ?`,
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

export function countRefused({ counts }: Sql, refused: readonly RefusedRequests[]): undefined {
  counts.addRefusals(refused)
}

/** Lists the counts by minute or hour. */
export function listTally(sql: Sql, query: TallyQuery): TallyRow[] {
  const { first, end } = toSpan(query)
  const { kind = null, name = null, step } = query
  const list = step === 'hour' ? sql.listHours : sql.listMinutes
  return list.all(first, end, kind, kind, name, name).map((row) => toTallyRow(readCounted(row)))
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
