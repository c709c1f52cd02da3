import { tallyKinds, type TallyQuery, type TallyRow } from '../../model/tally.ts'
import type { PruneTallyRequest } from '../inbox.ts'
import { readCounted } from '../rows.ts'
import { toCounted, toLimits, toSpan, toTallyRow, type Counted } from '../tally.ts'
import type { Times } from './claim.ts'
import type { Database, Session } from './database.ts'

/** The current minute. @param fixed replaces the database's time, in tests */
export const minuteSql = (fixed: string): string =>
  `floor(extract(epoch FROM coalesce(${fixed}::timestamptz, statement_timestamp())) / 60)::integer`

/**
 * Inserts counts, or adds them to the rows that exist. Each connection writes its own rows, so that no transaction
 * waits for another one. `pruneTally` merges them.
 * @param rows the columns kind, minute, name, outcome, count, total_ms and max_ms, one row for each key
 */
export const addCountsSql = (rows: string): string => `
INSERT INTO riverhook.tally AS tally (kind, minute, name, outcome, count, total_ms, max_ms, writer)
SELECT added.*, pg_backend_pid() FROM (${rows}) AS added (kind, minute, name, outcome, count, total_ms, max_ms)
${addToKnown}`

const addToKnown = `
ON CONFLICT (kind, minute, name, outcome, writer) DO UPDATE
SET count = tally.count + excluded.count, total_ms = tally.total_ms + excluded.total_ms, max_ms = greatest(tally.max_ms, excluded.max_ms)`

const eventOutcome =
  "CASE WHEN conflict THEN 'conflict' WHEN NOT conflict THEN 'duplicate' WHEN state = 'quarantined' THEN 'quarantined' WHEN backfilled THEN 'backfilled' ELSE 'accepted' END"

/** Counts recorded requests. @param given the columns name, state, backfilled and conflict */
export const countEventsSql = (given: string, fixed: string): string =>
  addCountsSql(`
  SELECT 'event', ${minuteSql(fixed)}, name, ${eventOutcome}, count(*), 0, 0
  FROM (${given}) AS counted GROUP BY 1, 2, 3, 4`)

/** The same for at most one request. */
export const countEventSql = (given: string, fixed: string): string =>
  addCountsSql(`SELECT 'event', ${minuteSql(fixed)}, name, ${eventOutcome}, 1, 0, 0 FROM (${given}) AS counted`)

/** Adds counts of any kind. */
export async function addCounts(session: Session, rows: readonly Counted[]): Promise<void> {
  if (rows.length === 0) return
  await session.query(addRowsSql, toColumns(rows))
}

function toColumns(rows: readonly Counted[]): readonly unknown[] {
  return [
    rows.map(({ kind }) => kind),
    rows.map(({ minute }) => minute),
    rows.map(({ name }) => name),
    rows.map(({ outcome }) => outcome),
    rows.map(({ count }) => count),
    rows.map(({ totalMs }) => totalMs),
    rows.map(({ maxMs }) => maxMs)
  ]
}

const sums = 'sum(count)::bigint AS count, sum(total_ms)::bigint AS total_ms, max(max_ms) AS max_ms'

const addRowsSql = addCountsSql(`
  SELECT kind, minute, name, outcome, ${sums}
  FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
    AS given (kind, minute, name, outcome, count, total_ms, max_ms)
  GROUP BY kind, minute, name, outcome`)

/** Lists the counts by minute or hour. */
export async function listTally(session: Session, query: TallyQuery): Promise<readonly TallyRow[]> {
  const { first, end } = toSpan(query)
  const { kind, name, step } = query
  const rows = await session.query(listSql(step), [first, end, kind === undefined ? tallyKinds : [kind], name ?? null])
  return rows.map((row) => toTallyRow(readCounted(row)))
}

const hour = 'minute - minute % 60'

const listSql = (step: TallyQuery['step']): string => `
SELECT ${step === 'hour' ? hour : 'minute'} AS minute, kind, name, outcome, ${sums} FROM riverhook.tally
WHERE kind = ANY ($3::text[]) AND minute >= $1 AND minute < $2 AND ($4::text IS NULL OR name = $4)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`

/** Rows of this minute and the last ones are not merged: connections still write them. */
const openMinutes = 5

/** Deletes old rows, merges those of several connections, and folds minutes into hours. */
export async function pruneTally(database: Database, request: PruneTallyRequest, { fixed }: Times): Promise<boolean> {
  const { deleteBefore, foldBefore } = toLimits(request)
  const { limit } = request
  const counts = [
    await database.query(deleteOldSql, [tallyKinds, deleteBefore, limit]),
    await database.query(mergeSql, [fixed ?? null, limit]),
    await database.query(foldSql, [foldBefore, limit])
  ]
  return counts.some(([row]) => Number(row?.['count']) === limit)
}

// SKIP LOCKED: another replica may prune at the same time, and this must not delay those who count.
const pruneSql = (condition: string, limit: string, insert: string): string => `
WITH old AS MATERIALIZED (
  SELECT kind, minute, name, outcome, writer FROM riverhook.tally WHERE ${condition} LIMIT ${limit} FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM riverhook.tally AS tally USING old
  WHERE (tally.kind, tally.minute, tally.name, tally.outcome, tally.writer) = (old.kind, old.minute, old.name, old.outcome, old.writer)
  RETURNING tally.*
)${insert}
SELECT count(*)::integer AS count FROM gone`

const insertSumsSql = (minute: string): string => `, summed AS (
  INSERT INTO riverhook.tally AS tally (kind, minute, name, outcome, writer, count, total_ms, max_ms)
  SELECT kind, ${minute}, name, outcome, 0, ${sums} FROM gone GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 ${addToKnown}
)`

const deleteOldSql = pruneSql('kind = ANY ($1::text[]) AND minute < $2', '$3', '')
const mergeSql = pruneSql(`writer <> 0 AND minute < ${minuteSql('$1')} - ${openMinutes}`, '$2', insertSumsSql('minute'))
const foldSql = pruneSql('writer = 0 AND minute % 60 <> 0 AND minute < $1', '$2', insertSumsSql(hour))

/** Stores counts of another inbox: the larger of both. They are merged already. */
export async function restoreTally(session: Session, rows: readonly TallyRow[]): Promise<void> {
  await session.query(restoreSql, toColumns(rows.map(toCounted)))
}

const restoreSql = `
INSERT INTO riverhook.tally AS tally (kind, minute, name, outcome, count, total_ms, max_ms, writer)
SELECT given.*, 0 FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) AS given
ON CONFLICT (kind, minute, name, outcome, writer) DO UPDATE
SET count = greatest(tally.count, excluded.count), total_ms = greatest(tally.total_ms, excluded.total_ms), max_ms = greatest(tally.max_ms, excluded.max_ms)`
