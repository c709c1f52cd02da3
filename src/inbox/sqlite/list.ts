import type { DatabaseSync, StatementSync } from 'node:sqlite'

import { readKeySearch, type KeySearch } from '../../model/search-keys.ts'
import type { DeliveryState } from '../../model/event.ts'
import type * as contract from '../inbox.ts'
import { readDelivery, readSummary, type Row } from '../rows.ts'
import { isSearch, Search, type CandidatePage } from '../search.ts'
import {
  boundsOf,
  hasDelivery,
  hasKind,
  hasTime,
  isDeliveryState,
  isOfKind,
  kindPartsOf,
  many,
  sortable,
  type Bounds,
  type EventKind,
  type KindPart,
  type Part
} from '../wanted.ts'
import { blockBits, readIndexedTo, segmentBits, type listIndexSql } from './list-index.ts'
import { claimable, type Prepared } from './prepared.ts'
import { inTime } from './read-limit.ts'

/*
 * SQLite knows nothing about the distribution of our rows, and would often choose to read millions of them. So this
 * file chooses the index of each list: the one that leads to the fewest events, counted up to `many`. Each index has
 * the events in their order, so it is read until the page is full.
 */

/** The times before and after all dates. */
const [earliest, latest] = [-8.64e15, 8.64e15]

/** A path checks its time at one of this many places, for a statement that finds nothing does not. A power of two. */
const checkEvery = 32

export const listSql = {
  kinds: `
    SELECT id, source, realm, type, endpoint, live, handler FROM kind
    UNION ALL SELECT DISTINCT NULL, source, realm, type, endpoint, live_mode, NULL FROM event WHERE seq > ?
    UNION ALL SELECT DISTINCT NULL, source, event.realm, type, endpoint, live_mode, delivery.handler
    FROM event CROSS JOIN delivery ON delivery.event_seq = event.seq WHERE event.seq > ?`,
  blocksInTime: 'SELECT number FROM event_block WHERE last_at >= ? AND first_at < ? ORDER BY number',
  timeBounds:
    'SELECT min(seq) AS first, max(seq) AS last FROM event WHERE seq > ? AND received_at >= ? AND received_at < ?',
  /** Finds the segments that have keys, one after the other: most of a wide span may be empty. */
  segments: `
    WITH RECURSIVE found (segment) AS (
      SELECT min(segment) FROM event_key WHERE segment >= ? UNION ALL
      SELECT (SELECT min(event_key.segment) FROM event_key WHERE event_key.segment > found.segment) FROM found
      WHERE found.segment < ? AND ((found.segment & ${checkEvery - 1}) <> 0 OR in_time()))
    SELECT segment FROM found WHERE segment <= ?`,
  checkTime: 'SELECT in_time()',
  summary: `
    SELECT seq, realm, id, source, state, type, live_mode, created_time, resource, endpoint, received_at, backfilled, duplicates, conflicts, reason, length(body) AS size
    FROM event WHERE seq = ?`,
  body: 'SELECT body FROM event WHERE seq = ?',
  deliveriesOf: `
    SELECT id, handler, state, attempts, losses, due_at, order_key, owner, started_at, settled_at, last_error, job_id
    FROM delivery WHERE event_seq = ? ORDER BY id`
} as const

type Sql = Prepared<typeof listSql & Pick<typeof listIndexSql, 'indexedTo'>> & { readonly db: DatabaseSync }

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

/** Prepares each statement of a list once: many places differ in their values only. */
class PreparedOnce {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  get(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

/** A condition of SQL. */
interface Term {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

/** The tables that lead to events, as they are named in a statement, and their columns with the key of an event. */
const tables = {
  event: { name: 'event', key: 'event.seq' },
  delivery: { name: 'delivery AS d', key: 'd.event_seq' },
  event_key: { name: 'event_key AS k', key: 'k.event_seq' },
  event_kind: { name: 'event_kind AS k', key: 'k.event_seq' }
} as const

/** A way to find events by an index. */
interface Path {
  /**
   * The places in the index that lead to the events of the path. Each has them in the order of `seq`, so that it can be
   * read until the page is full.
   */
  readonly places: readonly Place[]
  /** True if its places follow each other in the order of `seq`. */
  readonly isSequence?: boolean
  /** The parts of the filter that its places fulfil. */
  readonly covers: readonly Part[]
}

interface Place {
  readonly table: keyof typeof tables
  readonly index?: string
  /** The condition that the index fulfils. */
  readonly term: Term
  /** True if its entries must be sorted by `seq`, before anything else of the events is read. */
  readonly isSorted?: boolean
  /** The keys that its events come after and before. */
  readonly above?: number
  readonly below?: number
}

/** The events between two keys. */
interface Span {
  readonly above: number
  readonly below: number
}

/** A kind of events, or of deliveries of a handler. Without an id, it is of events that are not in the index yet. */
interface StoredKind extends EventKind {
  readonly id: number | null
  readonly handler: string | null
}

/** The kinds and spans that a filter wants and the inbox has. */
interface Wanted {
  /** Those of deliveries if the filter wants deliveries. */
  readonly kinds?: readonly StoredKind[]
  /** The events among which are all of the time, in their order. */
  readonly spans?: readonly Span[]
}

/** Finds the keys of the events of a page, in their order, and one more if there is another page. */
function findSeqs(sql: Sql, filter: contract.EventFilter): readonly number[] {
  const { limit, oldestFirst = false } = filter
  const page = boundsOf(filter)
  const wanted = listWanted(sql, filter, page)
  if (Object.values(wanted).some(({ length }) => length === 0)) return []
  const bounds = { above: wanted.spans?.[0]?.above ?? page.above, below: wanted.spans?.at(-1)?.below ?? page.below }
  const path = choosePath(sql, listPaths(sql, filter, wanted), bounds)
  const checks = listChecks(filter, wanted, path)
  const statements = new PreparedOnce(sql.db)
  const found = new Set<number>()
  const places = path.isSequence === true && !oldestFirst ? path.places.toReversed() : path.places
  for (const [index, place] of places.entries()) {
    if (path.isSequence === true && found.size > limit) break
    checkTime(sql, index)
    const { sql: text, values } = toStatement(place, bounds, checks, oldestFirst)
    for (const row of statements.get(text).all(...values, limit + 1)) found.add(Number(row['seq']))
  }
  return [...found].sort((a, b) => (oldestFirst ? a - b : b - a)).slice(0, limit + 1)
}

/** The statement that reads the events of a place, up to a limit. */
function toStatement(place: Place, bounds: Bounds, checks: readonly Term[], oldestFirst: boolean): Term {
  const key = keyOf(place)
  const order = `ORDER BY ${key} ${oldestFirst ? 'ASC' : 'DESC'}`
  const found = join([place.term, ...withinBounds(place, bounds), term(inTime(key))])
  if (place.isSorted === true) {
    // Without a limit, SQLite would check all events before it sorts.
    const sorted = `SELECT DISTINCT ${key} FROM ${tableOf(place)} WHERE ${found.sql} ${order} LIMIT -1`
    const { sql, values } = join([term('true'), ...checks])
    return term(
      `SELECT event.seq FROM (${sorted}) AS found CROSS JOIN event ON event.seq = found.event_seq WHERE ${sql} LIMIT ?`,
      ...found.values,
      ...values
    )
  }
  const { sql, values } = join([found, ...checks])
  // The triggers keep the index of kinds true: the events themselves are read only to be checked.
  const isRead = place.table !== 'event' && (place.table !== 'event_kind' || checks.length > 0)
  const event = isRead ? `CROSS JOIN event ON event.seq = ${key}` : ''
  // An event may have several failing deliveries.
  const distinct = place.index === 'delivery_error' ? 'DISTINCT' : ''
  return term(
    `SELECT ${distinct} ${key} AS seq FROM ${tableOf(place)} ${event} WHERE ${sql} ${order} LIMIT ?`,
    ...values
  )
}

/** Lists what the inbox has of what a filter wants. Without a filter for a thing, it is undefined. */
function listWanted(sql: Sql, filter: contract.EventFilter, page: Bounds): Wanted {
  return {
    ...((hasKind(filter) || hasDelivery(filter)) && { kinds: listKinds(sql, filter) }),
    ...(hasTime(filter) && { spans: listSpans(sql, filter, page) })
  }
}

/** Chooses the path to the fewest events. If all lead to many, the first one. */
function choosePath(sql: Sql, paths: readonly Path[], bounds: Bounds): Path {
  const [first = everything] = paths
  return paths.length > 1 ? (findFewest(sql, paths, bounds, many) ?? first) : first
}

/** Finds the path to the fewest events, if it leads to fewer than `limit`. */
function findFewest(sql: Sql, paths: readonly Path[], bounds: Bounds, limit: number): Path | undefined {
  let fewest: Path | undefined
  let most = limit
  for (const path of paths) {
    const count = countUpTo(sql, path, bounds, most)
    if (count < most) [fewest, most] = [path, count]
  }
  return fewest
}

/** Counts the entries of a path, up to a limit. Those between two keys are at most as many as these. */
function countUpTo(sql: Sql, path: Path, bounds: Bounds, limit: number): number {
  let count = path === everything ? limit : 0
  const statements = new PreparedOnce(sql.db)
  for (const [index, place] of path.places.entries()) {
    if (count >= limit) break
    checkTime(sql, index)
    if (place.above !== undefined && place.below !== undefined) {
      count += place.below - place.above - 1
      continue
    }
    const where = join([place.term, ...withinBounds(place, bounds)])
    const row = statements
      .get(`SELECT count(*) AS count FROM (SELECT 1 FROM ${tableOf(place)} WHERE ${where.sql} LIMIT ?)`)
      .get(...where.values, limit - count)
    count += Number(row?.['count'])
  }
  return count
}

/** Ends the list if its time is over. */
function checkTime(sql: Sql, index: number): void {
  if (index % checkEvery === checkEvery - 1) sql.checkTime.get()
}

/** All events, in their order. */
const everything: Path = { places: [{ table: 'event', term: term('true') }], covers: [] }

/** Lists the paths for a filter: first those that are better if all lead to many events. */
function listPaths(sql: Sql, filter: contract.EventFilter, wanted: Wanted): readonly Path[] {
  const { id, about, error, state } = filter
  if (id !== undefined) return [ordered([], place('event', 'event_id', term('event.id = ?', id)))]
  const inOrder = wanted.spans === undefined ? everything : timePath(wanted.spans)
  return [
    ...(about === undefined ? [] : listKeyPaths(sql, about, boundsOf(filter))),
    ...(error === undefined ? [] : [ordered(['error'], place('delivery', 'delivery_error', term(isFailing('d'))))]),
    ...(state === 'quarantined'
      ? [ordered(['state'], place('event', 'event_quarantined', term("event.state = 'quarantined'")))]
      : []),
    ...(isDeliveryState(state) && state !== 'done' ? [statePath(sql, filter, state, wanted.kinds ?? [])] : []),
    // Most deliveries are done.
    ...(state === 'done' && !hasKind(filter) && filter.handler === undefined ? [inOrder] : []),
    ...(wanted.kinds === undefined ? [] : [kindPath(sql, filter, wanted.kinds)]),
    ...(wanted.spans === undefined ? [] : [inOrder])
  ]
}

/**
 * The paths by search keys, in the segments of the index and in the events that it does not have yet. In a segment, a
 * key has its events in their order. The keys with a beginning must be sorted.
 */
function listKeyPaths(sql: Sql, about: string, bounds: Bounds): readonly Path[] {
  const search = readKeySearch(about)
  if (search === undefined) return []
  const isSorted = 'from' in search
  const segments = listSegments(sql, bounds).map((segment): Place => {
    const found = join([term('k.segment = ?', segment), keyTerm('k', search)])
    return { table: 'event_key', term: found, isSorted }
  })
  const others: Place = { table: 'event', term: hasKeyTerm(search), above: readIndexedTo(sql) }
  const path: Path = { places: [...segments, others], isSequence: true, covers: ['about'] }
  return isSorted && countUpTo(sql, { ...path, places: segments }, {}, sortable) === sortable ? [] : [path]
}

/** Lists the segments of the index of keys that may have events of a page, in their order. */
function listSegments(sql: Sql, { above = 0, below = Infinity }: Bounds): readonly number[] {
  const [first, last] = [above + 1, Math.min(readIndexedTo(sql), below - 1)].map((seq) =>
    Math.floor(seq / 2 ** segmentBits)
  )
  return sql.segments.all(first ?? 0, last ?? 0, last ?? 0).map(({ segment }) => Number(segment))
}

/** The path by the kinds of events, in the index and in the events that it does not have yet. */
function kindPath(sql: Sql, filter: contract.EventFilter, kinds: readonly StoredKind[]): Path {
  const checks = listKindChecks(filter, kinds).map(([, check]) => check)
  const indexed = kinds.flatMap(({ id }): Place[] =>
    id === null ? [] : [{ table: 'event_kind', term: term('k.kind = ?', id) }]
  )
  const behind: Place = { table: 'event', term: join([term('true'), ...checks]), above: readIndexedTo(sql) }
  return ordered(kindPartsOf(filter), ...indexed, ...(indexed.length < kinds.length ? [behind] : []))
}

/** The path by the time of arrival. */
function timePath(spans: readonly Span[]): Path {
  const places = spans.map((span): Place => ({ table: 'event', term: term('true'), ...span }))
  return { places, isSequence: true, covers: [] }
}

type NotDone = Exclude<DeliveryState, 'done'>

/** The indexes of deliveries that are not done, and the conditions of these partial indexes. */
const stateIndexes = {
  pending: { index: 'delivery_due', isPartOf: `d.${claimable} AND d.state = 'pending'`, isSorted: true },
  running: { index: 'delivery_due', isPartOf: `d.${claimable} AND d.state = 'running'`, isSorted: true },
  waiting: { index: 'delivery_waiting', isPartOf: "d.order_key IS NOT NULL AND d.state = 'waiting'", isSorted: true },
  parked: { index: 'delivery_parked', isPartOf: "d.state = 'parked'", isSorted: true },
  dead: { index: 'delivery_dead', isPartOf: "d.state = 'dead'", isSorted: false }
} as const satisfies Record<NotDone, object>

/**
 * The path by the state of deliveries that are not done. If a handler has too many to sort, they are a large part of
 * its deliveries: these are read in their order.
 */
function statePath(sql: Sql, filter: contract.EventFilter, state: NotDone, kinds: readonly StoredKind[]): Path {
  const { index, isPartOf, isSorted } = stateIndexes[state]
  const handlers = [...new Set(kinds.map(({ handler }) => handler ?? ''))]
  const paths = handlers.map((handler) => {
    const found = term(`${isPartOf} AND d.handler = ?`, handler)
    const path = ordered(['delivery'], { ...place('delivery', index, found), isSorted })
    if (!isSorted || countUpTo(sql, path, {}, sortable) < sortable) return path
    return kindPath(
      sql,
      filter,
      kinds.filter((kind) => kind.handler === handler)
    )
  })
  const covers = (['delivery', ...kindPartsOf(filter)] as const).filter((part) =>
    paths.every((path) => path.covers.includes(part))
  )
  return ordered(covers, ...paths.flatMap(({ places }) => places))
}

/** Lists what must still be checked of an event that a path leads to. */
function listChecks(filter: contract.EventFilter, { kinds }: Wanted, { covers }: Path): readonly Term[] {
  const { about, error, type, state, handler } = filter
  const search = about === undefined ? undefined : readKeySearch(about)
  const ofDelivery = [
    ...(handler === undefined ? [] : [term('other.handler = ?', handler)]),
    ...(isDeliveryState(state) ? [term('other.state = ?', state)] : [])
  ]
  const all: readonly (readonly [Part, Term | undefined])[] = [
    ...listKindChecks(filter, kinds),
    ['type', type === '*' ? term("event.state <> 'quarantined'") : undefined],
    ['state', state === undefined || isDeliveryState(state) ? undefined : term('event.state = ?', state)],
    ['time', hasTime(filter) ? join(timeTerms(filter)) : undefined],
    ['error', error === undefined ? undefined : hasDeliveryTerm([term(isFailing('other'))])],
    ['about', search === undefined ? undefined : hasKeyTerm(search)],
    ['delivery', ofDelivery.length === 0 ? undefined : hasDeliveryTerm(ofDelivery)]
  ]
  return all.flatMap(([part, check]) => (check === undefined || covers.includes(part) ? [] : [check]))
}

/** Lists the checks of the kind of an event. */
function listKindChecks(
  filter: contract.EventFilter,
  kinds: readonly EventKind[] = []
): readonly (readonly [KindPart, Term])[] {
  const { realm, source, endpoint, live } = filter
  const types = JSON.stringify([...new Set(kinds.map((kind) => kind.type))])
  const checks: Readonly<Record<KindPart, Term>> = {
    realm: term('event.realm = ?', realm ?? ''),
    source: term('event.source = ?', source ?? ''),
    endpoint: term('event.endpoint = ?', endpoint ?? ''),
    live: term('event.live_mode = ?', Number(live)),
    type: term('event.type IN (SELECT value FROM json_each(?))', types)
  }
  return kindPartsOf(filter).map((part) => [part, checks[part]])
}

const isFailing = (alias: string): string =>
  `${alias}.last_error IS NOT NULL AND ${alias}.state IN ('dead', 'pending', 'waiting')`

function hasKeyTerm(search: KeySearch): Term {
  const { sql, values } = keyTerm('key', search)
  return term(`EXISTS (SELECT 1 FROM json_each(event.about) AS key WHERE ${sql})`, ...values)
}

function keyTerm(alias: string, search: KeySearch): Term {
  return 'key' in search
    ? term(`${alias}.value = ?`, search.key)
    : term(`${alias}.value >= ? AND ${alias}.value < ?`, search.from, search.end)
}

function hasDeliveryTerm(terms: readonly Term[]): Term {
  const { sql, values } = join(terms)
  return term(`EXISTS (SELECT 1 FROM delivery AS other WHERE other.event_seq = event.seq AND ${sql})`, ...values)
}

function timeTerms({ since, until }: contract.EventFilter): readonly Term[] {
  return [
    ...(since === undefined ? [] : [term('event.received_at >= ?', since.getTime())]),
    ...(until === undefined ? [] : [term('event.received_at < ?', until.getTime())])
  ]
}

/** Lists the kinds that a filter wants, in the index and in the events that it does not have yet. */
function listKinds(sql: Sql, filter: contract.EventFilter): StoredKind[] {
  const indexedTo = readIndexedTo(sql)
  const kinds = sql.kinds.all(indexedTo, indexedTo).map(readKind)
  const isOfHandler = ({ handler }: StoredKind): boolean =>
    hasDelivery(filter) ? handler !== null && (filter.handler ?? handler) === handler : handler === null
  return kinds.filter((kind) => isOfHandler(kind) && isOfKind(filter, kind))
}

function readKind(row: Row): StoredKind {
  const live = row['live'] === null ? undefined : row['live'] === 1
  return { ...(row as unknown as StoredKind), live }
}

/** Lists the spans of a page that have events in the time of a filter. */
function listSpans(sql: Sql, filter: contract.EventFilter, { above = 0, below = Infinity }: Bounds): Span[] {
  const times = timesOf(filter)
  const indexedTo = readIndexedTo(sql)
  const size = 2 ** blockBits
  const blocks = sql.blocksInTime.all(...times).map((row): Span => {
    const start = Number(row['number']) * size
    return { above: start - 1, below: Math.min(start + size, indexedTo + 1) }
  })
  const { first, last } = sql.timeBounds.get(indexedTo, ...times) ?? {}
  const behind = typeof first === 'number' ? [{ above: first - 1, below: Number(last) + 1 }] : []
  const spans: Span[] = []
  for (const each of [...blocks, ...behind]) {
    const span = { above: Math.max(each.above, above), below: Math.min(each.below, below) }
    const before = spans.at(-1)
    if (before?.below === span.above + 1) spans[spans.length - 1] = { above: before.above, below: span.below }
    else if (span.below > span.above + 1) spans.push(span)
  }
  return spans
}

/** The times from which and before which a filter wants events. */
function timesOf({ since, until }: contract.EventFilter): readonly [number, number] {
  return [since?.getTime() ?? earliest, until?.getTime() ?? latest]
}

function ordered(covers: readonly Part[], ...places: readonly Place[]): Path {
  return { places, covers }
}

function place(table: Place['table'], index: string, found: Term): Place {
  return { table, index, term: found }
}

function keyOf({ table }: Place): string {
  return tables[table].key
}

function tableOf({ table, index }: Place): string {
  // Without an index, events are read by their key, in their order.
  const by = index === undefined ? (table === 'event' ? 'NOT INDEXED' : '') : `INDEXED BY ${index}`
  return `${tables[table].name} ${by}`
}

function withinBounds(place: Place, bounds: Bounds): readonly Term[] {
  const column = keyOf(place)
  // Of two limits, SQLite would use one, and read all entries up to the other.
  const above = Math.max(bounds.above ?? 0, place.above ?? 0)
  const below = Math.min(bounds.below ?? Infinity, place.below ?? Infinity)
  return [
    ...(above <= 0 ? [] : [term(`${column} > ?`, above)]),
    ...(below === Infinity ? [] : [term(`${column} < ?`, below)])
  ]
}

function term(sql: string, ...values: (string | number)[]): Term {
  return { sql, values }
}

function join(terms: readonly Term[]): Term {
  return term(terms.map(({ sql }) => sql).join(' AND '), ...terms.flatMap(({ values }) => values))
}
