import { deliveryStates, type DeliveryState, type EventKey } from '../../model/event.ts'
import { matches } from '../../model/pattern.ts'
import type * as contract from '../inbox.ts'
import { arrivedAt, isPastOld } from '../arrival-time.ts'
import { leaseRanOut } from '../../model/lease.ts'
import { noDeliveries } from '../rows.ts'

/** An event as the memory engine keeps it. */
export interface Row {
  readonly seq: number
  readonly arrival: contract.Arrival
  duplicates: number
  conflicts: number
  readonly deliveries: Delivery[]
}

export interface Delivery {
  readonly id: number
  readonly row: Row
  readonly handler: string
  readonly orderKey: string | undefined
  state: DeliveryState
  attempts: number
  losses: number
  /** Runs lost in a row. */
  suspicion: number
  onLoss: contract.OnLoss
  dueAt: number
  token: number
  leaseUntil: number
  owner: string | undefined
  /** A failed delivery that lets later ones of its key overtake (`onFailure: 'skip'`). */
  overtakable: boolean
  lastError: string | undefined
  settledAt: number | undefined
  readonly attemptLog: contract.AttemptRecord[]
}

/** What came, from what is known of it. */
export function arrivalOf(event: contract.EventDetail): contract.Arrival {
  const { realm, id, source, headers, body, endpoint, receivedAt, receipt, reason = '' } = event
  const { type, liveMode, createdTime } = event
  const base = { realm, id, source, headers, body, endpoint, receivedAt, receipt }
  return event.state === 'accepted'
    ? { ...base, state: 'accepted', type, liveMode, createdTime, deliveries: [] }
    : { ...base, state: 'quarantined', reason }
}

/** When it arrived, in milliseconds since the epoch. */
export function arrivalOfRow({ arrival }: Row, now: number): number {
  return arrivedAt(arrival.receivedAt.getTime(), arrival.state === 'accepted' ? arrival.createdTime : undefined, now)
}

/** True where nothing more is to be done for an event. */
export function isDone({ arrival, deliveries }: Row): boolean {
  return arrival.state === 'accepted' && deliveries.every(({ state }) => state === 'done')
}

/** True where no row after these is old. */
export function isLastOld(rows: readonly Row[], old: readonly Row[], now: number): boolean {
  return isPastOld(
    rows.filter((row) => !old.includes(row)).map(({ arrival }) => arrival.receivedAt.getTime()),
    now
  )
}

/** Puts a row where another one is, in the order of arrival. */
export function replaceRow(rows: Map<string, Row>, former: Row, row: Row): void {
  const all = [...rows.values()].map((each) => (each === former ? row : each))
  rows.clear()
  for (const each of all) rows.set(nameOf(each.arrival), each)
}

/** What events are kept under. */
export function nameOf({ realm, id }: EventKey): string {
  return JSON.stringify([realm, id])
}

export function newDelivery(given: Pick<Delivery, 'id' | 'row' | 'handler' | 'orderKey' | 'dueAt'>): Delivery {
  return {
    ...given,
    state: 'pending',
    attempts: 0,
    losses: 0,
    suspicion: 0,
    onLoss: 'loss',
    token: 0,
    leaseUntil: 0,
    owner: undefined,
    overtakable: false,
    lastError: undefined,
    settledAt: undefined,
    attemptLog: []
  }
}

/** Read through a call: the state changes where TypeScript does not see it. */
export function isPending({ state }: Delivery): boolean {
  return state === 'pending'
}

export function isExpired(delivery: Delivery, now: number): boolean {
  return delivery.state === 'running' && delivery.leaseUntil <= now
}

/** Of a running delivery, the end of its lease. */
export function dueAtOf({ state, dueAt, leaseUntil }: Delivery): number {
  return state === 'running' ? leaseUntil : dueAt
}

/** A pending delivery whose last run was lost. */
export function isSuspect({ state, suspicion }: Delivery): boolean {
  return state === 'pending' && suspicion > 0
}

/** What may be claimed now or later, the longest due first. */
export function inTurn(deliveries: Iterable<Delivery>, now: number): Delivery[] {
  const due = [...deliveries].filter((delivery) => delivery.state === 'pending' || isExpired(delivery, now))
  return due.sort((a, b) => dueAtOf(a) - dueAtOf(b) || a.id - b.id)
}

/** The suspects that are due, the longest due first. */
export function dueSuspects(deliveries: readonly Delivery[], now: number): Delivery[] {
  return inTurn(deliveries.filter(isSuspect), now).filter(({ dueAt }) => dueAt <= now)
}

/** Gives a delivery out. The attempt of a lost run was counted when it began. */
export function lease(
  delivery: Delivery,
  { owner, leaseMs, onLoss }: Omit<contract.ClaimSuspectsRequest, 'ids'>,
  now: number
): contract.ClaimedDelivery {
  const lost =
    delivery.state === 'running'
      ? { owner: delivery.owner, at: new Date(delivery.leaseUntil), onLoss: delivery.onLoss }
      : undefined
  if (lost === undefined) delivery.attempts += 1
  delivery.state = 'running'
  delivery.token += 1
  delivery.leaseUntil = now + leaseMs
  delivery.owner = owner
  delivery.onLoss = lost?.onLoss ?? onLoss
  const { id, token, handler, orderKey, attempts: attempt, losses, suspicion, row } = delivery
  const { arrival } = row
  const type = arrival.state === 'accepted' ? arrival.type : ''
  const { realm, id: eventId, source, headers, endpoint, receivedAt, body } = arrival
  return {
    id,
    token,
    handler,
    orderKey,
    attempt,
    losses,
    suspicion,
    lost,
    event: { realm, id: eventId, source, type, headers, endpoint, receivedAt, body }
  }
}

/** A replay: due now, as if it had never run. */
export function rewind(delivery: Delivery, now: number, dueInMs: number): void {
  const at = new Date(now)
  if (delivery.attempts > 0)
    delivery.attemptLog.push({
      attempt: delivery.attempts,
      state: 'replayed',
      startedAt: at,
      endedAt: at,
      error: undefined
    })
  delivery.attempts = 0
  delivery.losses = 0
  delivery.suspicion = 0
  delivery.dueAt = now + dueInMs
  delivery.overtakable = false
  delivery.settledAt = undefined
}

/** How an attempt ended. */
export function end(delivery: Delivery, { outcome, startedAt, endedAt }: contract.Settlement, now: number): void {
  const error = 'error' in outcome ? outcome.error : undefined
  delivery.attemptLog.push({ attempt: delivery.attempts, state: outcome.state, startedAt, endedAt, error })
  delivery.owner = undefined
  delivery.lastError = error ?? delivery.lastError
  switch (outcome.state) {
    case 'done':
    case 'dead':
      delivery.state = outcome.state
      delivery.settledAt = endedAt.getTime()
      break
    case 'retry':
      delivery.state = 'pending'
      delivery.dueAt = outcome.dueAt.getTime()
      delivery.overtakable = outcome.releaseKey
      delivery.suspicion = 0
      break
    case 'lost':
      delivery.state = 'pending'
      delivery.dueAt = outcome.dueAt.getTime()
      delivery.overtakable = outcome.releaseKey
      delivery.losses += outcome.counts ? 0 : 1
      delivery.suspicion += 1
      break
    case 'parked':
    case 'released':
      delivery.state = outcome.state === 'parked' ? 'parked' : 'pending'
      delivery.dueAt = now
      delivery.attempts -= 1
  }
}

/** A delivery that moves in. Where it was running, pending or waiting, it is to be put in line. */
export function restored(
  detail: contract.EventDetail['deliveries'][number],
  id: number,
  row: Row,
  now: number
): Delivery {
  const { handler, orderKey, dueAt, state, attempts, losses, lastError, settledAt, attemptLog } = detail
  return {
    ...newDelivery({ id, row, handler, orderKey, dueAt: dueAt?.getTime() ?? now }),
    state: state === 'running' ? 'pending' : state,
    attempts,
    losses,
    lastError,
    settledAt: settledAt?.getTime(),
    attemptLog: [...attemptLog]
  }
}

/** Its process died or stalled, and nobody has its handler any more who could decide what becomes of it. */
function expire(delivery: Delivery, now: number): void {
  const startedAt = new Date(delivery.leaseUntil)
  const error = leaseRanOut(delivery.owner)
  delivery.state = 'pending'
  delivery.dueAt = delivery.leaseUntil
  delivery.owner = undefined
  delivery.overtakable = false
  delivery.losses += delivery.onLoss === 'attempt' ? 0 : 1
  delivery.suspicion += delivery.onLoss === 'nothing' ? 0 : 1
  delivery.lastError = error
  delivery.attemptLog.push({ attempt: delivery.attempts, state: 'lost', startedAt, endedAt: new Date(now), error })
}

/** Parks an unsettled delivery of a handler that is gone. @returns false where it is running, and its lease lasts */
export function park(delivery: Delivery, now: number): boolean {
  if (isExpired(delivery, now)) expire(delivery, now)
  if (delivery.state !== 'pending' && delivery.state !== 'waiting') return false
  delivery.state = 'parked'
  return true
}

export function isWanted({ arrival, deliveries }: Row, filter: contract.EventFilter): boolean {
  const { id, realm, source, type, state, handler, since, until } = filter
  if ((id ?? arrival.id) !== arrival.id || (realm ?? arrival.realm) !== arrival.realm) return false
  if ((source ?? arrival.source) !== arrival.source) return false
  if (since !== undefined && arrival.receivedAt < since) return false
  if (until !== undefined && arrival.receivedAt >= until) return false
  if (type !== undefined && (arrival.state !== 'accepted' || !matches(type, arrival.type))) return false
  const byDelivery = (deliveryStates as readonly string[]).includes(state ?? '')
  if (state !== undefined && !byDelivery && arrival.state !== state) return false
  if (handler === undefined && !byDelivery) return true
  return deliveries.some(
    (delivery) => (handler ?? delivery.handler) === delivery.handler && (!byDelivery || delivery.state === state)
  )
}

export function summarise(row: Row): contract.EventSummary {
  const { arrival, duplicates, conflicts } = row
  const accepted = arrival.state === 'accepted' ? arrival : undefined
  return {
    realm: arrival.realm,
    id: arrival.id,
    source: arrival.source,
    type: accepted?.type ?? '',
    state: arrival.state,
    liveMode: accepted?.liveMode,
    createdTime: accepted?.createdTime,
    endpoint: arrival.endpoint,
    receivedAt: arrival.receivedAt,
    backfilled: arrival.receipt.backfilled === true,
    duplicates,
    conflicts,
    reason: arrival.state === 'quarantined' ? arrival.reason : undefined,
    deliveries: row.deliveries.map(summariseDelivery)
  }
}

export function summariseDelivery(delivery: Delivery): contract.DeliverySummary {
  const { id, handler, state, attempts, losses, orderKey, owner, lastError, settledAt } = delivery
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
    settledAt: settledAt === undefined ? undefined : new Date(settledAt)
  }
}

export function countAll(rows: readonly Row[]): Omit<contract.InboxStats, 'oldestDueAt'> {
  const deliveries = rows.flatMap((row) => row.deliveries)
  const handlers = [...new Set(deliveries.map(({ handler }) => handler))].sort()
  const realms = [...new Set(rows.map(({ arrival }) => arrival.realm))].sort()
  return {
    ...countRows(rows),
    byRealm: realms.map((realm) => ({ realm, ...countRows(rows.filter(({ arrival }) => arrival.realm === realm)) })),
    byHandler: handlers.map((handler) => ({
      handler,
      ...count(deliveries.filter((delivery) => delivery.handler === handler))
    }))
  }
}

function countRows(rows: readonly Row[]): contract.EventCounts {
  return {
    events: rows.filter(({ arrival }) => arrival.state === 'accepted').length,
    quarantined: rows.filter(({ arrival }) => arrival.state === 'quarantined').length,
    backfilled: rows.filter(({ arrival }) => arrival.receipt.backfilled === true).length,
    duplicates: rows.reduce((sum, row) => sum + row.duplicates, 0),
    conflicts: rows.reduce((sum, row) => sum + row.conflicts, 0),
    deliveries: count(rows.flatMap((row) => row.deliveries))
  }
}

function count(deliveries: readonly { readonly state: DeliveryState }[]): Record<DeliveryState, number> {
  const counts = noDeliveries()
  for (const { state } of deliveries) counts[state] += 1
  return counts
}

/** Everything that is known of an event. */
export function detailOf(row: Row): contract.EventDetail {
  const { receipt, headers, body } = row.arrival
  const deliveries = row.deliveries.map((delivery) => ({
    ...summariseDelivery(delivery),
    attemptLog: [...delivery.attemptLog]
  }))
  return { ...summarise(row), receipt, headers, body, deliveries }
}

/** A page of events. `rows` are in the order of their arrival. */
export function pageOf(rows: readonly Row[], filter: contract.EventFilter): contract.EventPage {
  const found: Row[] = []
  for (const row of filter.oldestFirst === true ? rows : rows.toReversed()) {
    if (filter.after !== undefined && (filter.oldestFirst === true ? row.seq <= filter.after : row.seq >= filter.after))
      continue
    if (!isWanted(row, filter)) continue
    found.push(row)
    if (found.length > filter.limit) break
  }
  const page = found.slice(0, filter.limit)
  return { events: page.map(summarise), next: found.length > filter.limit ? page.at(-1)?.seq : undefined }
}
