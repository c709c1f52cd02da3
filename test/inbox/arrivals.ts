import type { AcceptedArrival, NewDelivery, QuarantinedArrival } from '../../src/inbox/inbox.ts'
import { realm, source } from '../event-keys.ts'

const receipt = { judgedAt: '2026-01-01T00:00:00.000Z', checks: ['signature'], secret: 1, skewMs: 12 }

/** An accepted arrival with the given deliveries: handler names, or handlers with an order key. */
export function arrival(
  id: string,
  deliveries: readonly (string | NewDelivery)[] = [],
  changes: Partial<AcceptedArrival> = {}
): AcceptedArrival {
  return {
    state: 'accepted',
    realm,
    id,
    source,
    headers: {},
    type: 'order.accepted',
    liveMode: false,
    createdTime: '2026-01-01T00:00:00Z',
    body: Buffer.from(JSON.stringify({ id })),
    endpoint: '/webhooks',
    receivedAt: new Date(1_000_000),
    receipt,
    deliveries: deliveries.map((delivery) => (typeof delivery === 'string' ? { handler: delivery } : delivery)),
    ...changes
  }
}

/** A mismatch of the given kind, without its realm. */
export const someMismatch = {
  type: 'a',
  path: 'b',
  rule: 'c',
  handler: '',
  count: 1,
  firstAt: new Date(1),
  lastAt: new Date(1),
  eventId: '1'
} as const

export function quarantined(id: string, changes: Partial<QuarantinedArrival> = {}): QuarantinedArrival {
  const body = Buffer.from([0xff, 0xfe, 0x00])
  return {
    state: 'quarantined',
    realm,
    id,
    source,
    headers: {},
    body,
    endpoint: '/webhooks',
    receivedAt: new Date(1_000_000),
    receipt,
    reason: 'not UTF-8',
    ...changes
  }
}
