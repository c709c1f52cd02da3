import { randomUUID } from 'node:crypto'

/** An Event of our own making, in the shape that Digital River sends. */
export function makeEvent(type: string, object: Record<string, unknown>): { id: string; body: Buffer } {
  const id = randomUUID()
  const event = {
    id,
    type,
    data: { object },
    liveMode: false,
    createdTime: new Date().toISOString(),
    digitalriverVersion: '2021-12-13'
  }
  return { id, body: Buffer.from(JSON.stringify(event)) }
}

/** The objects of the show. */
export function acceptedOrder(): Record<string, unknown> {
  return {
    id: String(Math.floor(Math.random() * 1e12)),
    currency: 'EUR',
    totalAmount: 23.8,
    state: 'accepted',
    items: [{ skuId: 'teapot', quantity: 1, amount: 20 }]
  }
}

export function failedCapture(): Record<string, unknown> {
  return { id: randomUUID(), currency: 'EUR', amount: 23.8, state: 'failed', captures: [{ id: randomUUID(), amount: 23.8, state: 'failed' }] }
}

export function unpaidSubscription(): Record<string, unknown> {
  return { subscription: { id: randomUUID(), state: 'active', planId: randomUUID() }, invoice: { id: randomUUID(), totalAmount: 23.8 } }
}
