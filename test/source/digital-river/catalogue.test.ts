import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

import {
  catalogue,
  digitalRiver,
  eventType,
  eventTypes,
  orderIdOf,
  resourceIdOf,
  schemaOf,
  type CatalogueEntry,
  type Event
} from '../../../src/index.ts'
import { createPayloadChecks } from '../../../src/payload/refusals.ts'
import { PayloadChecks } from '../../../src/payload/checks.ts'
import * as resources from '../../../src/source/digital-river/resources/index.ts'
import { sampleEvent } from '../../../src/testing/index.ts'

// Risk: types of payloads that never arrive, and drift reports about payloads that have not changed.

const entries = Object.entries<CatalogueEntry>(catalogue)
const source = digitalRiver()
const knownTypes = new Set([...source.types, ...(source.withdrawnTypes ?? [])])
const checks = new PayloadChecks({ knownTypes, schemaOf })

/** The mismatches that `riverhook drift` would show for this payload. */
function driftOf(type: string, object: Record<string, unknown>): string[] {
  const { mismatches } = checks.check(
    { id: 'e1', type, data: { object }, liveMode: false, createdTime: '2026-01-01T00:00:00Z' } as Event,
    [],
    'flag'
  )
  return mismatches.map(({ path, rule }) => `${path} ${rule}`).sort()
}

t.test(
  '136 types, of which eight are withdrawn and four can be expanded, and unknown ones have no guessed type',
  async (t) => {
    t.equal(entries.length, 136)
    t.same(
      entries.map(([type]) => type),
      entries.map(([type]) => type).sort()
    )
    t.same(source.withdrawnTypes, [
      'credit_memo.created',
      'order.charge.capture.completed',
      'order.charge.capture.created',
      'order.charge.created',
      'order.charge.refund.completed',
      'order.charge.refund.created',
      'refund.completed',
      'refund.created'
    ])
    t.same(source.types, eventTypes)
    t.equal(eventTypes.length, 128)
    t.same(
      entries.filter(([, { expandable }]) => expandable).map(([type]) => type),
      ['fulfillment.created', 'order.accepted', 'order.cancelled', 'order.refunded']
    )
    for (const [type, { resource, basis, means }] of entries) {
      t.equal(basis === 'unknown', resource === undefined, type)
      t.equal(schemaOf(type) === undefined, resource === undefined, type)
      t.match(means, /^[A-Z][^\n]{5,90}$/, type)
    }
    t.equal(schemaOf('x.y'), undefined)
  }
)

t.test('every resource is the payload of some type', async (t) => {
  const carried = new Set(entries.map(([, { resource }]) => resource))
  t.same(
    Object.keys(resources.resourceSchemas).filter((name) => !carried.has(name as keyof resources.Resources)),
    []
  )
})

const item = { id: '1', skuId: 's', quantity: 1, amount: 20 }
const order = {
  id: '1',
  createdTime: '2026-01-01T00:00:00Z',
  currency: 'EUR',
  totalAmount: 23.8,
  state: 'accepted',
  items: [item]
}

t.test('a contradiction is named, an addition is allowed', async (t) => {
  t.same(driftOf('order.accepted', order), [])
  t.same(driftOf('order.accepted', { ...order, brandNew: { deep: [1] } }), [])
  t.same(driftOf('order.accepted', { ...order, state: 'teleported' }), ['data.object.state enum'])
  t.same(
    driftOf('order.accepted', { ...order, items: [{ ...item, quantity: '1' }], billTo: { address: { line1: 'x' } } }),
    ['data.object.billTo.address.country required', 'data.object.items[].quantity type']
  )
  t.same(driftOf('order.accepted', { ...order, totalAmount: '23.80' }), ['data.object.totalAmount type'])
  t.same(driftOf('brand.new', { a: 1 }), [' unknown_type'])
})

t.test('only fields in several samples are required; for most resources only the id', async (t) => {
  const required = Object.entries(resources.resourceSchemas).map(
    ([name, { required }]) => [name, [...required].sort()] as const
  )
  t.same(Object.fromEntries(required.filter(([, names]) => names.join() !== 'id')), {
    Charge: ['amount', 'createdTime', 'currency', 'id', 'state'],
    Order: ['createdTime', 'currency', 'id', 'items', 'state', 'totalAmount'],
    // Not the order: a refund can be of an invoice.
    OrderRefund: ['createdTime', 'currency', 'id', 'refundedAmount', 'state'],
    Subscription: ['createdTime', 'currency', 'id', 'items', 'planId', 'state'],
    SubscriptionWithInvoice: ['invoice', 'subscription']
  })
  t.same(driftOf('customer.tax_identifier.created', { value: 'GB1' }), ['data.object.id required'])
  t.same(
    driftOf('order.accepted', {
      ...order,
      items: [{ id: '1', quantity: 1, amount: 20, productDetails: { name: 'Teapot' } }],
      taxIdentifiers: [{ type: 'uk', value: 'GB1' }],
      invoiceAttributes: { type: 'tw_individual_donate' },
      payment: {
        sources: [{ id: 's', type: 'klarnaCredit', klarnaCredit: { shipping: { address: { city: 'Kiel' } } } }]
      },
      billingOptimization: { renewalAttemptNumber: 1.5 }
    }),
    []
  )
  t.same(driftOf('customer.updated', { id: '1', taxIdentifiers: [{ type: 'uk', value: 'GB1' }] }), [])
  t.same(driftOf('file.created', { id: '1', links: [{ url: 'https://files.example/1' }] }), [])
})

t.test('the ids of a warehouse are numbers or texts, in the warehouse and in references to it', async (t) => {
  for (const id of [7, '7']) {
    t.same(driftOf('fulfillment_order.pending', { id, items: [{ id }] }), [])
    for (const type of [
      'fulfillment_order.shipped',
      'fulfillment_return.accepted',
      'fulfillment_cancellation.accepted'
    ]) {
      t.same(driftOf(type, { id: '1', fulfillmentOrderId: id, items: [{ fulfillmentOrderItemId: id }] }), [], type)
    }
  }
})

t.test('instants are accepted with and without a colon in the offset', async (t) => {
  for (const updatedTime of [
    '2022-10-21T02:20:46.000+0000',
    '2022-10-21T02:20:46Z',
    '2022-10-21T02:20:46.123456Z',
    '2022-10-21T02:20:46+02:00'
  ]) {
    t.same(driftOf('order.accepted', { ...order, updatedTime }), [], updatedTime)
  }
  t.same(driftOf('order.accepted', { ...order, updatedTime: '21.10.2022' }), ['data.object.updatedTime pattern'])
})

t.test('the prefix of a type does not determine its resource', async (t) => {
  const charge = { id: '1', createdTime: '2026-01-01T00:00:00Z', currency: 'EUR', amount: 1, state: 'failed' }
  t.same(driftOf('order.charge.capture.failed', charge), [])
  t.same(driftOf('order.charge.refund.failed', order), [])
  t.same(driftOf('order.charge.reauth.failed', order), [])
  t.notSame(driftOf('order.charge.reauth.failed', charge), [])
})

/** Reports whether `validate: 'reject'` would refuse it. */
function isRefused(type: string, object: Record<string, unknown>): boolean {
  const event = { id: 'e1', type, data: { object }, liveMode: false, createdTime: '2026-01-01T00:00:00Z' }
  return createPayloadChecks(source).check(event, [], 'reject').isRejected
}

t.test('a chargeback is a line of the settlement, and not the order', async (t) => {
  const line = {
    id: '0206802584_000010_3700005504',
    type: 'fraud_chargeback',
    orderId: '1',
    currency: 'EUR',
    amount: -20,
    quantity: 1
  }
  for (const upstream of [{ orderUpstreamId: 'web-1' }, { orderUpstreamID: 'web-1' }]) {
    t.same(driftOf('order.chargeback', { ...line, ...upstream }), [])
    t.equal(isRefused('order.chargeback', { ...line, ...upstream }), false)
  }
  t.same(driftOf('order.chargeback', { ...line, type: 'non_fraud_chargeback', amount: 0 }), [], 'the fee')
  t.same(driftOf('order.chargeback', { ...line, orderUpstreamId: 1 }), ['data.object.orderUpstreamId type'])
  const { object } = sampleEvent('order.chargeback', {}, { seed: 1 }).data
  t.match(object, { type: 'fraud_chargeback', orderId: sampleEvent('order.accepted', {}, { seed: 1 }).data.object.id })
  t.ok((object.amount ?? 0) < 0)
})

t.test('documents that disagree on one or many: both are read, and a new value in them is not refused', async (t) => {
  const disclosure = { type: 'termsOfSale', url: 'https://a.example/' }
  const { attributes, ...invoice } = {
    id: '1',
    type: 'tw_individual_donate',
    attributes: { CHARITY_NAME: 'A', CHARITY_CODE: '299', OTHER: 'B' }
  }
  const invoiceAttributes = [attributes, [attributes], [{ invoiceTitle: 'A' }]].map((each) => ({
    ...invoice,
    attributes: each
  }))
  for (const disclosures of [disclosure, [disclosure], { disclosures: [disclosure] }]) {
    t.same(driftOf('order.complete', { ...order, disclosures }), [])
    t.same(driftOf('checkout.created', { id: '1', disclosures }), [])
  }
  for (const each of invoiceAttributes) {
    for (const type of ['invoice_attribute.created', 'customer.invoice_attribute.created']) {
      t.same(driftOf(type, each), [])
      t.same(driftOf(type, { id: '1', atttributes: each.attributes }), [])
    }
    for (const name of ['invoiceAttribute', 'invoiceAttributes']) {
      for (const given of [each, [each]]) t.same(driftOf('order.complete', { ...order, [name]: given }), [])
    }
  }
  const unheard = { ...order, disclosures: [{ type: 'newTerms' }], invoiceAttribute: { type: 'kr_new' } }
  t.same(driftOf('order.complete', unheard), [
    'data.object.disclosures[].type enum',
    'data.object.invoiceAttribute.type enum'
  ])
  t.equal(isRefused('order.complete', unheard), false)
  t.same(driftOf('order.complete', { ...order, disclosures: 'none', invoiceAttribute: { id: 1 } }), [
    'data.object.disclosures anyOf',
    'data.object.invoiceAttribute.id type'
  ])
})

t.test('payloads of the provider’s documents: optional fields, null values, and a missing field', async (t) => {
  const charge = { id: '1', createdTime: '2026-01-01T00:00:00Z', currency: 'EUR', amount: 1, state: 'failed' }
  t.equal(isRefused('order.charge.failed', charge), false, 'at a renewal, without orderId')
  t.equal(isRefused('order.complete', { ...order, state: 'fulfilled' }), false)
  t.equal(
    isRefused('refund.complete', {
      id: '1',
      createdTime: '2026-01-01T00:00:00Z',
      currency: 'EUR',
      refundedAmount: 1,
      state: 'succeeded',
      invoiceId: 'i1'
    }),
    false,
    'of an invoice'
  )
  for (const type of ['charge.cancelled', 'charge.pending'])
    t.same(driftOf(type, { ...charge, state: 'pending' }), [], type)
  const unset = {
    ...order,
    upstreamId: null,
    invoicePDFs: null,
    shippingChoice: null,
    stateTransitions: { blocked: null },
    shipTo: { address: { country: 'DE', line1: null }, organization: null }
  }
  t.same(driftOf('order.accepted', unset), [])
  t.equal(isRefused('order.accepted', { ...order, totalAmount: null }), true, 'not everything may be null')
  t.same(
    driftOf('checkout_session.order.created', {
      ...order,
      checkoutSessionId: 's',
      taxInclusive: true,
      consents: { termsOfService: true, eula: true, termsOfSale: true },
      pricingFormat: {
        currencyNumberFormat: '#,###.##',
        symbol: '₩',
        decimalPlaces: 0,
        currencySymbolBeforePrice: true,
        useCurrencySymbolSpace: false
      },
      items: [{ ...item, sku: { id: 's', taxCode: '4323.310_A' } }],
      shipTo: { address: { country: 'DE' }, saveForLater: true },
      payment: {
        sources: [
          {
            id: '1',
            type: 'customerCredit',
            customerCredit: {},
            upstreamId: 'credit-1',
            owner: { additionalAddressInfo: { phoneticFirstName: 'ヤマダ' } }
          }
        ],
        session: { nextAction: { action: 'redirect', data: { redirectUrl: 'https://a.example/' } } }
      }
    }),
    []
  )
  t.same(driftOf('checkout_session.order.created', { ...order, consents: { eula: 'yes' } }), [
    'data.object.consents.eula type'
  ])
  t.same(
    driftOf('fulfillment_order.backordered', {
      id: '1',
      items: [{ ordered: 6, backordered: 2, totalBackordered: 3, availableTime: '2020-11-25T20:36:00Z' }]
    }),
    []
  )
})

t.test('a resource that is only inferred from the type is no reason to refuse an event', async (t) => {
  const inferred = source.inferredTypes ?? []
  t.same(
    entries.filter(([, { basis }]) => basis === 'inferred').map(([type]) => type),
    inferred
  )
  const settlement = { id: 1, amount: 'none' }
  t.equal(isRefused('order.created', settlement), false)
  t.notSame(driftOf('order.created', settlement), [], 'it is reported')
  t.equal(isRefused('order.accepted', settlement), true)
})

t.test('a deletion may have an empty payload, or the full one', async (t) => {
  t.same(driftOf('subscription.deleted', {}), [])
  t.same(driftOf('subscription.deleted', { id: '1', state: 'draft' }), [])
  t.same(driftOf('subscription.deleted', { id: 1 }), ['data.object.id type'])
})

t.test('resourceIdOf: the id of the subject of an event, at any place', async (t) => {
  const idOf = (data: { object: Record<string, unknown>; previousAttributes?: Record<string, unknown> }) =>
    resourceIdOf({ data })
  t.equal(idOf({ object: { id: 'o1' } }), 'o1')
  t.equal(idOf({ object: { id: 7 } }), '7')
  t.equal(idOf({ object: { subscription: { id: 's1' }, invoice: { id: 'i1' } } }), 's1')
  t.equal(idOf({ object: {}, previousAttributes: { id: 's1' } }), 's1')
  for (const object of [{}, { id: null }, { id: '' }, { id: {} }, { subscription: 's' }, { subscription: null }])
    t.equal(idOf({ object }), undefined)
})

// Risk: an order that is shipped while its charge is being cancelled, because their events had different order keys.
t.test('orderIdOf: the same order in every event of an order, whatever its resource is', async (t) => {
  const choice = { seed: 'one order' }
  const { id } = sampleEvent('order.accepted', {}, choice).data.object
  t.ok(id)
  const found = entries.map(([type]) => [type, orderIdOf(sampleEvent(eventType(type), {}, choice))] as const)
  const ofOrder = found.filter(([type]) => type.startsWith('order.'))
  t.same(
    ofOrder.filter(([, order]) => order !== id),
    []
  )
  const others = found.filter(([type, order]) => !type.startsWith('order.') && order !== undefined)
  t.same(
    others.filter(([, order]) => order !== id),
    [],
    'never the id of something else'
  )
  t.ok(others.some(([type]) => type === 'fulfillment.created') && others.some(([type]) => type === 'refund.failed'))
  const types = ofOrder.map(([type]) => type)
  const wrong = types.filter((type) => resourceIdOf(sampleEvent(eventType(type), {}, choice)) !== id)
  const page = readFileSync(new URL('../../../docs/handlers.md', import.meta.url), 'utf8')
  t.ok(page.includes(`${wrong.length} of the ${types.length} types carry a charge`), 'the page has the right figures')
})

t.test('orderIdOf: an order that is named elsewhere, or not at all', async (t) => {
  const idOf = (type: string, object: Record<string, unknown>) => orderIdOf({ type, data: { object } })
  t.equal(idOf('order.charge.created', { id: 'c1' }), undefined, 'a charge without its order')
  t.equal(idOf('order.charge.created', { id: 'c1', orderId: null }), undefined)
  t.equal(idOf('order.split', { id: 'o1' }), 'o1', 'a type that is not known yet')
  t.equal(idOf('order.split', { id: 'x1', orderId: 7 }), '7')
  t.equal(idOf('fulfillment.created', { id: 'f1', orderDetails: { id: 'o1' } }), 'o1')
  t.equal(idOf('subscription.extended', { subscription: { id: 's1' }, invoice: { id: 'i1', orderId: 'o1' } }), 'o1')
  t.equal(idOf('customer.created', { id: 'c1' }), undefined)
})

const samples = new URL('../../../../shared/digital-river/samples/', import.meta.url)

t.test(
  "the provider's own samples cause no drift",
  { skip: existsSync(samples) ? false : 'they are not part of the repository' },
  async (t) => {
    for (const file of readdirSync(samples)) {
      const event = JSON.parse(readFileSync(new URL(file, samples), 'utf8')) as Event
      t.same(driftOf(event.type, event.data.object), [], file)
    }
  }
)
