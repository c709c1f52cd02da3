import { deliveryStates, type EventKey } from '../../model/event.ts'
import { prefixOf } from '../../model/pattern.ts'
import { readKeySearch, type KeySearch } from '../../model/search-keys.ts'
import type * as contract from '../inbox.ts'
import { readAttempts, readDelivery, readDetail, readStats, readSummary } from '../rows.ts'
import type { Times } from './claim.ts'
import type { Row, Session } from './database.ts'
import { oldestDueAt } from './probe.ts'
import { indexed } from './storable.ts'

/** Lists a page of events, newest first unless the filter has `oldestFirst`. */
export async function listEvents(session: Session, filter: contract.EventFilter): Promise<contract.EventPage> {
  const search = filter.about === undefined ? undefined : readKeySearch(filter.about)
  // Start at the key, and read its events in order.
  const byKey = search !== undefined && 'key' in search
  const join = byKey ? 'JOIN riverhook.event_key AS found ON found.event_seq = event.seq' : ''
  const seq = byKey ? 'found.event_seq' : 'event.seq'
  const isWide = search !== undefined && 'from' in search && (await countKeys(session, search)) > mostLookups
  const { conditions, values } = buildConditions(filter, seq, search, isWide)
  const rows = await session.query(
    `SELECT ${eventColumns} FROM riverhook.event AS event ${join} LEFT JOIN riverhook.repeat AS repeat ON repeat.event_seq = event.seq
     ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`} ORDER BY ${seq} ${filter.oldestFirst === true ? 'ASC' : 'DESC'} LIMIT $${values.length + 1}`,
    [...values, filter.limit + 1]
  )
  const page = rows.slice(0, filter.limit)
  const deliveries = await readDeliveries(session, page)
  return {
    events: page.map((row) => ({
      ...readSummary(row),
      deliveries: (deliveries.get(row['seq']) ?? []).map(readDelivery)
    })),
    next: rows.length > filter.limit ? Number(page.at(-1)?.['seq']) : undefined
  }
}

/** Finds one event with all its details. */
export async function findEvent(session: Session, { realm, id }: EventKey): Promise<contract.EventDetail | undefined> {
  const [row] = await session.query(
    `SELECT ${eventColumns}, receipt, headers, body FROM riverhook.event AS event LEFT JOIN riverhook.repeat AS repeat ON repeat.event_seq = event.seq WHERE event.id = $1 AND event.realm = $2`,
    [indexed(id), indexed(realm)]
  )
  if (row === undefined) return undefined
  const deliveries = (await readDeliveries(session, [row])).get(row['seq']) ?? []
  const attempts = await session.query(
    'SELECT delivery_id, attempt, state, started_at, ended_at, error FROM riverhook.attempt WHERE delivery_id = ANY ($1::bigint[]) ORDER BY id',
    [deliveries.map((delivery) => delivery['id'])]
  )
  const keys = await session.query('SELECT value FROM riverhook.event_key WHERE event_seq = $1 ORDER BY value', [
    row['seq']
  ])
  return {
    ...readDetail(row, keys),
    deliveries: deliveries.map((delivery) => ({
      ...readDelivery(delivery),
      attemptLog: readAttempts(
        delivery,
        attempts.filter((attempt) => attempt['delivery_id'] === delivery['id'])
      )
    }))
  }
}

export async function countAll(session: Session, times: Times): Promise<contract.InboxStats> {
  const deliveries = await session.query(countDeliveriesSql)
  const events = await session.query(countEventsSql)
  return { ...readStats(events, deliveries), oldestDueAt: await oldestDueAt(session, times) }
}

const countDeliveriesSql = `
SELECT realm, handler, state, count(*)::float8 AS count FROM riverhook.delivery GROUP BY realm, handler, state ORDER BY handler COLLATE "C"`

const countEventsSql = `
SELECT event.realm, count(*) FILTER (WHERE state = 'accepted')::float8 AS events, count(*) FILTER (WHERE state = 'quarantined')::float8 AS quarantined,
       count(*) FILTER (WHERE backfilled)::float8 AS backfilled,
       coalesce(sum(repeat.duplicates), 0)::float8 AS duplicates, coalesce(sum(repeat.conflicts), 0)::float8 AS conflicts
FROM riverhook.event AS event LEFT JOIN riverhook.repeat AS repeat ON repeat.event_seq = event.seq GROUP BY event.realm ORDER BY event.realm COLLATE "C"`

const eventColumns = `event.seq, event.realm, coalesce(event.whole_id, event.id) AS id, event.source, event.state, event.type, event.live_mode, event.created_time, event.endpoint, event.received_at, event.backfilled,
  event.reason, coalesce(repeat.duplicates, 0) AS duplicates, coalesce(repeat.conflicts, 0) AS conflicts`

/** Reads the deliveries of events, grouped by the event's `seq` as the database returns it. */
async function readDeliveries(session: Session, events: readonly Row[]): Promise<ReadonlyMap<unknown, readonly Row[]>> {
  const rows = await session.query(
    `SELECT id, event_seq, handler, state, attempts, losses, due_at, order_key, owner, started_at, settled_at, last_error, job_id
     FROM riverhook.delivery WHERE event_seq = ANY ($1::bigint[]) ORDER BY id`,
    [events.map((row) => row['seq'])]
  )
  return Map.groupBy(rows, (row) => row['event_seq'])
}

/**
 * The most keys of one search that are looked up in the index of keys. More are too many to sort: each event is checked
 * instead, and many of them have such a key.
 */
const mostLookups = 5_000

/** Counts the keys of a search, up to one more than `mostLookups`. */
async function countKeys(
  session: Session,
  { from, end }: Extract<KeySearch, { readonly from: string }>
): Promise<number> {
  const [row] = await session.query(
    'SELECT count(*)::integer AS count FROM (SELECT 1 FROM riverhook.event_key WHERE value >= $1 AND value < $2 LIMIT $3) AS found',
    [from, end, mostLookups + 1]
  )
  return Number(row?.['count'])
}

/**
 * @param seq the column that the events are sorted by
 * @param isWide whether the search matches more than `mostLookups` keys
 */
function buildConditions(
  filter: contract.EventFilter,
  seq: string,
  search: KeySearch | undefined,
  isWide: boolean
): { conditions: readonly string[]; values: readonly unknown[] } {
  const { id, realm, source, type, state, handler, since, until, after, upTo, oldestFirst } = filter
  const values: unknown[] = []
  const value = (given: unknown): string => `$${values.push(given)}`
  const conditions: string[] = []
  if (after !== undefined) conditions.push(`${seq} ${oldestFirst === true ? '>' : '<'} ${value(after)}`)
  if (upTo !== undefined) conditions.push(`${seq} <= ${value(upTo)}`)
  if (search !== undefined) {
    if ('key' in search) conditions.push(`found.value = ${value(search.key)}`)
    else {
      const range = `value >= ${value(search.from)} AND value < ${value(search.end)}`
      conditions.push(
        isWide
          ? // LIMIT keeps the planner from reading all keys of the range first.
            `(SELECT true FROM riverhook.event_key WHERE event_seq = event.seq AND ${range} LIMIT 1)`
          : `event.seq IN (SELECT event_seq FROM riverhook.event_key WHERE ${range})`
      )
    }
  }
  if (id !== undefined) conditions.push(`event.id = ${value(indexed(id))}`)
  if (realm !== undefined) conditions.push(`event.realm = ${value(indexed(realm))}`)
  if (source !== undefined) conditions.push(`event.source = ${value(source)}`)
  if (since !== undefined) conditions.push(`event.received_at >= ${value(since)}`)
  if (until !== undefined) conditions.push(`event.received_at < ${value(until)}`)
  if (type !== undefined) {
    conditions.push("event.state = 'accepted'")
    const prefix = prefixOf(type)
    if (prefix !== undefined) {
      const bound = value(prefix)
      conditions.push(`event.type <> ${bound} AND starts_with(event.type, ${bound})`)
    } else if (type !== '*') conditions.push(`event.type = ${value(type)}`)
  }
  const byDelivery = (deliveryStates as readonly string[]).includes(state ?? '')
  // Repeat the conditions of the partial indexes, so that the planner can use them.
  const partial = state === 'dead' || state === 'parked' ? " AND state IN ('dead', 'parked')" : ''
  if (state !== undefined && !byDelivery)
    conditions.push(`event.state = ${value(state)}${state === 'quarantined' ? " AND event.state = 'quarantined'" : ''}`)
  const terms = [
    ...(handler === undefined ? [] : [`handler = ${value(handler)}`]),
    ...(byDelivery ? [`state = ${value(state)}${partial}`] : [])
  ].join(' AND ')
  // By state alone, look up the few deliveries in that state. Otherwise check the deliveries of each event.
  if (byDelivery && handler === undefined)
    conditions.push(`event.seq IN (SELECT event_seq FROM riverhook.delivery WHERE ${terms})`)
  else if (terms !== '')
    conditions.push(`EXISTS (SELECT 1 FROM riverhook.delivery WHERE event_seq = event.seq AND ${terms})`)
  return { conditions, values }
}
