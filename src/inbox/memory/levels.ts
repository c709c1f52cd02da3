import type { OpenState } from '../../model/event.ts'
import type * as contract from '../inbox.ts'
import { zeroUnfinished } from '../rows.ts'
import { oldestDueAt, oldestDueOf } from './read.ts'
import type { Delivery } from './rows.ts'
import type { Store } from './store.ts'

/** Returns how much is left to do. */
export function readLevels(store: Store, now: number): contract.InboxLevels {
  const rows = [...store.rows.values()]
  const open = rows.flatMap(({ deliveries }) => deliveries.filter(({ state }) => state !== 'done'))
  const handlers = [...new Set(open.map(({ handler }) => handler))].sort()
  return {
    byHandler: handlers.map((handler) => ({
      handler,
      ...zeroUnfinished(),
      later: 0,
      ...countBy(
        open.filter((delivery) => delivery.handler === handler),
        now
      ),
      oldestDueAt: oldestDueOf(store, [handler], now)
    })),
    oldestDueAt: oldestDueAt(store, now),
    quarantined: rows.filter(({ arrival }) => arrival.state === 'quarantined').length,
    oldestEventAt: rows[0]?.arrival.receivedAt,
    sizeBytes: undefined
  }
}

function countBy(deliveries: readonly Delivery[], now: number): Partial<Record<OpenState, number>> {
  const groups = Map.groupBy(deliveries, ({ state, dueAt }) =>
    state === 'pending' && dueAt > now ? 'later' : (state as OpenState)
  )
  return Object.fromEntries([...groups].map(([state, { length }]) => [state, length]))
}
