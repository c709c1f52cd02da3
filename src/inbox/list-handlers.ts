import { deliveryStates, type DeliveryState } from '../model/event.ts'
import type { Inbox } from './inbox.ts'

/** A handler of the server, or one that only deliveries or a pause are left of. */
export interface ListedHandler {
  readonly name: string
  /** Undefined for a handler that no server has any more. */
  readonly source: string | undefined
  readonly pattern: string | undefined
  readonly ordered: boolean | undefined
  readonly pausedSince: Date | undefined
  readonly deliveries: Readonly<Record<DeliveryState, number>>
}

const noDeliveries = Object.fromEntries(deliveryStates.map((state) => [state, 0])) as Record<DeliveryState, number>

/** Lists the handlers of the servers of an inbox, which of them are paused, and their deliveries by state. */
export async function listHandlers(inbox: Inbox): Promise<readonly ListedHandler[]> {
  const [handlers, pauses, { byHandler }] = [await inbox.handlers(), await inbox.pauses(), await inbox.stats()]
  const since = new Map(pauses.map((pause) => [pause.handler, pause.since]))
  const counts = new Map(byHandler.map(({ handler, ...states }) => [handler, states]))
  const gone = [...since.keys(), ...counts.keys()].filter((name) => !handlers.some((each) => each.name === name))
  const all = [
    ...handlers,
    ...[...new Set(gone)].map((name) => ({ name, source: undefined, pattern: undefined, ordered: undefined }))
  ]
  return all.map(({ name, source, pattern, ordered }) => ({
    name,
    source,
    pattern,
    ordered,
    pausedSince: since.get(name),
    deliveries: counts.get(name) ?? noDeliveries
  }))
}
