import type { EventKey } from '../../model/event.ts'
import { keyText, type Delivery, type Row } from './rows.ts'
import type { Store } from './store.ts'

/** Erases the personal data of events, and deletes their deliveries that are not done. @returns how many events */
export function erase(store: Store, keys: readonly EventKey[]): number {
  const rows = new Map(keys.map((key) => [keyText(key), store.find(key)]))
  return [...rows.values()].filter((row) => row !== undefined && eraseOne(store, row)).length
}

function eraseOne(store: Store, row: Row): boolean {
  const { arrival, deliveries } = row
  if (arrival.state === 'erased' || deliveries.some(({ state }) => state === 'running')) return false
  const { realm, id, source, endpoint, receivedAt, receipt, trace } = arrival
  const { type, liveMode, createdTime } = arrival.state === 'accepted' ? arrival : {}
  row.arrival = {
    ...{ realm, id, source, endpoint, receivedAt, receipt, trace },
    ...{ state: 'erased', type: type ?? '', liveMode, createdTime, headers: {}, body: new Uint8Array() }
  }
  row.about = []
  row.resource = undefined
  store.dropDeliveries(row, ({ state }) => state !== 'done')
  for (const delivery of row.deliveries) eraseDelivery(delivery)
  return true
}

function eraseDelivery(delivery: Delivery): void {
  delivery.orderKey = undefined
  delivery.lastError = undefined
  const log = delivery.attemptLog.map((attempt) => ({ ...attempt, error: undefined }))
  delivery.attemptLog.splice(0, log.length, ...log)
}
