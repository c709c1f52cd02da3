import type { EventKey } from '../model/event.ts'
import type { EventFilter, EventSummary, Inbox } from './inbox.ts'
import { isDeliveryState } from './replay.ts'

/** The events that a filter would remove. */
export interface Removable {
  readonly keys: readonly EventKey[]
  /** How many match too, but have other deliveries that are not done. */
  readonly spared: number
  /** True if there are more. */
  readonly capped: boolean
}

/**
 * Finds the events that a filter would remove. With the state of a delivery, leaves out events with another delivery
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
      if (!isSettledBeside(event, filter.state)) spared += 1
      else if (keys.length === most) return { keys, spared, capped: true }
      else keys.push({ realm: event.realm, id: event.id })
    }
    after = page.next
  } while (after !== undefined)
  return { keys, spared, capped: false }
}

function isSettledBeside({ deliveries }: EventSummary, state: EventFilter['state']): boolean {
  return (
    !isDeliveryState(state) || deliveries.every((delivery) => delivery.state === state || delivery.state === 'done')
  )
}
