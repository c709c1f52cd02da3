import type { FailedDelivery } from '../inbox.ts'
import type { Delivery } from './rows.ts'
import type { Store } from './store.ts'

/** Lists deliveries whose last attempt failed, those of the newest events first. */
export function listFailed({ rows }: Store, limit: number): readonly FailedDelivery[] {
  return [...rows.values()]
    .toReversed()
    .flatMap(({ deliveries }) => deliveries.toReversed().flatMap(toFailed))
    .slice(0, limit)
}

function toFailed({ row, handler, state, attempts, lastError, attemptLog }: Delivery): FailedDelivery[] {
  if (state !== 'dead' && state !== 'pending' && state !== 'waiting') return []
  if (lastError === undefined || (state !== 'dead' && attempts === 0)) return []
  const { realm, id, receivedAt } = row.arrival
  const failedAt = attemptLog.at(-1)?.endedAt ?? receivedAt
  return [{ event: { realm, id }, receivedAt, handler, state, error: lastError.slice(0, 1_000), failedAt }]
}
