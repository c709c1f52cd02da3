import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

import { catalogue, digitalRiver, eventTypes, resourceIdOf, schemaOf, type CatalogueEntry, type Event } from '../../../src/index.ts'
import { PayloadChecks } from '../../../src/receive/payload.ts'
import * as resources from '../../../src/source/digital-river/resources/index.ts'

// What a user would lose: payloads typed as something that never arrives, and alarms about payloads that are as they always were.

const entries = Object.entries<CatalogueEntry>(catalogue)
const source = digitalRiver()
const knownTypes = new Set([...source.types, ...(source.withdrawnTypes ?? [])])
const checks = new PayloadChecks({ knownTypes, schemaOf })

/** What `riverhook drift` would show of this payload. */
function driftOf(type: string, object: Record<string, unknown>): string[] {
  const { disagreements } = checks.check({ id: 'e1', type, data: { object }, liveMode: false, createdTime: '2026-01-01T00:00:00Z' }, [], 'flag')
  return disagreements.map(({ path, rule }) => `${path} ${rule}`).sort()
}

t.test('134 types, of which eight are withdrawn, four can be expanded, and the unknown ones are no guess', async (t) => {
  t.equal(entries.length, 134)
  t.same(entries.map(([type]) => type), entries.map(([type]) => type).sort())
  t.same(source.withdrawnTypes, [
    'credit_memo.created', 'order.charge.capture.completed', 'order.charge.capture.created', 'order.charge.created',
    'order.charge.refund.completed', 'order.charge.refund.created', 'refund.completed', 'refund.created'
  ])
  t.same(source.types, eventTypes)
  t.equal(eventTypes.length, 126)
  t.same(entries.filter(([, { expandable }]) => expandable).map(([type]) => type), [
    'fulfillment.created', 'order.accepted', 'order.cancelled', 'order.refunded'
  ])
  for (const [type, { resource, basis, means }] of entries) {
    t.equal(basis === 'unknown', resource === undefined, type)
    t.equal(schemaOf(type) === undefined, resource === undefined, type)
    t.match(means, /^[A-Z][^\n]{5,90}$/, type)
  }
  t.equal(schemaOf('x.y'), undefined)
})

t.test('every resource is carried by some type', async (t) => {
  const carried = new Set(entries.map(([, { resource }]) => resource))
  t.same(Object.keys(resources.resourceSchemas).filter((name) => !carried.has(name as keyof resources.Resources)), [])
})

const item = { id: '1', skuId: 's', quantity: 1, amount: 20 }
const order = { id: '1', createdTime: '2026-01-01T00:00:00Z', currency: 'EUR', totalAmount: 23.8, state: 'accepted', items: [item] }

t.test('what disagrees is named, what is new is welcome', async (t) => {
  t.same(driftOf('order.accepted', order), [])
  t.same(driftOf('order.accepted', { ...order, brandNew: { deep: [1] } }), [])
  t.same(driftOf('order.accepted', { ...order, state: 'teleported' }), ['data.object.state enum'])
  t.same(driftOf('order.accepted', { ...order, items: [{ ...item, quantity: '1' }], billTo: { address: { line1: 'x' } } }), [
    'data.object.billTo.address.country required', 'data.object.items[].quantity type'
  ])
  t.same(driftOf('order.accepted', { ...order, totalAmount: '23.80' }), ['data.object.totalAmount type'])
  t.same(driftOf('brand.new', { a: 1 }), [' unknown_type'])
})

t.test('only what several samples vouch for must be there; of most resources, no more than the id', async (t) => {
  const required = Object.entries(resources.resourceSchemas).map(([name, { required }]) => [name, [...required].sort()] as const)
  t.same(Object.fromEntries(required.filter(([, names]) => names.join() !== 'id')), {
    Charge: ['amount', 'createdTime', 'currency', 'id', 'state'],
    Order: ['createdTime', 'currency', 'id', 'items', 'state', 'totalAmount'],
    OrderRefund: ['createdTime', 'currency', 'id', 'orderId', 'refundedAmount', 'state'],
    Subscription: ['createdTime', 'currency', 'id', 'items', 'planId', 'state'],
    SubscriptionWithInvoice: ['invoice', 'subscription']
  })
  t.same(driftOf('customer.tax_identifier.created', { value: 'GB1' }), ['data.object.id required'])
  t.same(driftOf('order.accepted', {
    ...order,
    items: [{ id: '1', quantity: 1, amount: 20, productDetails: { name: 'Teapot' } }],
    taxIdentifiers: [{ type: 'uk', value: 'GB1' }],
    invoiceAttributes: { type: 'tw_individual_donate' },
    payment: { sources: [{ id: 's', type: 'klarnaCredit', klarnaCredit: { shipping: { address: { city: 'Kiel' } } } }] },
    billingOptimization: { renewalAttemptNumber: 1.5 }
  }), [])
  t.same(driftOf('customer.updated', { id: '1', taxIdentifiers: [{ type: 'uk', value: 'GB1' }] }), [])
  t.same(driftOf('file.created', { id: '1', links: [{ url: 'https://files.example/1' }] }), [])
})

t.test('the ids of a warehouse are numbers or texts, in what bears them and in what refers to them', async (t) => {
  for (const id of [7, '7']) {
    t.same(driftOf('fulfillment_order.pending', { id, items: [{ id }] }), [])
    for (const type of ['fulfillment_order.shipped', 'fulfillment_return.accepted', 'fulfillment_cancellation.accepted']) {
      t.same(driftOf(type, { id: '1', fulfillmentOrderId: id, items: [{ fulfillmentOrderItemId: id }] }), [], type)
    }
  }
})

t.test('instants come with and without a colon in the offset', async (t) => {
  for (const updatedTime of ['2022-10-21T02:20:46.000+0000', '2022-10-21T02:20:46Z', '2022-10-21T02:20:46.123456Z', '2022-10-21T02:20:46+02:00']) {
    t.same(driftOf('order.accepted', { ...order, updatedTime }), [], updatedTime)
  }
  t.same(driftOf('order.accepted', { ...order, updatedTime: '21.10.2022' }), ['data.object.updatedTime pattern'])
})

t.test('the prefix of a type does not tell its resource', async (t) => {
  const charge = { id: '1', createdTime: '2026-01-01T00:00:00Z', currency: 'EUR', amount: 1, state: 'failed' }
  t.same(driftOf('order.charge.capture.failed', charge), [])
  t.same(driftOf('order.charge.refund.failed', order), [])
  t.same(driftOf('order.charge.reauth.failed', order), [])
  t.notSame(driftOf('order.charge.reauth.failed', charge), [])
})

t.test('a deletion may come empty, and may come whole', async (t) => {
  t.same(driftOf('subscription.deleted', {}), [])
  t.same(driftOf('subscription.deleted', { id: '1', state: 'draft' }), [])
  t.same(driftOf('subscription.deleted', { id: 1 }), ['data.object.id type'])
})

t.test('resourceIdOf: the id of what an event is about, wherever it stands', async (t) => {
  const idOf = (data: { object: Record<string, unknown>; previousAttributes?: Record<string, unknown> }) => resourceIdOf({ data })
  t.equal(idOf({ object: { id: 'o1' } }), 'o1')
  t.equal(idOf({ object: { id: 7 } }), '7')
  t.equal(idOf({ object: { subscription: { id: 's1' }, invoice: { id: 'i1' } } }), 's1')
  t.equal(idOf({ object: {}, previousAttributes: { id: 's1' } }), 's1')
  for (const object of [{}, { id: null }, { id: '' }, { id: {} }, { subscription: 's' }, { subscription: null }]) t.equal(idOf({ object }), undefined)
})

const samples = new URL('../../../../shared/digital-river/samples/', import.meta.url)

t.test("the provider's own samples raise no alarm", { skip: existsSync(samples) ? false : 'they are not part of the repository' }, async (t) => {
  for (const file of readdirSync(samples)) {
    const event = JSON.parse(readFileSync(new URL(file, samples), 'utf8')) as Event
    t.same(driftOf(event.type, event.data.object), [], file)
  }
})
