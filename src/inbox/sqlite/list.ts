import type * as contract from '../inbox.ts'
import { readDelivery, readSummary } from '../rows.ts'
import { type CandidatePage, isSearch, Search } from '../search.ts'
import { boundsOf, hasKind, isDeliveryState, sortable } from '../wanted.ts'
import { listChecks } from './list-checks.ts'
import { checkTime, choosePath, countUpTo } from './list-choice.ts'
import {
  join,
  keyOf,
  type Merged,
  type Place,
  type Sequence,
  tableOf,
  type Term,
  term,
  withinBounds
} from './list-path.ts'
import { blockBits } from './list-index.ts'
import { inOrder, mergePlaces, type Reading } from './list-merge.ts'
import { hasFewIn, kindPath, listPaths } from './list-paths.ts'
import type { Sql } from './list-statements.ts'
import { listWanted, type Wanted } from './list-wanted.ts'
import { givenLimit } from './prepared.ts'
import { inTime } from './read-limit.ts'

/** How many events are looked at for each event of a page, before the indexes are compared. */
const lookedAt = 10

/** Lists a page of events, newest first unless the filter has `oldestFirst`. */
export function listEvents(sql: Sql, filter: contract.EventFilter): contract.EventPage {
  if (!isSearch(filter)) {
    const { candidates, next } = listCandidates(sql, filter)
    return { events: candidates.map(({ event }) => event), next }
  }
  const search = new Search(filter)
  for (let given = search.next(); given !== undefined; given = search.next())
    for (const part of search.parts(listCandidates(sql, given)))
      search.check(part, new Map(search.needsBodies ? part.map(({ seq }) => [seq, readBody(sql, seq)]) : []))
  return search.result()
}

function readBody(sql: Sql, seq: number): Uint8Array {
  return sql.body.get(seq)?.['body'] as Uint8Array
}

/** Lists the events that the filters without `where`, and with any failing delivery for `error`, select. */
function listCandidates(sql: Sql, filter: contract.EventFilter): CandidatePage {
  const found = findSeqs(sql, filter)
  const page = found.slice(0, filter.limit)
  return {
    candidates: page.map((seq) => {
      const row = sql.summary.get(seq) ?? {}
      const deliveries = sql.deliveriesOf.all(seq).map(readDelivery)
      return { seq, size: Number(row['size']), event: { ...readSummary(row), deliveries } }
    }),
    next: found.length > filter.limit ? page.at(-1) : undefined
  }
}

/** Finds the keys of the events of a page, in their order, and one more if there is another page. */
function findSeqs(sql: Sql, filter: contract.EventFilter): readonly number[] {
  const { limit, oldestFirst = false } = filter
  const page = boundsOf(filter)
  const wanted = listWanted(sql, filter, page)
  if (Object.values(wanted).some(({ length }) => length === 0)) return []
  const bounds = { above: wanted.spans?.[0]?.above ?? page.above, below: wanted.spans?.at(-1)?.below ?? page.below }
  const reading = { statements: sql.built, bounds, oldestFirst, limit: limit + 1 }
  const newest = readNewest(sql, filter, wanted, reading)
  if (newest.length > limit) return newest
  const path = choosePath(sql, listPaths(sql, filter, wanted), bounds)
  const checks = listChecks(filter, wanted, path)
  const found =
    path.isSequence === true
      ? readInTurn(sql, path, { ...reading, checks })
      : readTogether(sql, path, { ...reading, checks })
  return [...new Set(found)].sort(inOrder(oldestFirst)).slice(0, limit + 1)
}

/**
 * Looks at the first events of the kinds: often, many of them are wanted. Otherwise, it would take ten times as long to
 * count how many events each index leads to.
 */
function readNewest(
  sql: Sql,
  filter: contract.EventFilter,
  { kinds, ...wanted }: Wanted,
  reading: Omit<Reading, 'checks'>
): readonly number[] {
  const { id, about, error, state } = filter
  if (kinds === undefined || (id ?? about ?? error) !== undefined) return []
  if (state === 'quarantined' || (state === 'dead' && !hasKind(filter))) return []
  if (isDeliveryState(state) && state !== 'done' && hasFewIn(sql, state, kinds)) return []
  const path = kindPath(sql, filter, kinds)
  const checks = listChecks(filter, { kinds, ...wanted }, path)
  if (checks.length === 0) return []
  // The first block in a time may have as many events that are out of it.
  const outOfTime = wanted.spans === undefined ? 0 : 2 ** blockBits
  return mergePlaces(sql, path.places, { ...reading, checks, most: reading.limit * lookedAt + outOfTime })
}

function readTogether(sql: Sql, { places }: Merged, reading: Reading): readonly number[] {
  const sorted = places.filter(({ isSorted }) => isSorted === true)
  const others = places.filter((place) => !sorted.includes(place))
  return [...mergePlaces(sql, others, reading), ...sorted.flatMap((place) => readPlace(place, reading))]
}

/** Reads places that follow each other, until the page is full. */
function readInTurn(sql: Sql, { places }: Sequence, reading: Reading): readonly number[] {
  const found: number[] = []
  let index = 0
  for (const place of places) {
    checkTime(sql, index)
    index += 1
    const isInOrder = place.inOrder !== undefined && isTooMany(sql, place, reading)
    found.push(...readPlace((isInOrder ? place.inOrder : undefined) ?? place, reading))
    if (found.length >= reading.limit) break
  }
  return found
}

function isTooMany(sql: Sql, place: Place, { bounds }: Reading): boolean {
  return countUpTo(sql, { places: [place], covers: [] }, bounds, sortable) === sortable
}

/** Reads the first events of a place. */
function readPlace(place: Place, reading: Reading): readonly number[] {
  const { sql, values } = toStatement(place, reading)
  return reading.statements
    .get(sql)
    .all(...values, reading.limit)
    .map(({ seq }) => Number(seq))
}

/** The statement that reads the events of a place, up to a limit. */
function toStatement(place: Place, { bounds, checks, oldestFirst }: Reading): Term {
  const key = keyOf(place)
  const order = `ORDER BY ${key} ${oldestFirst ? 'ASC' : 'DESC'}`
  const found = join([place.term, ...withinBounds(place, bounds), term(inTime(key))])
  if (place.isSorted === true) {
    // Without a limit, SQLite would check all events before it sorts.
    const sorted = `SELECT DISTINCT ${key} FROM ${tableOf(place)} WHERE ${found.sql} ${order} LIMIT -1`
    const { sql, values } = join([term('true'), ...checks])
    return term(
      `SELECT event.seq FROM (${sorted}) AS found CROSS JOIN event ON event.seq = found.event_seq WHERE ${sql} ${givenLimit}`,
      ...found.values,
      ...values
    )
  }
  const { sql, values } = join([found, ...checks])
  const event = place.table === 'event' ? '' : `CROSS JOIN event ON event.seq = ${key}`
  return term(`SELECT ${key} AS seq FROM ${tableOf(place)} ${event} WHERE ${sql} ${order} ${givenLimit}`, ...values)
}
