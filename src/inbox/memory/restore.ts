import type { DeliveryDetail, EventDetail } from '../inbox.ts'
import { restoredState } from '../rows.ts'
import { createDelivery, keyText, sortKeys, type Delivery, type Row } from './rows.ts'
import type { Store } from './store.ts'

/** Stores events as they were in another inbox. @returns how many events were new */
export function restore(store: Store, events: readonly EventDetail[], now: number): number {
  return events.filter((event) => restoreOne(store, event, now)).length
}

function restoreOne(store: Store, event: EventDetail, now: number): boolean {
  if (store.find(event) !== undefined) return false
  const { resource, duplicates, conflicts } = event
  const keys = { about: sortKeys(event.about), resource }
  const row: Row = { seq: ++store.lastSeq, arrival: toArrival(event), ...keys, duplicates, conflicts, deliveries: [] }
  store.rows.set(keyText(event), row)
  for (const detail of event.deliveries) store.add(toDelivery(detail, ++store.lastDeliveryId, row, now))
  return true
}

function toArrival(event: EventDetail): Row['arrival'] {
  const { realm, id, source, headers, body, endpoint, receivedAt, receipt, trace, reason = '' } = event
  const { type, liveMode, createdTime } = event
  const base = { realm, id, source, headers, body, endpoint, receivedAt, receipt, trace }
  if (event.state === 'quarantined') return { ...base, state: 'quarantined', reason }
  if (event.state === 'erased') return { ...base, state: 'erased', type, liveMode, createdTime }
  return { ...base, state: 'accepted', type, liveMode, createdTime, deliveries: [] }
}

function toDelivery(detail: DeliveryDetail, id: number, row: Row, now: number): Delivery {
  const { handler, orderKey, dueAt, attempts, losses, lastError, settledAt, attemptLog } = detail
  return {
    ...createDelivery({ id, row, handler, orderKey, dueAt: dueAt?.getTime() ?? now }),
    state: restoredState(detail),
    attempts,
    losses,
    lastError,
    settledAt: settledAt?.getTime(),
    attemptLog: [...attemptLog]
  }
}
