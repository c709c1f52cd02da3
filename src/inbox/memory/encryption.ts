import type { Resealing } from '../inbox.ts'
import { packHeaders } from '../rows.ts'
import { sortKeys, type Row } from './rows.ts'
import type { Store } from './store.ts'

/** Replaces the state of the encryption. @returns false if it is not the expected one */
export function saveEncryption(store: Store, expected: string | undefined, state: string | undefined): boolean {
  if (store.encryption !== expected) return false
  store.encryption = state
  return true
}

/** Replaces the stored forms of events. @returns how many were changed */
export function reseal(store: Store, changes: readonly Resealing[]): number {
  return changes.filter((change) => {
    const row = store.find(change.event)
    if (row === undefined || !isAsBefore(row, change)) return false
    resealOne(store, row, change)
    return true
  }).length
}

function isAsBefore({ arrival: { body, headers } }: Row, { from }: Resealing): boolean {
  return Buffer.compare(body, from.body) === 0 && packHeaders(headers) === packHeaders(from.headers)
}

function resealOne(
  store: Store,
  row: Row,
  { body, headers, reason, about, resource, errors, orderKeys }: Resealing
): void {
  row.arrival = { ...row.arrival, body, headers, ...(reason !== undefined && { reason }) }
  row.about = sortKeys(about)
  row.resource = resource
  const replaced = new Map(errors)
  const next = (error: string | undefined): string | undefined =>
    error === undefined ? undefined : (replaced.get(error) ?? error)
  for (const delivery of row.deliveries) {
    delivery.lastError = next(delivery.lastError)
    const log = delivery.attemptLog.map((attempt) => ({ ...attempt, error: next(attempt.error) }))
    delivery.attemptLog.splice(0, log.length, ...log)
    const change = orderKeys.find((each) => each.delivery === delivery.id && each.from === delivery.orderKey)
    if (change === undefined) continue
    store.lines.delete(delivery)
    delivery.orderKey = change.to
    if (delivery.state !== 'done' && delivery.state !== 'dead') store.lines.add(delivery)
  }
}
