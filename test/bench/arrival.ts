import type { AcceptedArrival } from '../../src/inbox/inbox.ts'

/** An arrival of a bench, with one delivery. */
export function arrivalFor(handler: string, given: Pick<AcceptedArrival, 'id' | 'body' | 'about'>): AcceptedArrival {
  const receivedAt = new Date()
  return {
    ...given,
    state: 'accepted',
    realm: 'digital-river',
    source: 'digital-river',
    headers: {},
    type: 'order.accepted',
    liveMode: false,
    createdTime: '2021-03-31T19:24:47.317312Z',
    endpoint: '/webhooks',
    receivedAt,
    receipt: { judgedAt: receivedAt.toISOString(), checks: ['signature'] },
    deliveries: [{ handler }]
  }
}
