import { pickStates } from './check.ts'
import type { EventFilter, EventStates, EventSummary, Inbox, RemovalTarget } from './inbox.ts'
import { isDeliveryState } from './replay.ts'
import { hasError } from './search.ts'

/** The events that a filter would remove. */
export interface Removable {
  readonly targets: readonly RemovalTarget[]
  /** How many match too, but are kept, because they have other deliveries that are not done. */
  readonly kept: number
  /** True if there are or may be more. */
  readonly capped: boolean
  /** The position of the last event that was looked at, if the search was ended because of its time or its signal. */
  readonly searchedTo?: number
}

export interface RemovableLimits {
  /** The most events. Default: no limit. */
  readonly most?: number
  /** How long to look for events, in milliseconds. At least one page is read. Default: no limit. */
  readonly timeMs?: number
  /** Ends the search. */
  readonly signal?: AbortSignal
}

/**
 * Finds the events that a filter would remove. With a filter for deliveries, leaves out events with another delivery
 * that is not done: an event is removed with all its deliveries.
 */
export async function findRemovable(
  inbox: Inbox,
  filter: Omit<EventFilter, 'limit' | 'after'>,
  { most = Infinity, timeMs = Infinity, signal }: RemovableLimits = {}
): Promise<Removable> {
  const endsAt = performance.now() + timeMs
  const targets: RemovalTarget[] = []
  const share = sharing()
  let kept = 0
  let after: number | undefined
  do {
    const page = await inbox.events({ ...filter, limit: 500, after })
    for (const event of page.events) {
      if (!isSettledBeside(event, filter)) kept += 1
      else if (targets.length === most) return { targets, kept, capped: true }
      else targets.push(toRemovalTarget(event, share))
    }
    after = page.next
    if (after !== undefined && (performance.now() >= endsAt || signal?.aborted === true))
      return { targets, kept, capped: true, searchedTo: after }
  } while (after !== undefined)
  return { targets, kept, capped: false }
}

/**
 * An event as it was listed, to be removed if it has not changed by then.
 * @param share returns one object for equal states
 */
export function toRemovalTarget(
  event: EventSummary,
  share: (states: EventStates) => EventStates = (states) => states
): RemovalTarget {
  return { realm: event.realm, id: event.id, seen: share(pickStates(event)) }
}

/** Returns one object for all equal states: there may be a million events. */
function sharing(): (states: EventStates) => EventStates {
  const known = new Map<string, EventStates>()
  return (states) => {
    const text = JSON.stringify(states)
    const shared = known.get(text) ?? states
    known.set(text, shared)
    return shared
  }
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
