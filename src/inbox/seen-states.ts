import type { DeliveryState } from '../model/event.ts'
import type { EventStates } from './inbox.ts'

/**
 * Describes the states of an event and of its deliveries. Two descriptions are the same text if nothing that matters
 * for a removal has changed: a delivery that is due, waits in its line or runs is open.
 */
export function describeStates({ state, deliveries }: EventStates): string {
  const texts = deliveries.map((delivery) =>
    JSON.stringify([delivery.handler, isOpen(delivery.state) || delivery.state])
  )
  return JSON.stringify([state, texts.sort()])
}

/** True if an event is as it was seen, or if it does not matter. */
export function isAsSeen(seen: EventStates | undefined, now: EventStates): boolean {
  return seen === undefined || describeStates(seen) === describeStates(now)
}

function isOpen(state: DeliveryState): boolean {
  return state === 'pending' || state === 'waiting' || state === 'running'
}
