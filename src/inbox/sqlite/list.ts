import type { DatabaseSync, StatementSync } from 'node:sqlite'

import { deliveryStates, type DeliveryState } from '../../model/event.ts'
import { matches } from '../../model/pattern.ts'
import { readKeySearch, type KeySearch } from '../../model/search-keys.ts'
import type * as contract from '../inbox.ts'
import { readDelivery, readSummary } from '../rows.ts'
import { claimable, type Prepared } from './prepared.ts'
import { inTime } from './read-limit.ts'

/*
 * SQLite knows nothing about the distribution of our rows, and would often choose to read millions of them. So this
 * file chooses the index of each list: the one that leads to the fewest events, counted up to `few`. If all of them
 * lead to many, it reads the events in their order until the page is full.
 */

export const listSql = {
  firstKind: 'SELECT source, realm, type FROM event INDEXED BY event_kind ORDER BY source, realm, type LIMIT 1',
  nextSource: 'SELECT source, realm, type FROM event WHERE source > ? ORDER BY source, realm, type LIMIT 1',
  nextRealm: 'SELECT source, realm, type FROM event WHERE source = ? AND realm > ? ORDER BY realm, type LIMIT 1',
  nextType: 'SELECT source, realm, type FROM event WHERE source = ? AND realm = ? AND type > ? ORDER BY type LIMIT 1',
  realmAfter: 'SELECT min(realm) AS name FROM delivery WHERE handler = ? AND realm > ?',
  stoppedAfter: `SELECT min(handler) AS name FROM delivery WHERE state = ? AND state IN ('dead', 'parked') AND handler > ?`,
  timeBounds:
    'SELECT min(seq) AS first, max(seq) AS last FROM event INDEXED BY event_received WHERE received_at >= ? AND received_at < ?',
  summary: `
    SELECT seq, realm, id, source, state, type, live_mode, created_time, endpoint, received_at, backfilled, duplicates, conflicts, reason
    FROM event WHERE seq = ?`,
  deliveriesOf: `
    SELECT id, handler, state, attempts, losses, due_at, order_key, owner, started_at, settled_at, last_error
    FROM delivery WHERE event_seq = ? ORDER BY id`
} as const

type Sql = Prepared<typeof listSql> & { readonly db: DatabaseSync }

/** Lists a page of events, newest first unless the filter has `oldestFirst`. */
export function listEvents(sql: Sql, filter: contract.EventFilter): contract.EventPage {
  const found = findSeqs(sql, filter)
  const page = found.slice(0, filter.limit)
  return {
    events: page.map((seq) => ({
      ...readSummary(sql.summary.get(seq) ?? {}),
      deliveries: sql.deliveriesOf.all(seq).map(readDelivery)
    })),
    next: found.length > filter.limit ? page.at(-1) : undefined
  }
}

/** How many events may be read and sorted: it takes a few milliseconds. */
const few = 5_000

/** The times before and after all dates. */
const [earliest, latest] = [-8.64e15, 8.64e15]

/** A condition of SQL. */
interface Term {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

/** The parts of a filter. `delivery`: the handler and the state of a delivery. `time`: `since` and `until`. */
type Part = 'about' | 'realm' | 'source' | 'type' | 'state' | 'delivery' | 'time'

/** The tables that lead to events, as they are named in a statement, and their columns with the key of an event. */
const tables = {
  event: { name: 'event', key: 'event.seq' },
  delivery: { name: 'delivery AS d', key: 'd.event_seq' },
  event_key: { name: 'event_key AS k', key: 'k.event_seq' }
} as const

/** A way to find events by an index. */
interface Path {
  /** The places in the index that lead to the events of the path. */
  readonly places: readonly Place[]
  /**
   * True if it may be read although it leads to many events: its places have them in the order of `seq`, or sorting
   * them takes less time than reading all events.
   */
  readonly isFallback: boolean
  /** The parts of the filter that its places fulfil. */
  readonly covers: readonly Part[]
}

interface Place {
  readonly table: keyof typeof tables
  readonly index?: string
  /** The condition that the index fulfils. */
  readonly term: Term
  /** A further condition for the row of the index. */
  readonly check?: Term
}

/** The events between two keys. */
interface Bounds {
  readonly above?: number | undefined
  readonly below?: number | undefined
}

/** The source, realm and type of events. An inbox has a few hundred kinds. */
interface Kind {
  readonly source: string
  readonly realm: string
  readonly type: string
}

/** Finds the keys of the events of a page, in their order, and one more if there is another page. */
function findSeqs(sql: Sql, filter: contract.EventFilter): readonly number[] {
  const { after, limit, oldestFirst = false } = filter
  const kinds = hasKind(filter) ? [...listKinds(sql)].filter((kind) => isWanted(filter, kind)) : undefined
  if (kinds?.length === 0) return []
  const page: Bounds = oldestFirst ? { above: after } : { below: after }
  const { path, isFew } = choosePath(sql, listPaths(sql, filter, kinds), page)
  const checks = listChecks(filter, kinds, path)
  const bounds = isFew ? page : narrow(sql, filter, page, checks.length > 1)
  if (bounds === undefined) return []
  const statements = new Map<string, StatementSync>()
  const found = new Set<number>()
  for (const place of path.places) {
    const column = keyOf(place)
    const where = join([
      place.term,
      ...withinBounds(column, bounds),
      term(inTime(column)),
      ...(place.check === undefined ? [] : [place.check]),
      ...checks
    ])
    const text = `
      SELECT ${place.table === 'event_key' ? 'DISTINCT' : ''} ${column} AS seq
      FROM ${tableOf(place)} ${place.table === 'event' ? '' : `CROSS JOIN event ON event.seq = ${column}`}
      WHERE ${where.sql} ORDER BY ${column} ${oldestFirst ? 'ASC' : 'DESC'} LIMIT ?`
    const statement = statements.get(text) ?? sql.db.prepare(text)
    statements.set(text, statement)
    for (const row of statement.all(...where.values, limit + 1)) found.add(Number(row['seq']))
  }
  return [...found].sort((a, b) => (oldestFirst ? a - b : b - a)).slice(0, limit + 1)
}

/** Chooses the path to the fewest events. If all lead to many, the first fallback. */
function choosePath(
  { db }: Sql,
  paths: readonly Path[],
  page: Bounds
): { readonly path: Path; readonly isFew: boolean } {
  let best: { readonly path: Path; readonly count: number } | undefined
  for (const path of paths) {
    const most = best?.count ?? few
    let count = path === everything ? most : 0
    for (const place of path.places) {
      if (count >= most) break
      const where = join([place.term, ...withinBounds(keyOf(place), page)])
      const row = db
        .prepare(`SELECT count(*) AS count FROM (SELECT 1 FROM ${tableOf(place)} WHERE ${where.sql} LIMIT ?)`)
        .get(...where.values, most - count)
      count += Number(row?.['count'])
    }
    if (count < most) best = { path, count }
  }
  if (best !== undefined) return { path: best.path, isFew: true }
  return { path: paths.find(({ isFallback }) => isFallback) ?? everything, isFew: false }
}

/**
 * Adds the bounds of the time to those of a page, so that the events before the first one in time are not read.
 * @param isRare true if the page may never be full: then the end of the time is a bound too
 * @returns undefined if there are no events in that time
 */
function narrow(sql: Sql, filter: contract.EventFilter, page: Bounds, isRare: boolean): Bounds | undefined {
  const { since, until, oldestFirst = false } = filter
  const startsInTime = (oldestFirst ? since : until) !== undefined
  if (!startsInTime && !(isRare && (since ?? until) !== undefined)) return page
  const { first, last } = sql.timeBounds.get(since?.getTime() ?? earliest, until?.getTime() ?? latest) ?? {}
  if (typeof first !== 'number' || typeof last !== 'number') return undefined
  return { above: Math.max(page.above ?? 0, first - 1), below: Math.min(page.below ?? Infinity, last + 1) }
}

/** All events, in their order. */
const everything: Path = { places: [{ table: 'event', term: term('true') }], isFallback: true, covers: [] }

/** Lists the paths for a filter: first those that are better if all lead to many events. */
function listPaths(sql: Sql, filter: contract.EventFilter, kinds: readonly Kind[] | undefined): readonly Path[] {
  const { id, about, state, since, until } = filter
  if (id !== undefined) return [ordered([], place('event', 'event_id', term('event.id = ?', id)))]
  const isQuarantined = state === 'quarantined'
  return [
    ...(about === undefined ? [] : listKeyPaths(about)),
    ...(isQuarantined
      ? [ordered(['state'], place('event', 'event_quarantined', term("event.state = 'quarantined'")))]
      : []),
    ...(isDeliveryState(state) ? listStatePaths(sql, state, filter.handler) : []),
    ...listKindPaths(sql, filter, kinds),
    ...((since ?? until) === undefined
      ? []
      : [unordered(['time'], place('event', 'event_received', join(timeTerms(filter))))]),
    everything
  ]
}

/**
 * The path by search keys, in the index and in the events that it does not have yet. A key has its events in their
 * order; the keys with a beginning do not.
 */
function listKeyPaths(about: string): readonly Path[] {
  const search = readKeySearch(about)
  if (search === undefined) return []
  const notIndexed = join([term('event.seq > (SELECT seq FROM key_index)'), hasKeyTerm(search)])
  const places: readonly Place[] = [
    { table: 'event_key', term: keyTerm('k', search) },
    { table: 'event', term: notIndexed }
  ]
  return ['key' in search ? ordered(['about'], ...places) : unordered(['about'], ...places)]
}

/** The paths by the state of a delivery. There is none for `done`: most deliveries are. */
function listStatePaths(sql: Sql, state: DeliveryState, handler: string | undefined): readonly Path[] {
  const ofHandler = handler === undefined ? [] : [term('d.handler = ?', handler)]
  switch (state) {
    case 'dead':
    case 'parked': {
      const handlers = handler === undefined ? listNames(sql.stoppedAfter, state) : [handler]
      const stopped = term("d.state = ? AND d.state IN ('dead', 'parked')", state)
      return [
        ordered(
          ['delivery'],
          ...handlers.map((name) => place('delivery', 'delivery_stopped', join([stopped, term('d.handler = ?', name)])))
        )
      ]
    }
    case 'waiting': {
      const waiting = term("d.order_key IS NOT NULL AND d.state = 'waiting'")
      return [unordered(['delivery'], place('delivery', 'delivery_waiting', join([waiting, ...ofHandler])))]
    }
    case 'pending':
    case 'running': {
      const due = place('delivery', 'delivery_due', join([term(`d.${claimable}`), ...ofHandler]))
      const path = unordered(['delivery'], { ...due, check: term('d.state = ?', state) })
      // Few deliveries run. Behind a long backlog, sorting what is claimable is faster than reading all events.
      return [state === 'running' ? { ...path, isFallback: true } : path]
    }
    case 'done':
      return []
  }
}

/** The paths by kind and by handler. A handler has deliveries of a few realms, but most types have a few handlers. */
function listKindPaths(sql: Sql, filter: contract.EventFilter, kinds: readonly Kind[] | undefined): readonly Path[] {
  const { handler, type } = filter
  const byKind = kinds === undefined ? [] : [ordered(['source', 'realm', 'type'], ...kinds.map(placeOfKind))]
  const byHandler = handler === undefined ? [] : [handlerPath(sql, filter, handler, kinds)]
  return type === undefined ? [...byHandler, ...byKind] : [...byKind, ...byHandler]
}

function handlerPath(
  sql: Sql,
  { state }: contract.EventFilter,
  handler: string,
  kinds: readonly Kind[] | undefined
): Path {
  const realms = listNames(sql.realmAfter, handler).filter(
    (realm) => kinds === undefined || kinds.some((kind) => kind.realm === realm)
  )
  const check = isDeliveryState(state) ? { check: term('d.state = ?', state) } : {}
  return ordered(
    ['delivery', 'realm'],
    ...realms.map((realm) => ({
      ...place('delivery', 'delivery_handler', term('d.handler = ? AND d.realm = ?', handler, realm)),
      ...check
    }))
  )
}

function placeOfKind({ source, realm, type }: Kind): Place {
  return place(
    'event',
    'event_kind',
    term('event.source = ? AND event.realm = ? AND event.type = ?', source, realm, type)
  )
}

/** Lists what must still be checked of an event that a path leads to. */
function listChecks(
  filter: contract.EventFilter,
  kinds: readonly Kind[] | undefined,
  { covers }: Path
): readonly Term[] {
  const { about, realm, source, type, state, handler } = filter
  const search = about === undefined ? undefined : readKeySearch(about)
  const ofDelivery = [
    ...(handler === undefined ? [] : [term('other.handler = ?', handler)]),
    ...(isDeliveryState(state) ? [term('other.state = ?', state)] : [])
  ]
  const types = JSON.stringify([...new Set(kinds?.map((kind) => kind.type))])
  const all: readonly (readonly [Part, Term | undefined])[] = [
    ['realm', realm === undefined ? undefined : term('event.realm = ?', realm)],
    ['source', source === undefined ? undefined : term('event.source = ?', source)],
    [
      'type',
      type === undefined || type === '*' ? undefined : term('event.type IN (SELECT value FROM json_each(?))', types)
    ],
    ['type', type === '*' ? term("event.state = 'accepted'") : undefined],
    ['state', state === undefined || isDeliveryState(state) ? undefined : term('event.state = ?', state)],
    ['time', timeTerms(filter).length === 0 ? undefined : join(timeTerms(filter))],
    ['about', search === undefined ? undefined : hasKeyTerm(search)],
    ['delivery', ofDelivery.length === 0 ? undefined : hasDeliveryTerm(ofDelivery)]
  ]
  return all.flatMap(([part, check]) => (check === undefined || covers.includes(part) ? [] : [check]))
}

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

function hasKind({ source, realm, type }: contract.EventFilter): boolean {
  return source !== undefined || realm !== undefined || (type !== undefined && type !== '*')
}

function isWanted({ source, realm, type }: contract.EventFilter, kind: Kind): boolean {
  if ((source ?? kind.source) !== kind.source || (realm ?? kind.realm) !== kind.realm) return false
  // Only quarantined requests have no type.
  return type === undefined || (kind.type !== '' && matches(type, kind.type))
}

/** Lists the kinds of events: one look into the index for each. */
function* listKinds(sql: Sql): Generator<Kind> {
  let row = sql.firstKind.get()
  while (row !== undefined) {
    const { source, realm, type } = row as unknown as Kind
    yield { source, realm, type }
    row = sql.nextType.get(source, realm, type) ?? sql.nextRealm.get(source, realm) ?? sql.nextSource.get(source)
  }
}

/** Lists the names that `after` finds one after the other, each behind the last. */
function listNames(after: StatementSync, of: string): readonly string[] {
  const names: string[] = []
  for (;;) {
    const name = after.get(of, names.at(-1) ?? '')?.['name']
    if (typeof name !== 'string') return names
    names.push(name)
  }
}

function isDeliveryState(state: contract.EventFilter['state']): state is DeliveryState {
  return (deliveryStates as readonly string[]).includes(state ?? '')
}

function ordered(covers: readonly Part[], ...places: readonly Place[]): Path {
  return { places, isFallback: true, covers }
}

function unordered(covers: readonly Part[], ...places: readonly Place[]): Path {
  return { places, isFallback: false, covers }
}

function place(table: Place['table'], index: string, found: Term): Place {
  return { table, index, term: found }
}

function keyOf({ table }: Place): string {
  return tables[table].key
}

function tableOf({ table, index }: Place): string {
  return `${tables[table].name} ${index === undefined ? '' : `INDEXED BY ${index}`}`
}

function withinBounds(column: string, { above, below }: Bounds): readonly Term[] {
  return [
    ...(above === undefined ? [] : [term(`${column} > ?`, above)]),
    ...(below === undefined ? [] : [term(`${column} < ?`, below)])
  ]
}

function term(sql: string, ...values: (string | number)[]): Term {
  return { sql, values }
}

function join(terms: readonly Term[]): Term {
  return term(terms.map(({ sql }) => sql).join(' AND '), ...terms.flatMap(({ values }) => values))
}
