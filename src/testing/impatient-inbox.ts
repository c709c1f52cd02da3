import type { Inbox, Settlement } from '../index.ts'

/**
 * An inbox whose retries are due at once, so that a test sees all attempts without waiting for the backoff. With `once`, a failed
 * attempt is the last.
 */
export function impatientInbox(inbox: Inbox, { once }: { once: boolean }): Inbox {
  return new Proxy(inbox, {
    get(target, property) {
      if (property === 'settle') return (settlements: readonly Settlement[]) => target.settle(settlements.map(hurried))
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })

  function hurried(settlement: Settlement): Settlement {
    const { outcome } = settlement
    if (outcome.state !== 'retry') return settlement
    if (once) return { ...settlement, outcome: { state: 'dead', error: outcome.error } }
    return { ...settlement, outcome: { ...outcome, dueAt: settlement.endedAt } }
  }
}
