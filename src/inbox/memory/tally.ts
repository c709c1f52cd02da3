import type { TallyQuery, TallyRow } from '../../model/tally.ts'
import type { PruneTallyRequest } from '../inbox.ts'
import { TallyCounts, toCounted, toHour, toLimits, toSpan, toTallyRow, type Counted } from '../tally.ts'
import type { Store } from './store.ts'

/** Lists the counts by minute or hour. */
export function listTally({ tally }: Store, query: TallyQuery): readonly TallyRow[] {
  const { kind, name, step } = query
  const { first, end } = toSpan(query)
  const sums = new TallyCounts()
  for (const row of tally.rows) {
    if (row.minute < first || row.minute >= end) continue
    if ((kind ?? row.kind) !== row.kind || (name ?? row.name) !== row.name) continue
    sums.add(step === 'hour' ? { ...row, minute: toHour(row.minute) } : row)
  }
  return sums.rows.toSorted(compare).map(toTallyRow)
}

/** Sorts as the SQL engines do: by time, kind, name and outcome, texts by code point. */
function compare(one: Counted, other: Counted): number {
  return (
    one.minute - other.minute ||
    compareTexts(one.kind, other.kind) ||
    compareTexts(one.name, other.name) ||
    compareTexts(one.outcome, other.outcome)
  )
}

/** By code unit, as the SQL engines sort. */
export function compareTexts(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}

/** Deletes old rows, and folds minutes into hours. @returns true if there may be more */
export function pruneTally({ tally }: Store, request: PruneTallyRequest): boolean {
  const { deleteBefore, foldBefore } = toLimits(request)
  const { limit } = request
  const old = tally.rows.filter(({ minute }) => minute < deleteBefore).slice(0, limit)
  for (const row of old) tally.delete(row)
  const minutes = tally.rows.filter(({ minute }) => minute < foldBefore && minute !== toHour(minute)).slice(0, limit)
  for (const row of minutes) {
    tally.delete(row)
    tally.add({ ...row, minute: toHour(row.minute) })
  }
  return old.length === limit || minutes.length === limit
}

/** Stores counts of another inbox: the larger of both. */
export function restoreTally({ tally }: Store, rows: readonly TallyRow[]): void {
  for (const row of rows.map(toCounted)) {
    const known = tally.rows.find(
      (each) =>
        each.kind === row.kind && each.minute === row.minute && each.name === row.name && each.outcome === row.outcome
    )
    if (known !== undefined) tally.delete(known)
    tally.add({
      ...row,
      count: Math.max(row.count, known?.count ?? 0),
      totalMs: Math.max(row.totalMs, known?.totalMs ?? 0),
      maxMs: Math.max(row.maxMs, known?.maxMs ?? 0)
    })
  }
}
