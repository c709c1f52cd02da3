import { existsSync, readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t, { type Test } from 'tap'

import { catalogue, digitalRiver, eventType, resourceIdOf, schemaOf, type Event } from '../../src/index.ts'
import { PayloadChecks } from '../../src/payload/checks.ts'
import type { Charge, Invoice, Order, SubscriptionWithInvoice } from '../../src/source/digital-river/resources/index.ts'
import { sampleEvent } from '../../src/testing/index.ts'

// Risk: tests that pass with payloads that Digital River would never send, or that fail on another day.

const types = Object.keys(catalogue)
const checks = new PayloadChecks({ knownTypes: new Set(types), schemaOf })
const anyType = fc.constantFrom(...types)

function driftOf(event: Event): string[] {
  return checks.check(event, [], 'flag').mismatches.map(({ path, rule }) => `${path} ${rule}`)
}

t.test('every type: accepted, without drift', async (t) => {
  const source = digitalRiver()
  for (const type of types) {
    const event = sampleEvent(type)
    t.same(driftOf(event), [], type)
    const read = source.read({ headers: {}, body: Buffer.from(JSON.stringify(event)) })
    t.equal(read.ok, true, type)
    t.equal(event.type, type)
    t.ok(resourceIdOf(event), `${type} has a subject`)
  }
  fc.assert(fc.property(anyType, fc.integer(), (type, seed) => driftOf(sampleEvent(type, {}, { seed })).length === 0))
})

t.test(
  'the same seed gives the same event, another seed another event; without a seed every event is new',
  async (t) => {
    fc.assert(
      fc.property(anyType, fc.integer(), (type, seed) => {
        const [one, same, other] = [seed, seed, seed + 1].map((each) => sampleEvent(type, {}, { seed: each }))
        t.same(one, same)
        t.notSame(one, other)
      })
    )
    t.not(sampleEvent('order.accepted').id, sampleEvent('order.accepted').id)
  }
)

t.test('events of one seed are about one order, and each has its own id', async (t) => {
  const seed = 'one'
  const ids = types.map((type) => sampleEvent(type, {}, { seed }).id)
  t.equal(new Set(ids).size, types.length, 'none is a duplicate of another')
  const order = sampleEvent('order.accepted', {}, { seed }).data.object
  const [charge] = order.payment?.charges ?? []
  t.match(sampleEvent('order.charge.capture.complete', {}, { seed }).data.object, {
    id: charge?.id,
    orderId: order.id,
    sourceId: charge?.sourceId
  })
  t.match(sampleEvent('refund.complete', {}, { seed }).data.object, {
    orderId: order.id,
    charges: [{ id: charge?.id }]
  })
  t.match(sampleEvent('order.complete', { createdTime: '2026-02-03T04:05:06Z' }, { seed }).data.object, {
    id: order.id,
    customerId: order.customerId
  })
})

const cents = (amount: number | undefined): number => Math.round((amount ?? NaN) * 100)

type Sums = Pick<
  Invoice,
  'items' | 'subtotal' | 'totalTax' | 'totalAmount' | 'totalShipping' | 'payment' | 'currency'
> &
  Pick<Order, 'shippingChoice'>

function addsUp(t: Test, order: Sums): void {
  const items = (order.items ?? []).reduce((sum, item) => sum + cents(item.amount), 0)
  const itemsTax = (order.items ?? []).reduce((sum, item) => sum + cents(item.tax?.amount), 0)
  t.equal(cents(order.subtotal), items + cents(order.totalShipping))
  t.equal(cents(order.totalTax), itemsTax + cents(order.shippingChoice?.taxAmount ?? 0))
  t.equal(cents(order.totalAmount), cents(order.subtotal) + cents(order.totalTax))
  for (const charge of order.payment?.charges ?? []) {
    t.equal(charge.amount, order.totalAmount)
    t.equal(charge.currency, order.currency)
    t.ok(
      order.payment?.sources?.some(({ id }) => id === charge.sourceId),
      'the charge names a payment method of the order'
    )
  }
}

t.test("amounts add up as in the provider's payloads, so that a handler's own sums agree", async (t) => {
  for (let seed = 0; seed < 8; seed += 1) {
    for (const type of ['order.accepted', 'order.complete', 'order.charge.refund.failed', 'order.cancelled'] as const) {
      addsUp(t, sampleEvent(type, {}, { seed }).data.object)
    }
    addsUp(t, sampleEvent('subscription.extended', {}, { seed }).data.object.invoice)
  }
})

t.test('the state is the one that the event reports', async (t) => {
  const order = (type: 'order.accepted' | 'order.cancelled' | 'order.review_opened' | 'order.refunded'): Order =>
    sampleEvent(type).data.object
  t.equal(order('order.accepted').state, 'accepted')
  t.equal(order('order.review_opened').state, 'in_review')
  t.match(order('order.cancelled'), {
    state: 'cancelled',
    cancelReason: String,
    payment: { charges: [{ state: 'cancelled' }] }
  })
  const refunded = order('order.refunded')
  t.equal(refunded.refundedAmount, refunded.totalAmount)
  t.same(
    Object.keys(refunded.stateTransitions ?? {}),
    ['accepted', 'fulfilled', 'complete'],
    'earlier steps are included'
  )
  t.same(Object.values(refunded.stateTransitions ?? {}), Object.values(refunded.stateTransitions ?? {}).sort())
  t.same(Object.keys(refunded.items[0]?.stateTransitions ?? {}), ['created', 'fulfilled'])

  const charge = (type: 'order.charge.capture.failed' | 'order.charge.capture.complete'): Charge =>
    sampleEvent(type).data.object
  t.match(charge('order.charge.capture.failed'), {
    state: 'capturable',
    captured: true,
    captures: [{ state: 'failed', failureCode: 'declined' }]
  })
  // From the provider's documentation. There is no sample of it in the repository.
  const captured = charge('order.charge.capture.complete')
  t.match(captured, { state: 'capturable', captured: true, captures: [{ state: 'complete' }] })
  t.ok((captured.captures?.[0]?.amount ?? NaN) < captured.amount, 'a part: the rest can still be captured')
  t.match(sampleEvent('refund.complete').data.object, {
    state: 'succeeded',
    charges: [{ refunds: [{ state: 'complete' }] }]
  })
  t.match(sampleEvent('refund.succeeded').data.object, {
    state: 'succeeded',
    charges: [{ refunds: [{ state: 'complete' }] }]
  })
  t.match(sampleEvent('refund.pending_information').data.object, {
    state: 'pending_information',
    tokenInformation: { token: String }
  })
  const paid: SubscriptionWithInvoice = sampleEvent('subscription.extended').data.object
  t.match(paid, { subscription: { state: 'active' }, invoice: { state: 'paid', orderId: String } })
  t.same(sampleEvent('subscription.deleted').data.object, {})
  t.match(sampleEvent('subscription.deleted').data.previousAttributes, { id: String, state: 'draft' })
  t.match(sampleEvent('order.updated').data.previousAttributes, { updatedTime: String })
})

t.test('a subscription begins as a draft, and its update has the new state', async (t) => {
  const { object: draft } = sampleEvent('subscription.created').data
  const { object: active, previousAttributes = {} } = sampleEvent('subscription.updated').data
  t.same(draft.stateTransitions, {})
  t.match(previousAttributes, { state: 'draft', stateTransitions: { activated: null }, updatedTime: String })
  const unset = Object.entries(previousAttributes)
    .filter(([, value]) => value === null)
    .map(([attribute]) => attribute)
  t.same(unset, [
    'billingAgreementId',
    'contractBindingUntil',
    'currentPeriodEndDate',
    'customerId',
    'nextInvoiceDate',
    'nextReminderDate',
    'sourceId'
  ])
  for (const attribute of unset) t.same([attribute in draft, attribute in active], [false, true], attribute)
})

t.test('a refund is for lines of the order, or has an amount', async (t) => {
  const [forLines, ofAmount] = [sampleEvent('refund.pending').data.object, sampleEvent('refund.complete').data.object]
  t.match(forLines, {
    items: [{ itemId: String, quantity: Number, amount: Number, refundedAmount: 0 }],
    refundedAmount: 0
  })
  t.notOk('amount' in forLines || 'charges' in forLines)
  t.match(ofAmount, {
    amount: ofAmount.refundedAmount,
    charges: [{ captured: true, refunded: true, refunds: [{ amount: ofAmount.amount }] }]
  })
  t.same(ofAmount.items, [])
})

/**
 * The values that a handler decides by: every state, flag and kind in a payload, and the earlier states. The state of
 * an address is something else.
 */
const decisive =
  /(?:^|[.\]](?<!address\.))(?:state|fraudState|captured|refunded|chargeType|(?<=^|charges\[\]\.)type)$|ransitions\.\w+$/

function decisiveIn(value: unknown, path: string, found = new Map<string, unknown[]>()): Map<string, unknown[]> {
  if (Array.isArray(value)) {
    // Whether there are any: `items` of a refund shows its subject.
    if (path === 'items') found.set('items.length > 0', [value.length > 0])
    for (const each of value) decisiveIn(each, `${path}[]`, found)
  } else if (typeof value === 'object' && value !== null) {
    for (const [field, each] of Object.entries(value)) decisiveIn(each, path === '' ? field : `${path}.${field}`, found)
  } else if (decisive.test(path)) {
    found.set(path, [...(found.get(path) ?? []), path.includes('ransitions.') ? value === null : value])
  }
  return found
}

const real = new URL('../../../shared/digital-river/samples/', import.meta.url)

t.test(
  "states and flags are as in the provider's own samples of the type",
  { skip: existsSync(real) ? false : 'they are not part of the repository' },
  async (t) => {
    const seen = Map.groupBy(
      readdirSync(real).map((file) => JSON.parse(readFileSync(new URL(file, real), 'utf8')) as Event),
      ({ type }) => type
    )
    for (const [type, events] of seen) {
      for (const part of ['object', 'previousAttributes'] as const) {
        const theirs = events.map(({ data }) => decisiveIn(data[part], ''))
        const ours = decisiveIn(sampleEvent(type).data[part], '')
        for (const [path, values] of ours) {
          const known = theirs.flatMap((each) => each.get(path) ?? [])
          if (known.length > 0)
            t.ok(
              values.every((value) => known.includes(value)),
              `${type} ${path}: ${String(values)}, and in samples ${String(known)}`
            )
        }
        const inAll = [...(theirs[0] ?? [])]
          .filter(([path]) => theirs.every((each) => each.has(path)))
          .map(([path]) => path)
        t.same(
          inAll.filter((path) => !ours.has(path)),
          [],
          `${type}: every sample has them`
        )
      }
    }
  }
)

t.test('a payment source has the details of its method, and no others', async (t) => {
  const methods = new Set<string>()
  for (let seed = 0; seed < 20; seed += 1) {
    const source = sampleEvent('customer.source.created', {}, { seed }).data.object
    const details = ['creditCard', 'payPal', 'wireTransfer', 'klarnaCredit', 'giftCard'].filter(
      (method) => method in source
    )
    t.same(details, [source.type])
    methods.add(source.type ?? '')
  }
  t.equal(methods.size, 3)
})

t.test('overrides are merged; lists are replaced, undefined removes a field', async (t) => {
  const event = sampleEvent(
    'order.accepted',
    {
      id: 'e1',
      liveMode: true,
      createdTime: '2026-02-03T04:05:06Z',
      data: {
        object: { id: 'o1', billTo: { address: { country: 'FR' } }, items: [], email: undefined, mine: { a: 1 } }
      }
    },
    { seed: 1 }
  )
  t.match(event, { id: 'e1', type: 'order.accepted', liveMode: true, createdTime: '2026-02-03T04:05:06Z' })
  const { object } = event.data
  t.match(object, {
    id: 'o1',
    liveMode: true,
    mine: { a: 1 },
    updatedTime: '2026-02-03T04:05:06Z',
    billTo: { name: String, address: { country: 'FR', city: String } }
  })
  t.same(object.items, [])
  t.equal('email' in object, false)
  t.equal(sampleEvent('order.accepted', { createdTime: 'yesterday' }).createdTime, 'yesterday')
})

t.test('an unknown type has an object with an id', async (t) => {
  t.match(sampleEvent(eventType('brand.new'), { data: { object: { a: 1 } } }), {
    type: 'brand.new',
    data: { object: { id: String, a: 1 } }
  })
  t.match(sampleEvent('location.created').data.object, { id: String })
})
