import type { FailedDelivery, RetryCount } from '../inbox.ts'
import { shownLength } from '../rows.ts'
import type { Delivery } from './rows.ts'
import type { Store } from './store.ts'

/** Lists deliveries whose last attempt failed, those of the newest events first. */
export function listFailed({ rows }: Store, limit: number): readonly FailedDelivery[] {
  return [...rows.values()]
    .toReversed()
    .flatMap(({ deliveries }) => deliveries.toReversed().flatMap(toFailed))
    .slice(0, limit)
}

function toFailed({ row, handler, state, attempts, losses, lastError, attemptLog }: Delivery): FailedDelivery[] {
  if (state !== 'dead' && state !== 'pending' && state !== 'waiting') return []
  if (lastError === undefined || (state !== 'dead' && attempts === 0)) return []
  const { realm, id, receivedAt } = row.arrival
  const failedAt = attemptLog.at(-1)?.endedAt ?? receivedAt
  const error = lastError.slice(0, shownLength(lastError))
  return [{ event: { realm, id }, receivedAt, handler, state, error, failedAt, hasFailed: attempts > losses }]
}

/** Counts the deliveries that wait for a retry. */
export function countRetries({ rows }: Store): readonly RetryCount[] {
  const waiting = [...rows.values()].flatMap(({ deliveries }) =>
    deliveries.filter(({ state, attempts }) => (state === 'pending' || state === 'waiting') && attempts > 0)
  )
  const nameOf = ({ row, handler }: Delivery): string => JSON.stringify([row.arrival.realm, handler])
  return [...Map.groupBy(waiting, nameOf)]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, group]) => {
      const [realm = '', handler = ''] = JSON.parse(name) as string[]
      const failed = group.filter(({ attempts, losses }) => attempts > losses)
      const dueAt = failed.filter(({ state }) => state === 'pending').map((each) => each.dueAt)
      return {
        realm,
        handler,
        failed: failed.length,
        nextAt: dueAt.length === 0 ? undefined : new Date(dueAt.reduce((one, other) => Math.min(one, other))),
        lost: group.filter(({ losses }) => losses > 0).length,
        losses: group.reduce((sum, { losses }) => sum + losses, 0)
      }
    })
}
