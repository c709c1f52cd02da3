import { hash } from 'node:crypto'

import type { DeliveryState } from '../../../src/model/event.ts'
import { manyEvents, type ManyEvent } from '../../inbox/filters.ts'

/**
 * The events of an inbox whose ids and orders are at random places of their indexes, as are those of new events. Half
 * of the deliveries are done, and a tenth is dead. The others are due tomorrow.
 */
export function* scaleEvents(count: number): Generator<ManyEvent> {
  for (const event of manyEvents(count, chooseState))
    yield {
      ...event,
      id: uuidOf(event.id),
      about: event.about.map((key) => (key.startsWith('order-') ? `order-${uuidOf(key)}` : key))
    }
}

function chooseState(_handler: string, _position: number, share: number): DeliveryState {
  return share < 0.5 ? 'done' : share < 0.6 ? 'dead' : 'pending'
}

/** The same UUID for the same name. */
function uuidOf(name: string): string {
  const digest = hash('sha256', name)
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    digest.slice(12, 16),
    digest.slice(16, 20),
    digest.slice(20, 32)
  ].join('-')
}
