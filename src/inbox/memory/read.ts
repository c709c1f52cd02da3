import { deliveryStates, type DeliveryState, type EventKey } from '../../model/event.ts'
import { matches } from '../../model/pattern.ts'
import { isFound, readKeySearch } from '../../model/search-keys.ts'
import type * as contract from '../inbox.ts'
import { zeroCounts } from '../rows.ts'
import { isSearch, Search } from '../search.ts'
import { isPending, type Delivery, type Row } from './rows.ts'
import type { Store } from './store.ts'

/** Lists a page of events, newest first unless the filter has `oldestFirst`. */
export async function listEvents(store: Store, filter: contract.EventFilter): Promise<contract.EventPage> {
  if (!isSearch(filter)) {
    const { rows, next } = listRows(store, filter)
    return { events: rows.map(summarise), next }
  }
  const search = new Search(filter)
  for (let given = search.next(); given !== undefined; given = search.next()) {
    const { rows, next } = listRows(store, given)
    const bodies = new Map(rows.map(({ seq, arrival }) => [seq, arrival.body]))
    const candidates = rows.map((row) => ({ seq: row.seq, event: summarise(row), size: row.arrival.body.byteLength }))
    for (const part of search.parts({ candidates, next })) await search.checkInTurns(part, bodies)
  }
  return search.result()
}

/** Lists the events that the filters without `error` and `where` select. */
function listRows(
  store: Store,
  filter: contract.EventFilter
): { readonly rows: readonly Row[]; readonly next: number | undefined } {
  const { after, upTo = Infinity, oldestFirst = false, limit } = filter
  const rows = [...store.rows.values()]
  const found: Row[] = []
  for (const row of oldestFirst ? rows : rows.toReversed()) {
    if (row.seq > upTo) continue
    if (after !== undefined && (oldestFirst ? row.seq <= after : row.seq >= after)) continue
    if (!isWanted(row, filter)) continue
    found.push(row)
    if (found.length > limit) break
  }
  const page = found.slice(0, limit)
  return { rows: page, next: found.length > limit ? page.at(-1)?.seq : undefined }
}

/** Finds one event with all its details. */
export function findEvent(store: Store, key: EventKey): contract.EventDetail | undefined {
  const row = store.find(key)
  if (row === undefined) return undefined
  const { receipt, headers, trace } = row.arrival
  const body = new Uint8Array(row.arrival.body)
  const deliveries = row.deliveries.map((delivery) => ({
    ...summariseDelivery(delivery),
    attemptLog: [...delivery.attemptLog]
  }))
  return { ...summarise(row), receipt, about: row.about, headers, body, trace, deliveries }
}

/** Counts events and deliveries. */
export function countAll(store: Store, now: number): contract.InboxStats {
  const rows = [...store.rows.values()]
  const deliveries = rows.flatMap((row) => row.deliveries)
  const handlers = [...new Set(deliveries.map(({ handler }) => handler))].sort()
  const realms = [...new Set(rows.map(({ arrival }) => arrival.realm))].sort()
  return {
    ...countRows(rows),
    byRealm: realms.map((realm) => ({ realm, ...countRows(rows.filter(({ arrival }) => arrival.realm === realm)) })),
    byHandler: handlers.map((handler) => ({
      handler,
      ...countStates(deliveries.filter((delivery) => delivery.handler === handler))
    })),
    oldestDueAt: oldestDueAt(store, now)
  }
}

/** Returns when the longest overdue delivery fell due. */
export function oldestDueAt(store: Store, now: number): Date | undefined {
  return oldestDueOf(
    store,
    store.lines.handlers.filter((name) => !store.pauses.has(name)),
    now
  )
}

/** Returns when the longest overdue delivery of these handlers fell due. */
export function oldestDueOf({ lines }: Store, handlers: readonly string[], now: number): Date | undefined {
  let oldest = Infinity
  for (const handler of handlers)
    for (const delivery of lines.of(handler)) if (isPending(delivery)) oldest = Math.min(oldest, delivery.dueAt)
  return oldest <= now ? new Date(oldest) : undefined
}

function isWanted({ arrival, about: keys, deliveries }: Row, filter: contract.EventFilter): boolean {
  const { id, about, realm, source, type, endpoint, live, state, handler, since, until } = filter
  if ((id ?? arrival.id) !== arrival.id || (realm ?? arrival.realm) !== arrival.realm) return false
  if ((source ?? arrival.source) !== arrival.source || (endpoint ?? arrival.endpoint) !== arrival.endpoint) return false
  if (live !== undefined && (arrival.state === 'quarantined' || arrival.liveMode !== live)) return false
  const search = about === undefined ? undefined : readKeySearch(about)
  if (search !== undefined && !isFound(search, keys)) return false
  if (since !== undefined && arrival.receivedAt < since) return false
  if (until !== undefined && arrival.receivedAt >= until) return false
  if (type !== undefined && (arrival.state === 'quarantined' || !matches(type, arrival.type))) return false
  const byDelivery = (deliveryStates as readonly string[]).includes(state ?? '')
  if (state !== undefined && !byDelivery && arrival.state !== state) return false
  if (handler === undefined && !byDelivery) return true
  return deliveries.some(
    (delivery) => (handler ?? delivery.handler) === delivery.handler && (!byDelivery || delivery.state === state)
  )
}

function summarise(row: Row): contract.EventSummary {
  const { arrival, duplicates, conflicts } = row
  const event = arrival.state === 'quarantined' ? undefined : arrival
  return {
    realm: arrival.realm,
    id: arrival.id,
    source: arrival.source,
    type: event?.type ?? '',
    state: arrival.state,
    liveMode: event?.liveMode,
    createdTime: event?.createdTime,
    resource: row.resource,
    endpoint: arrival.endpoint,
    receivedAt: arrival.receivedAt,
    backfilled: arrival.receipt.backfilled === true,
    duplicates,
    conflicts,
    reason: arrival.state === 'quarantined' ? arrival.reason : undefined,
    deliveries: row.deliveries.map(summariseDelivery)
  }
}

function summariseDelivery(delivery: Delivery): contract.DeliverySummary {
  const { id, handler, state, attempts, losses, orderKey, owner, lastError, settledAt, jobId } = delivery
  const dueAt = state === 'pending' ? new Date(delivery.dueAt) : undefined
  return {
    id,
    handler,
    state,
    attempts,
    losses,
    dueAt,
    orderKey,
    owner,
    lastError,
    settledAt: settledAt === undefined ? undefined : new Date(settledAt),
    jobId
  }
}

function countRows(rows: readonly Row[]): contract.EventCounts {
  return {
    events: rows.filter(({ arrival }) => arrival.state !== 'quarantined').length,
    quarantined: rows.filter(({ arrival }) => arrival.state === 'quarantined').length,
    backfilled: rows.filter(({ arrival }) => arrival.receipt.backfilled === true).length,
    duplicates: rows.reduce((sum, row) => sum + row.duplicates, 0),
    conflicts: rows.reduce((sum, row) => sum + row.conflicts, 0),
    deliveries: countStates(rows.flatMap((row) => row.deliveries))
  }
}

function countStates(deliveries: readonly { readonly state: DeliveryState }[]): Record<DeliveryState, number> {
  const counts = zeroCounts()
  for (const { state } of deliveries) counts[state] += 1
  return counts
}
