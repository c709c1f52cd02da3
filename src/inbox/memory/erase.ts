import type { RemovalTarget } from '../inbox.ts'
import { findSeen } from './prune.ts'
import type { Delivery, Row } from './rows.ts'
import type { Store } from './store.ts'

/** Erases the personal data of events, and deletes their deliveries that are not done. @returns how many events */
export function erase(store: Store, targets: readonly RemovalTarget[]): number {
  const rows = findSeen(store, targets)
  for (const row of rows) eraseOne(store, row)
  return rows.length
}

function eraseOne(store: Store, row: Row): void {
  const { arrival } = row
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
}

function eraseDelivery(delivery: Delivery): void {
  delivery.orderKey = undefined
  delivery.lastError = undefined
  const log = delivery.attemptLog.map((attempt) => ({ ...attempt, error: undefined }))
  delivery.attemptLog.splice(0, log.length, ...log)
}
