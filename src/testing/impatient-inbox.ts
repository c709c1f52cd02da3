import type { HeldDelivery, Inbox, InboxTransaction, Settlement } from '../index.ts'

/**
 * An inbox whose retries are due at once, so that a test sees all attempts without waiting for the backoff. With
 * `once`, a failed attempt is the last one. `onSettle` is called when attempts have ended, before they are stored.
 * `client` is passed to the function of `context.transaction()`.
 */
export function impatientInbox(
  inbox: Inbox,
  { once, onSettle, client }: { once: boolean; onSettle: () => void; client: InboxTransaction | undefined }
): Inbox {
  return new Proxy(inbox, {
    get(target, property) {
      if (property === 'settle') return (settlements: readonly Settlement[]) => settle(target, settlements)
      if (property === 'transact' && client !== undefined) return transactWith(target, client)
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })

  /** The test itself commits, or looks at, what is written with the client. */
  function transactWith(target: Inbox, lent: InboxTransaction): NonNullable<Inbox['transact']> {
    return async <Result>(held: HeldDelivery, work: (client: InboxTransaction) => Promise<Result>): Promise<Result> => {
      const result = await work(lent)
      await target.settle([{ ...held, outcome: { state: 'done' }, endedAt: new Date() }])
      return result
    }
  }

  function settle(target: Inbox, settlements: readonly Settlement[]): ReturnType<Inbox['settle']> {
    onSettle()
    return target.settle(settlements.map(hurried))
  }

  function hurried(settlement: Settlement): Settlement {
    const { outcome } = settlement
    if (outcome.state !== 'retry' && outcome.state !== 'lost') return settlement
    if (once) return { ...settlement, outcome: { state: 'dead', error: outcome.error } }
    return { ...settlement, outcome: { ...outcome, dueAt: settlement.endedAt } }
  }
}
