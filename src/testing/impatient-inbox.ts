import type { Inbox, Settlement } from '../index.ts'

/**
 * An inbox whose retries are due at once, so that a test sees all attempts without waiting for the backoff. With `once`, a failed
 * attempt is the last. `onSettle` is called when attempts have ended, before anything is made of it.
 */
export function impatientInbox(inbox: Inbox, { once, onSettle }: { once: boolean; onSettle: () => void }): Inbox {
  return new Proxy(inbox, {
    get(target, property) {
      if (property === 'settle') return (settlements: readonly Settlement[]) => settle(target, settlements)
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })

  function settle(target: Inbox, settlements: readonly Settlement[]): ReturnType<Inbox['settle']> {
    onSettle()
    return target.settle(settlements.map(hurried))
  }

  function hurried(settlement: Settlement): Settlement {
    const { outcome } = settlement
    if (outcome.state !== 'retry') return settlement
    if (once) return { ...settlement, outcome: { state: 'dead', error: outcome.error } }
    return { ...settlement, outcome: { ...outcome, dueAt: settlement.endedAt } }
  }
}
