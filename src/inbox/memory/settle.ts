import type { Lease, OnLoss, Settlement, SettleResult } from '../inbox.ts'
import { isSettled } from '../rows.ts'
import { attemptMs } from '../tally.ts'
import type { Delivery } from './rows.ts'
import type { Store } from './store.ts'

/** Stores the outcomes of attempts. An outcome with an old token is `stale`, and changes nothing. */
export function settle(store: Store, settlements: readonly Settlement[], now: number): SettleResult[] {
  return settlements.map((settlement) => {
    const delivery = findHeld(store, settlement)
    if (delivery === undefined) return 'stale'
    endAttempt(delivery, settlement, now)
    store.tally.addAttempt(delivery.handler, settlement.outcome.state, attemptMs(settlement), now)
    if (isSettled(delivery)) store.lines.delete(delivery)
    store.lines.lineUp(delivery)
    return 'settled'
  })
}

/** Extends leases. @returns the ids of the deliveries whose lease was no longer held */
export function extend(
  store: Store,
  leases: readonly Lease[],
  leaseMs: number,
  onLoss: OnLoss | undefined,
  now: number
): number[] {
  const lost: number[] = []
  for (const lease of leases) {
    const delivery = findHeld(store, lease)
    if (delivery === undefined) {
      lost.push(lease.id)
      continue
    }
    delivery.leaseUntil = now + leaseMs
    delivery.onLoss = onLoss ?? delivery.onLoss
  }
  return lost
}

function findHeld(store: Store, { id, token }: Lease): Delivery | undefined {
  const delivery = store.deliveries.get(id)
  return delivery?.state === 'running' && delivery.token === token ? delivery : undefined
}

function endAttempt(delivery: Delivery, { outcome, startedAt, endedAt }: Settlement, now: number): void {
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
      // The attempt was not made, so it does not count.
      delivery.state = outcome.state === 'parked' ? 'parked' : 'pending'
      delivery.dueAt = now
      delivery.attempts -= 1
  }
}
