import type * as contract from '../inbox.ts'
import { readDelivery, readSummary } from '../rows.ts'
import { isSearch, Search, type Bodies, type Candidate, type CandidatePage } from '../search.ts'
import { boundsOf, many } from '../wanted.ts'
import type { Session } from './database.ts'
import { listChecks } from './list-checks.ts'
import { choosePath, usualPath } from './list-choice.ts'
import { findKeyRangePaths } from './list-keys.ts'
import { mergePlaces } from './list-merge.ts'
import { isIndexPath, type Path, type Reading } from './list-path.ts'
import { listPaths } from './list-paths.ts'
import { narrowToTime } from './list-time.ts'
import { type AddValue, collectValues } from './list-values.ts'
import { findWanted } from './list-wanted.ts'
import { eventColumns, eventTables, readDeliveries } from './read.ts'

/*
 * The planner would often choose to read millions of rows, because it does not know which filters exclude each other,
 * and where in the order of arrival the events of a filter are. So this file chooses the index of each list, as the
 * engine on SQLite does: the one that leads to the fewest events.
 *
 * PostgreSQL has no words to name an index. A comparison of rows, such as (type, seq) > ('a', 1), with ORDER BY for all
 * of these columns and a LIMIT, leaves it no other choice: with any other index, it would have to sort all rows. A
 * subquery with LIMIT 1 is a look into an index for each row: the planner cannot turn it into a join.
 */

/** Lists a page of events, newest first unless the filter has `oldestFirst`. */
export async function listEvents(session: Session, filter: contract.EventFilter): Promise<contract.EventPage> {
  if (!isSearch(filter)) {
    const { candidates, next } = await listCandidates(session, filter)
    return { events: candidates.map(({ event }) => event), next }
  }
  const search = new Search(filter)
  for (let given = search.next(); given !== undefined; given = search.next())
    for (const part of search.parts(await listCandidates(session, given)))
      await search.checkInTurns(part, search.needsBodies ? await readBodies(session, part) : new Map())
  return search.result()
}

async function readBodies(session: Session, part: readonly Candidate[]): Promise<Bodies> {
  const rows = await session.query('SELECT seq, body FROM riverhook.event WHERE seq = ANY ($1::bigint[])', [
    part.map(({ seq }) => seq)
  ])
  return new Map(rows.map((row) => [Number(row['seq']), row['body'] as Buffer]))
}

/** Lists the events that the filters without `where`, and with any failing delivery for `error`, select. */
async function listCandidates(session: Session, filter: contract.EventFilter): Promise<CandidatePage> {
  const found = await findSeqs(session, filter)
  const page = found.slice(0, filter.limit)
  if (page.length === 0) return { candidates: [], next: undefined }
  const rows = await session.query(
    `SELECT ${eventColumns}, octet_length(event.body) AS size FROM ${eventTables} WHERE event.seq = ANY ($1::bigint[]) ORDER BY event.seq ${direction(filter)}`,
    [page]
  )
  const deliveries = await readDeliveries(session, rows)
  return {
    candidates: rows.map((row) => ({
      seq: Number(row['seq']),
      size: Number(row['size']),
      event: { ...readSummary(row), deliveries: (deliveries.get(row['seq']) ?? []).map(readDelivery) }
    })),
    next: found.length > filter.limit ? page.at(-1) : undefined
  }
}

/** Finds the keys of the events of a page, in their order, and one more if there is another page. */
async function findSeqs(session: Session, filter: contract.EventFilter): Promise<readonly number[]> {
  const { limit } = filter
  const wanted = await findWanted(session, filter)
  if (Object.values(wanted).some(({ length }) => length === 0)) return []
  const page = boundsOf(filter)
  const inTime = wanted.blocks === undefined ? page : await narrowToTime(session, filter, page, wanted.blocks)
  const paths = listPaths(filter, wanted, inTime)
  const reading = { order: direction(filter), limit: limit + 1 }
  const checksOf =
    (path: Path) =>
    (value: AddValue): readonly string[] =>
      listChecks(value, filter, wanted, path)
  const usual = usualPath(paths)
  const byKeys = await findKeyRangePaths(session, filter)
  const seqs: number[] = []
  let bounds = inTime
  if (filter.id === undefined && isIndexPath(usual)) {
    // This often fills the page before any path is counted. The more keys there are, the likelier that is.
    const rounds = byKeys.length === 0 ? 2 : byKeys.some(({ most = 0 }) => most < many) ? 0 : 1
    const merged = await mergePlaces(session, usual, { ...reading, bounds, checks: checksOf(usual), rounds })
    if (merged.rest === undefined || merged.seqs.length > limit) return merged.seqs
    seqs.push(...merged.seqs)
    bounds = merged.rest
  }
  const others = await readPage(
    session,
    [...byKeys, ...paths],
    { ...reading, bounds, limit: limit + 1 - seqs.length },
    checksOf
  )
  return [...seqs, ...others]
}

/** Reads the events of a page by the path to the fewest events. */
async function readPage(
  session: Session,
  paths: readonly Path[],
  reading: Omit<Reading, 'checks'>,
  checksOf: (path: Path) => (value: AddValue) => readonly string[]
): Promise<readonly number[]> {
  const { path, bounds } = await choosePath(session, paths, reading.bounds)
  const checks = checksOf(path)
  if (isIndexPath(path)) return (await mergePlaces(session, path, { ...reading, bounds, checks })).seqs
  const { values, value } = collectValues()
  const { order, limit } = reading
  const found = path.select(value, { bounds, order, limit, checks: checks(value) })
  const rows = await session.query(
    `SELECT DISTINCT found.seq FROM (${found}) AS found ORDER BY found.seq ${order} LIMIT ${value(limit, 'bigint')}`,
    values
  )
  return rows.map((row) => Number(row['seq']))
}

function direction({ oldestFirst = false }: contract.EventFilter): 'ASC' | 'DESC' {
  return oldestFirst ? 'ASC' : 'DESC'
}
