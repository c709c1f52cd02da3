import { readKeySearch, type KeySearch } from '../../model/search-keys.ts'
import type * as contract from '../inbox.ts'
import { readDelivery, readSummary } from '../rows.ts'
import { isSearch, Search, type Bodies, type Candidate, type CandidatePage } from '../search.ts'
import {
  boundsOf,
  few,
  hasDelivery,
  hasKind,
  hasTime,
  inSameRealms,
  isDeliveryState,
  isOfDeliveryKind,
  isOfKind,
  kindPartsOf,
  many,
  sortable,
  withinBlocks,
  type Bounds,
  type DeliveryKind,
  type Part,
  type Wanted
} from '../wanted.ts'
import type { Session } from './database.ts'
import { isListed, listDeliveryKinds, listKinds, type StoredKind } from './kinds.ts'
import { eventColumns, eventTables, readDeliveries } from './read.ts'
import { withoutIndex } from './plan.ts'
import { indexed } from './storable.ts'

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

/** Makes the placeholder of a value in a statement. */
type AddValue = (value: unknown, type?: string) => string

/** A way to find events by an index. */
interface Path {
  /** True if it has the events in their order, so that it can be read until the page is full. */
  readonly isOrdered: boolean
  /** The parts of the filter that it fulfils. */
  readonly covers: readonly Part[]
  /** How many events it leads to at most, if that is known. */
  readonly most?: number
  /** The statement that reads the column `seq` of its first events in an order. */
  select(value: AddValue, reading: Reading): string
}

interface Reading {
  readonly bounds: Bounds
  readonly order: 'ASC' | 'DESC'
  readonly limit: number
  /** Conditions for the columns of `event`. */
  readonly checks: readonly string[]
}

/** Finds the keys of the events of a page, in their order, and one more if there is another page. */
async function findSeqs(session: Session, filter: contract.EventFilter): Promise<readonly number[]> {
  const { limit } = filter
  const wanted = await findWanted(session, filter)
  if (Object.values(wanted).some(({ length }) => length === 0)) return []
  const page = boundsOf(filter)
  const bounds = wanted.blocks === undefined ? page : await narrow(session, filter, page, wanted.blocks)
  const path = await choosePath(session, await listPaths(session, filter, wanted, bounds), bounds)
  const { values, value } = collectValues()
  const order = direction(filter)
  const checks = listChecks(value, filter, wanted, path)
  const found = path.select(value, { bounds, order, limit: limit + 1, checks })
  const rows = await session.query(
    `SELECT DISTINCT found.seq FROM (${found}) AS found ORDER BY found.seq ${order} LIMIT ${value(limit + 1, 'bigint')}`,
    values
  )
  return rows.map((row) => Number(row['seq']))
}

function direction({ oldestFirst = false }: contract.EventFilter): 'ASC' | 'DESC' {
  return oldestFirst ? 'ASC' : 'DESC'
}

function collectValues(): { readonly values: unknown[]; readonly value: AddValue } {
  const values: unknown[] = []
  return { values, value: (value, type = 'text') => `$${values.push(value)}::${type}` }
}

/** Finds what the inbox has of what a filter wants. Without a filter for a thing, it is undefined. */
async function findWanted(session: Session, given: contract.EventFilter): Promise<Wanted<StoredKind>> {
  const filter = given.realm === undefined ? given : { ...given, realm: indexed(given.realm) }
  const kinds = hasKind(filter) ? (await listKinds(session)).filter((kind) => isOfKind(filter, kind)) : undefined
  const deliveryKinds = hasDelivery(filter)
    ? (await listDeliveryKinds(session, filter.handler)).filter((kind) => isOfDeliveryKind(filter, kind))
    : undefined
  return {
    ...(kinds && { kinds: inSameRealms(kinds, deliveryKinds) }),
    ...(deliveryKinds && { deliveryKinds: inSameRealms(deliveryKinds, kinds) }),
    ...(hasTime(filter) && {
      blocks: (await session.query(blocksInTimeSql, timesOf(filter))).map((row) => Number(row['number']))
    })
  }
}

/** The events of a block that arrived in a time, by the index `event_received`. */
const receivedIn = (block: string, since: string, until: string): string => `
  (event.seq >> 12, event.received_at) >= (${block}, ${since}) AND (event.seq >> 12, event.received_at) < (${block}, ${until})`

/** Reads one index entry of each block, because the blocks of a time need not follow each other. */
const blocksInTimeSql = `
WITH RECURSIVE block (number) AS (
  (SELECT seq >> 12 FROM riverhook.event ORDER BY seq LIMIT 1)
  UNION ALL
  SELECT next.number FROM block CROSS JOIN LATERAL (
    SELECT seq >> 12 AS number FROM riverhook.event WHERE seq >= (block.number + 1) << 12 ORDER BY seq LIMIT 1) AS next)
SELECT number FROM block WHERE (
  SELECT true FROM riverhook.event AS event WHERE ${receivedIn('number', '$1::timestamptz', '$2::timestamptz')}
  ORDER BY event.seq >> 12, event.received_at LIMIT 1)`

const seqInBlock = (which: 'min' | 'max', block: string): string => `(
  SELECT ${which}(found.seq) FROM (
    SELECT event.seq FROM riverhook.event AS event WHERE ${receivedIn(block, '$3::timestamptz', '$4::timestamptz')} OFFSET 0) AS found)`

const timeBoundsSql = `SELECT ${seqInBlock('min', '$1::bigint')} AS first, ${seqInBlock('max', '$2::bigint')} AS last`

/** Adds the first and the last event in the time to the bounds of a page. */
async function narrow(
  session: Session,
  filter: contract.EventFilter,
  page: Bounds,
  blocks: readonly number[]
): Promise<Bounds> {
  const [row] = await session.query(timeBoundsSql, [blocks[0], blocks.at(-1), ...timesOf(filter)])
  return {
    above: Math.max(page.above ?? 0, Number(row?.['first']) - 1),
    below: Math.min(page.below ?? Infinity, Number(row?.['last']) + 1)
  }
}

/** The times from which and before which a filter wants events. */
function timesOf({ since, until }: contract.EventFilter): readonly [Date | string, Date | string] {
  return [since ?? '-infinity', until ?? 'infinity']
}

/** Chooses the path to the fewest events. If all lead to many, one that has them in their order. */
async function choosePath(session: Session, paths: readonly Path[], bounds: Bounds): Promise<Path> {
  const best = await findFewest(session, paths, bounds, few)
  if (best !== undefined) return best
  const ordered = paths.filter(({ isOrdered }) => isOrdered)
  const [first = everything] = ordered
  return (ordered.length > 1 ? await findFewest(session, ordered, bounds, many) : undefined) ?? first
}

/** Finds the path to the fewest events, if it leads to fewer than `limit`. */
async function findFewest(
  session: Session,
  paths: readonly Path[],
  bounds: Bounds,
  limit: number
): Promise<Path | undefined> {
  let fewest: Path | undefined
  let most = limit
  for (const path of paths) {
    const count = path.most ?? (await countUpTo(session, path, bounds, most))
    if (count < most) [fewest, most] = [path, count]
  }
  return fewest
}

/** Counts the entries of a path, up to a limit. */
async function countUpTo(session: Session, path: Path, bounds: Bounds, limit: number): Promise<number> {
  const { values, value } = collectValues()
  const entries = path.select(value, { bounds, order: 'ASC', limit, checks: [] })
  const [row] = await session.query(
    `SELECT count(*)::integer AS count FROM (SELECT 1 FROM (${entries}) AS entry LIMIT ${value(limit, 'bigint')}) AS counted`,
    values
  )
  return Number(row?.['count'])
}

/** Lists the paths for a filter: first those that are better if all lead to many events. */
async function listPaths(
  session: Session,
  filter: contract.EventFilter,
  { kinds, deliveryKinds, blocks }: Wanted<StoredKind>,
  bounds: Bounds
): Promise<readonly Path[]> {
  const { id, about, error, state, type } = filter
  if (id !== undefined) return [idPath(id)]
  const byKind = kinds === undefined ? [] : [kindPath(kinds)]
  const byDelivery = deliveryKinds === undefined ? [] : [deliveryPath(deliveryKinds)]
  return [
    ...(about === undefined ? [] : await listKeyPaths(session, about)),
    ...(error === undefined ? [] : [failingPath]),
    ...(state === 'quarantined' ? [quarantined] : []),
    // A handler has deliveries of a few realms, but most types have a few handlers.
    ...(type === undefined ? [...byDelivery, ...byKind] : [...byKind, ...byDelivery]),
    ...(blocks === undefined ? [] : [timePath(filter, withinBlocks(blocks, bounds))])
  ]
}

/** An index whose last column is the key of an event. */
interface Index {
  readonly table: string
  readonly alias: 'event' | 'd' | 'k'
  readonly key: 'seq' | 'event_seq'
  /** The columns before the key. */
  readonly columns: readonly string[]
  /** The type of these columns. Default `text`. */
  readonly type?: 'bigint'
  /** The condition of a partial index. */
  readonly condition?: string
}

/** @param places what the columns before the key have in each place, by column */
function indexPath(index: Index, places: readonly (readonly string[])[], covers: readonly Part[]): Path {
  const { table, alias, key, columns, type = 'text', condition } = index
  const own = [...columns, key].map((column) => `${alias}.${column}`)
  return {
    isOrdered: true,
    covers,
    select(value, { bounds: { above, below }, order, limit, checks }) {
      const place = columns.map((_column, position) => `place.c${position}`)
      const given = `unnest(${places.map((column) => value(column, `${type}[]`)).join(', ')}) AS place (${columns.map((_column, position) => `c${position}`).join(', ')})`
      const conditions = [
        `(${own.join(', ')}) > (${[...place, aboveOf({ above }, value)].join(', ')})`,
        `(${own.join(', ')}) < (${[...place, belowOf({ below }, value)].join(', ')})`,
        ...(condition === undefined ? [] : [condition]),
        ...(alias === 'event'
          ? checks.map(withoutIndex)
          : checks.length === 0
            ? []
            : [checkEvent(`${alias}.${key}`, checks)])
      ]
      const found = `
        SELECT ${alias}.${key} AS seq FROM riverhook.${table} AS ${alias} WHERE ${conditions.join(' AND ')}
        ORDER BY ${own.map((column) => `${column} ${order}`).join(', ')} LIMIT ${value(limit, 'bigint')}`
      return columns.length === 0 ? found : `SELECT found.seq FROM ${given} CROSS JOIN LATERAL (${found}) AS found`
    }
  }
}

/** All events, in their order. */
const everything = indexPath({ table: 'event', alias: 'event', key: 'seq', columns: [] }, [], [])

const quarantined = indexPath(
  { table: 'event', alias: 'event', key: 'seq', columns: [], condition: "event.state = 'quarantined'" },
  [],
  ['state']
)

const isFailing = (alias: string): string =>
  `${alias}.last_error IS NOT NULL AND ${alias}.state IN ('dead', 'pending', 'waiting')`

/** The path by failing deliveries. An event may have several. */
const failingPath: Path = {
  isOrdered: true,
  covers: ['error'],
  select(value, { bounds, order, limit, checks }) {
    const conditions = [
      `d.event_seq > ${aboveOf(bounds, value)}`,
      `d.event_seq < ${belowOf(bounds, value)}`,
      isFailing('d'),
      ...(checks.length === 0 ? [] : [checkEvent('d.event_seq', checks)])
    ]
    return `
      SELECT DISTINCT d.event_seq AS seq FROM riverhook.delivery AS d WHERE ${conditions.join(' AND ')}
      ORDER BY d.event_seq ${order} LIMIT ${value(limit, 'bigint')}`
  }
}

function kindPath(kinds: readonly StoredKind[]): Path {
  return indexPath(
    { table: 'event', alias: 'event', key: 'seq', columns: ['kind'], type: 'bigint' },
    [kinds.map(({ id }) => id)],
    ['source', 'realm', 'type', 'endpoint', 'live']
  )
}

function deliveryPath(kinds: readonly DeliveryKind[]): Path {
  return indexPath(
    {
      table: 'delivery',
      alias: 'd',
      key: 'event_seq',
      columns: ['handler', 'realm', 'state'],
      condition: isListed('d')
    },
    [kinds.map(({ handler }) => handler), kinds.map(({ realm }) => realm), kinds.map(({ state }) => state)],
    ['delivery', 'realm']
  )
}

/** The paths by search keys. A key has its events in their order. The keys with a beginning must be sorted. */
async function listKeyPaths(session: Session, about: string): Promise<readonly Path[]> {
  const search = readKeySearch(about)
  if (search === undefined) return []
  if ('key' in search)
    return [
      indexPath({ table: 'event_key', alias: 'k', key: 'event_seq', columns: ['value'] }, [[search.key]], ['about'])
    ]
  const { values, value } = collectValues()
  const [row] = await session.query(
    `SELECT count(*)::integer AS count FROM (${selectKeys(search, value)}) AS found`,
    values
  )
  const count = Number(row?.['count'])
  return count < sortable ? [keyRangePath(search, count)] : []
}

type KeyRange = Extract<KeySearch, { readonly from: string }>

/** Selects the keys with a beginning, up to `sortable`. */
function selectKeys({ from, end }: KeyRange, value: AddValue): string {
  return `
    SELECT k.event_seq AS seq FROM riverhook.event_key AS k WHERE k.value >= ${value(from)} AND k.value < ${value(end)}
    ORDER BY k.value, k.event_seq LIMIT ${value(sortable, 'bigint')}`
}

function keyRangePath(search: KeyRange, most: number): Path {
  return {
    most,
    isOrdered: true,
    covers: ['about'],
    select(value, { bounds, order, limit, checks }) {
      const sorted = `
        SELECT DISTINCT key.seq FROM (${selectKeys(search, value)}) AS key
        WHERE key.seq > ${aboveOf(bounds, value)} AND key.seq < ${belowOf(bounds, value)} ORDER BY key.seq ${order}`
      return `
        SELECT sorted.seq FROM (${sorted}) AS sorted ${checks.length === 0 ? '' : `WHERE ${checkEvent('sorted.seq', checks)}`}
        ORDER BY sorted.seq ${order} LIMIT ${value(limit, 'bigint')}`
    }
  }
}

/** The path by id: an event of each realm. */
function idPath(id: string): Path {
  return {
    isOrdered: false,
    covers: [],
    select(value, { bounds, checks }) {
      const conditions = [`event.seq > ${aboveOf(bounds, value)}`, `event.seq < ${belowOf(bounds, value)}`, ...checks]
      return `
        SELECT event.seq FROM (SELECT * FROM riverhook.event WHERE id = ${value(indexed(id))} ORDER BY id, realm OFFSET 0) AS event
        WHERE ${conditions.join(' AND ')}`
    }
  }
}

/** The path by the time of arrival. Must lead to a few events. */
function timePath(filter: contract.EventFilter, blocks: readonly number[]): Path {
  return {
    isOrdered: false,
    covers: ['time'],
    select(value, { bounds, checks }) {
      const [since, until] = timesOf(filter)
      const conditions = [
        receivedIn('block.number', value(since, 'timestamptz'), value(until, 'timestamptz')),
        withoutIndex(`event.seq > ${aboveOf(bounds, value)}`),
        withoutIndex(`event.seq < ${belowOf(bounds, value)}`),
        ...checks.map(withoutIndex)
      ]
      return `
        SELECT found.seq FROM unnest(${value(blocks, 'bigint[]')}) AS block (number) CROSS JOIN LATERAL (
          SELECT event.seq FROM riverhook.event AS event WHERE ${conditions.join(' AND ')}
          ORDER BY event.seq >> 12, event.received_at LIMIT ${few}) AS found`
    }
  }
}

function aboveOf({ above = 0 }: Bounds, value: AddValue): string {
  return value(above, 'bigint')
}

function belowOf({ below = Infinity }: Bounds, value: AddValue): string {
  return value(Math.min(below, Number.MAX_SAFE_INTEGER), 'bigint')
}

/** Lists what must still be checked of an event that a path leads to. */
function listChecks(
  value: AddValue,
  filter: contract.EventFilter,
  { kinds }: Wanted<StoredKind>,
  { covers }: Path
): readonly string[] {
  const { about, error, type, state, handler, since, until } = filter
  const has = (part: Part, isGiven: boolean): boolean => isGiven && !covers.includes(part)
  const checks: string[] = []
  if (kindPartsOf(filter).some((part) => !covers.includes(part)))
    checks.push(
      `event.kind = ANY (${value(
        kinds?.map(({ id }) => id),
        'bigint[]'
      )})`
    )
  else if (has('type', type === '*')) checks.push("event.state = 'accepted'")
  if (has('state', state !== undefined && !isDeliveryState(state))) checks.push(`event.state = ${value(state)}`)
  if (has('time', since !== undefined)) checks.push(`event.received_at >= ${value(since, 'timestamptz')}`)
  if (has('time', until !== undefined)) checks.push(`event.received_at < ${value(until, 'timestamptz')}`)
  const search = about === undefined ? undefined : readKeySearch(about)
  if (has('error', error !== undefined)) checks.push(checkRow('delivery', [isFailing('other')]))
  if (search !== undefined && !covers.includes('about')) checks.push(checkKey(search, value))
  if (has('delivery', hasDelivery(filter)))
    checks.push(
      checkRow('delivery', [
        ...(handler === undefined ? [] : [`other.handler = ${value(handler)}`]),
        ...(isDeliveryState(state) ? [`other.state = ${value(state)}`] : [])
      ])
    )
  return checks
}

/** Checks the event with this key. */
function checkEvent(key: string, checks: readonly string[]): string {
  return `(SELECT true FROM riverhook.event AS event WHERE event.seq = ${key} AND ${checks.join(' AND ')} LIMIT 1)`
}

function checkKey(search: KeySearch, value: AddValue): string {
  return checkRow(
    'event_key',
    'key' in search
      ? [`other.value = ${value(search.key)}`]
      : [`other.value >= ${value(search.from)}`, `other.value < ${value(search.end)}`]
  )
}

/** Checks whether an event has such a row in another table. */
function checkRow(table: 'delivery' | 'event_key', conditions: readonly string[]): string {
  return `(SELECT true FROM riverhook.${table} AS other WHERE other.event_seq = event.seq AND ${conditions.join(' AND ')} LIMIT 1)`
}
