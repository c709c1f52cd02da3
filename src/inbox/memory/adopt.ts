import { leaseRanOut } from '../../model/lease.ts'
import type { Adopted, HandlerRecord } from '../inbox.ts'
import { stateBeforeLineUp } from '../rows.ts'
import { isExpired, type Delivery } from './rows.ts'
import type { Store } from './store.ts'

/** Stores the list of handlers. Parks the deliveries of missing handlers, and resumes parked ones of these. */
export function adopt(store: Store, handlers: readonly HandlerRecord[], now: number): Adopted {
  store.handlers = handlers.map(({ name, source, pattern, ordered = false }) => ({ name, source, pattern, ordered }))
  let parked = 0
  let resumed = 0
  for (const handler of store.lines.handlers) {
    for (const delivery of store.lines.of(handler)) {
      const isKnown = store.hasHandler(delivery)
      if (!isKnown && park(store, delivery, now)) parked += 1
      else if (isKnown && delivery.state === 'parked') {
        delivery.state = delivery.overtakable ? 'pending' : stateBeforeLineUp(delivery)
        resumed += 1
      }
    }
    store.lines.lineUpAll(handler)
  }
  return { parked, resumed }
}

/** Lists the handlers last adopted. */
export function listHandlers(store: Store): readonly HandlerRecord[] {
  return store.handlers
}

/** Parks an unsettled delivery. @returns false if it is parked already, or running under a lease that has not ended */
function park(store: Store, delivery: Delivery, now: number): boolean {
  if (isExpired(delivery, now)) expire(store, delivery, now)
  if (delivery.state !== 'pending' && delivery.state !== 'waiting') return false
  delivery.state = 'parked'
  return true
}

/** Ends the attempt of a running delivery whose lease has run out. */
function expire({ tally }: Store, delivery: Delivery, now: number): void {
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
  tally.addAttempt(delivery.handler, 'lost', 0, now)
}
