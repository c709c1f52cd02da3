import type { AcceptedArrival, Arrival, ClaimRequest, NewDelivery, RecordedAndClaimed, RecordResult } from '../inbox.ts'
import { stateBeforeLineUp } from '../rows.ts'
import { eventOutcome } from '../tally.ts'
import { claimDue, lease } from './claim.ts'
import { createDelivery, keyText, sortKeys, type Row } from './rows.ts'
import type { Store } from './store.ts'

/** Stores arrivals with their deliveries. */
export function record(
  store: Store,
  arrivals: readonly Arrival[],
  now: number
): { readonly results: RecordResult[]; readonly due: boolean } {
  return {
    results: arrivals.map((arrival) => {
      const result = recordOne(store, arrival, now)
      countRecorded(store, arrival, result, now)
      return result
    }),
    due: arrivals.some((arrival) => arrival.state === 'accepted' && arrival.deliveries.length > 0)
  }
}

function recordOne(store: Store, arrival: Arrival, now: number): RecordResult {
  const known = store.find(arrival)
  if (known !== undefined) return countDuplicate(known, arrival)
  const { about, resource }: Partial<AcceptedArrival> = arrival.state === 'accepted' ? arrival : {}
  const keys = { about: sortKeys(about), resource }
  // Copy the body: a caller may reuse its bytes, and they may be a part of the buffer of a whole commit.
  const own = { ...arrival, body: new Uint8Array(arrival.body) }
  const row: Row = { seq: ++store.lastSeq, arrival: own, ...keys, duplicates: 0, conflicts: 0, deliveries: [] }
  store.rows.set(keyText(arrival), row)
  if (arrival.state === 'accepted') for (const delivery of arrival.deliveries) addDelivery(store, row, delivery, now)
  return 'accepted'
}

/** Adds a recorded request to the tally. */
export function countRecorded({ tally }: Store, arrival: Arrival, result: RecordResult, now: number): void {
  const type = arrival.state === 'accepted' ? arrival.type : ''
  tally.addEvent(type, eventOutcome(result, arrival.state, arrival.receipt.backfilled === true), now)
}

/** Never a conflict if one of the two was backfilled: the API serialises the event again, so the bytes differ. */
export function countDuplicate(known: Row, arrival: Arrival): 'duplicate' | 'conflict' {
  known.duplicates += 1
  const isBackfilled = known.arrival.receipt.backfilled === true || arrival.receipt.backfilled === true
  if (isBackfilled || known.arrival.state === 'erased' || Buffer.compare(known.arrival.body, arrival.body) === 0)
    return 'duplicate'
  known.conflicts += 1
  return 'conflict'
}

/** Creates a delivery of a stored event, in its line. */
export function addDelivery(store: Store, row: Row, { handler, orderKey }: NewDelivery, dueAt: number): void {
  const delivery = createDelivery({ id: ++store.lastDeliveryId, row, handler, orderKey, dueAt })
  delivery.state = stateBeforeLineUp(delivery)
  store.add(delivery)
}

/** Stores arrivals as `record` does, and claims the new deliveries that the request has room for. */
export function recordAndClaim(
  store: Store,
  arrivals: readonly Arrival[],
  request: ClaimRequest,
  now: number
): RecordedAndClaimed & { readonly due: boolean } {
  const { claim, exhausted } = claimDue(store, request, now)
  const open = request.wants.filter(({ handler }) => exhausted.has(handler))
  const known = store.lastDeliveryId
  const recorded = record(store, arrivals, now)
  const added = Array.from({ length: store.lastDeliveryId - known }, (_, index) => known + 1 + index).flatMap(
    (id) => store.deliveries.get(id) ?? []
  )
  const wanted = open.flatMap(({ handler, source, limit }) =>
    added
      .filter((each) => each.handler === handler && each.row.arrival.source === source && each.orderKey === undefined)
      .slice(0, limit - claim.deliveries.filter((delivery) => delivery.handler === handler).length)
  )
  const claimed = wanted.toSorted((one, other) => one.id - other.id).slice(0, request.limit - claim.deliveries.length)
  return {
    ...recorded,
    claim,
    claimed: claimed.map((delivery) => {
      const { id, token, handler } = lease(store, delivery, { ...request, onLoss: 'loss' }, now)
      const { arrival: own } = delivery.row
      return {
        id,
        token,
        handler,
        arrival: arrivals.findIndex((each) => each.id === own.id && each.realm === own.realm)
      }
    }),
    due: claimed.length < added.length
  }
}

/** Finds which ids the realm has. */
export function findKnown(store: Store, realm: string, ids: readonly string[]): ReadonlySet<string> {
  return new Set(ids.filter((id) => store.find({ realm, id }) !== undefined))
}
