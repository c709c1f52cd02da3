import { pickStates } from './check.ts'
import type { EventFilter, EventStates, EventSummary, Inbox, RemovalTarget } from './inbox.ts'
import { isDeliveryState } from './replay.ts'
import { hasError } from './search.ts'

type OpenFilter = Omit<EventFilter, 'limit' | 'after'>

/** The events that a filter would remove or erase, and their states. */
export interface FoundEvents {
  readonly targets: readonly RemovalTarget[]
  /** How many match too, and are kept. */
  readonly kept: number
  /** True if there are or may be more. */
  readonly capped: boolean
  /** The position of the last event that was looked at, if the search was ended because of its time or its signal. */
  readonly searchedTo?: number
}

export interface FindLimits {
  /** The most events. Default: no limit. */
  readonly most?: number
  /** How long to look for events, in milliseconds. At least one page is read. Default: no limit. */
  readonly timeMs?: number
  /** Ends the search. */
  readonly signal?: AbortSignal
}

/**
 * Finds the events that a filter would remove. Keeps erased ones. With a filter for deliveries, keeps those with
 * another delivery that is not done: an event is removed with all its deliveries.
 */
export function findRemovable(inbox: Inbox, filter: OpenFilter, limits?: FindLimits): Promise<FoundEvents> {
  return find(inbox, filter, (event) => event.state !== 'erased' && isSettledBeside(event, filter), limits)
}

/** Finds the events that a filter would erase: those that are not erased yet. */
export function findErasable(inbox: Inbox, filter: OpenFilter, limits?: FindLimits): Promise<FoundEvents> {
  return find(inbox, filter, ({ state }) => state !== 'erased', limits)
}

/** Counts the deliveries that an erasure deletes, as they were seen: those that are not done. */
export function countOpen(targets: readonly RemovalTarget[]): number {
  return targets.flatMap(({ seen }) => seen?.deliveries ?? []).filter(({ state }) => state !== 'done').length
}

async function find(
  inbox: Inbox,
  filter: OpenFilter,
  isWanted: (event: EventSummary) => boolean,
  { most = Infinity, timeMs = Infinity, signal }: FindLimits = {}
): Promise<FoundEvents> {
  const endsAt = performance.now() + timeMs
  const targets: RemovalTarget[] = []
  const share = sharing()
  let kept = 0
  let after: number | undefined
  do {
    const page = await inbox.events({ ...filter, limit: 500, after })
    for (const event of page.events) {
      if (!isWanted(event)) kept += 1
      else if (targets.length === most) return { targets, kept, capped: true }
      else targets.push(toSeenEvent(event, share))
    }
    after = page.next
    if (after !== undefined && (performance.now() >= endsAt || signal?.aborted === true))
      return { targets, kept, capped: true, searchedTo: after }
  } while (after !== undefined)
  return { targets, kept, capped: false }
}

/** An event as it was listed. @param share returns one object for equal states */
function toSeenEvent(event: EventSummary, share: (states: EventStates) => EventStates): RemovalTarget {
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
