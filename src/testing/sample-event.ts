import { randomUUID } from 'node:crypto'

import type { Event } from '../index.ts'

/** What of an Event is chosen; the rest is made up. */
export type EventChoice = Partial<Omit<Event, 'data'>> & { readonly data?: Partial<Event['data']> }

/**
 * An Event in the shape that Digital River sends, of our own making.
 * @param type any type; those of orders, charges, refunds and subscriptions have an object that looks the part
 * @param choice overrides fields of the Event; `data.object` as a whole
 */
export function sampleEvent(type: string, choice: EventChoice = {}): Event {
  const { data, ...rest } = choice
  return {
    id: randomUUID(),
    type,
    liveMode: false,
    createdTime: new Date().toISOString(),
    digitalriverVersion: '2021-12-13',
    ...rest,
    data: { ...data, object: data?.object ?? objectOf(type) }
  }
}

/** The first words of a type tell the object, as far as its examples show. */
function objectOf(type: string): Record<string, unknown> {
  const number = (): string => String(Math.floor(Math.random() * 1e12))
  if (type.startsWith('order.charge.')) {
    return { id: randomUUID(), orderId: number(), currency: 'EUR', amount: 23.8, state: type.split('.').at(-1), captures: [] }
  }
  if (type.startsWith('order.') || type.startsWith('checkout_session.')) {
    return { id: number(), currency: 'EUR', totalAmount: 23.8, state: 'accepted', items: [{ id: number(), skuId: 'teapot', quantity: 1, amount: 20 }] }
  }
  if (type.startsWith('refund.')) return { id: randomUUID(), orderId: number(), currency: 'EUR', amount: 23.8, state: 'pending' }
  if (/^subscription\.(?:extended|payment_failed|reminder)$/.test(type)) {
    return { subscription: { id: randomUUID(), planId: randomUUID(), state: 'active' }, invoice: { id: randomUUID(), totalAmount: 23.8 } }
  }
  if (type === 'subscription.deleted') return {}
  return { id: randomUUID() }
}
