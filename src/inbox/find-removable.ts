import type { EventKey } from '../model/event.ts'
import type { EventFilter, EventSummary, Inbox } from './inbox.ts'
import { isDeliveryState } from './replay.ts'
import { hasError } from './search.ts'

/** The events that a filter would remove. */
export interface Removable {
  readonly keys: readonly EventKey[]
  /** How many match too, but have other deliveries that are not done. */
  readonly spared: number
  /** True if there are more. */
  readonly capped: boolean
}

/**
 * Finds the events that a filter would remove. With a filter for deliveries, leaves out events with another delivery
 * that is not done: an event is removed with all its deliveries.
 * @param most the most events; default: no limit
 */
export async function findRemovable(
  inbox: Inbox,
  filter: Omit<EventFilter, 'limit' | 'after'>,
  most = Infinity
): Promise<Removable> {
  const keys: EventKey[] = []
  let spared = 0
  let after: number | undefined
  do {
    const page = await inbox.events({ ...filter, limit: 500, after })
    for (const event of page.events) {
      if (!isSettledBeside(event, filter)) spared += 1
      else if (keys.length === most) return { keys, spared, capped: true }
      else keys.push({ realm: event.realm, id: event.id })
    }
    after = page.next
  } while (after !== undefined)
  return { keys, spared, capped: false }
}

function isSettledBeside(
  { deliveries }: EventSummary,
  { state, handler, error }: Pick<EventFilter, 'state' | 'handler' | 'error'>
): boolean {
  const hasState = isDeliveryState(state)
  if (!hasState && handler === undefined && error === undefined) return true
  return deliveries.every(
    (delivery) =>
      delivery.state === 'done' ||
      ((handler ?? delivery.handler) === delivery.handler &&
        (!hasState || delivery.state === state) &&
        (error === undefined || hasError(delivery, error)))
  )
}
