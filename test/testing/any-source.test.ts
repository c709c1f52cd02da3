import t from 'tap'

import { defineHandler, type AnyEvent, type Source } from '../../src/index.ts'
import {
  adyen,
  fastSpring,
  github,
  hmacSource,
  meta,
  paddle,
  sendGrid,
  shopify,
  slack,
  sns,
  standardWebhooks,
  stripe,
  zoom
} from '../../src/sources.ts'
import {
  createTestReceiver,
  newSecret,
  runHandler,
  sampleEvent,
  sampleRequest,
  sourceContract,
  type TestEventOfSource
} from '../../src/testing/index.ts'
import { courier } from '../source/courier.ts'

// Risk: tests of handlers for Stripe, GitHub and others that need more work than those for Digital River.

const sources: readonly Source[] = [
  stripe(),
  github(),
  github({ id: 'digest' }),
  shopify(),
  standardWebhooks(),
  standardWebhooks({ prefix: 'svix' }),
  paddle(),
  slack(),
  zoom(),
  meta(),
  fastSpring(),
  sendGrid()
]

sources.forEach((source, index) => {
  t.test(`${source.name} meets the contract of a source (${index + 1})`, (t) => {
    const secret = newSecret(source)
    const { body, headers } = sampleRequest(source, { secret, type: 'push.made', id: 'msg_1' })
    const events = [{ id: idOf(source, body, headers), type: 'push.made' }]
    return sourceContract(t, source, [{ body, secret, otherSecret: newSecret(source), headers: {}, events }], {
      requests: 20
    })
  })
})

function idOf(source: Source, body: Uint8Array, headers: Readonly<Record<string, string>>): string {
  const [part = { headers, body }] = source.split?.({ method: 'POST', url: '/', headers, body }) ?? []
  const reading = source.read(part)
  if (!reading.ok) throw new Error(reading.message)
  return reading.event.id
}

t.test('Stripe: the event is the body, and its fields are merged into the sample', async (t) => {
  const source = stripe()
  const seen: unknown[] = []
  const receiver = await createTestReceiver({
    source,
    handlers: defineHandler(source, 'invoice.paid', (event) => {
      seen.push(event.data.object.currency)
    })
  })
  t.teardown(() => receiver.close())
  const sent = await receiver.send({ type: 'invoice.paid', data: { object: { currency: 'eur' } } })
  t.match(sent, { status: 202, event: { object: 'event', livemode: false, data: { object: { currency: 'eur' } } } })
  t.same(sent.body, { id: sent.event.id, status: 'accepted' })
  t.same([seen, sent.deliveries.map(({ state }) => state)], [['eur'], ['done']])
  t.equal((await receiver.send({ ...sent.event })).body['status'], 'duplicate')
  t.equal((await receiver.send({ type: 'invoice.paid' }, { secret: 'whsec_other' })).status, 401)
})

t.test('GitHub: id and type are headers, and the payload is the body', async (t) => {
  const source = github()
  const seen: unknown[] = []
  const receiver = await createTestReceiver({
    source,
    handlers: defineHandler(source, 'issues.opened', (event) => {
      seen.push([event.id, event.payload.issue.number])
    })
  })
  t.teardown(() => receiver.close())
  const sent = await receiver.send({ type: 'issues.opened', id: 'd1', payload: { issue: { number: 7 } } })
  t.same(sent.event, { id: 'd1', type: 'issues.opened', payload: { action: 'opened', issue: { number: 7 } } })
  t.same(seen, [['d1', 7]])
  await t.rejects(receiver.send({ type: 'issues.opened', issue: {} }), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /^send: "issue" of an event of github is not taken from its body/
  })
})

const at = '2026-02-03T04:05:06.000Z'

/** An event that a test gives, and how the handler gets it. */
const completed: readonly (readonly [source: Source, given: TestEventOfSource, event: object])[] = [
  [
    shopify(),
    { type: 'orders/create', payload: { total: 5 } },
    { shop: String, createdTime: String, payload: { total: 5 } }
  ],
  [paddle(), { type: 'transaction.paid', data: { status: 'paid' } }, { event_id: 'e1', data: { status: 'paid' } }],
  [
    slack(),
    { type: 'app_mention', payload: { event: { text: 'hi' } } },
    { id: 'e1', createdTime: at, payload: { event_id: 'e1', event: { type: 'app_mention', text: 'hi' } } }
  ],
  [slack(), { type: 'app_rate_limited' }, { payload: { type: 'app_rate_limited', team_id: 'e1' } }],
  [
    zoom(),
    { type: 'meeting.ended', payload: { object: { topic: 'hi' } } },
    { createdTime: at, payload: { account_id: String, object: { topic: 'hi' } } }
  ],
  [
    meta(),
    { type: 'whatsapp_business_account.messages', payload: { messages: [{ id: 'wamid.1' }] } },
    { createdTime: at, object: 'whatsapp_business_account', payload: { messages: [{ id: 'wamid.1' }] } }
  ],
  [
    meta(),
    { type: 'page.messaging', payload: { message: { text: 'hi' } } },
    { createdTime: at, payload: { sender: { id: String }, message: { text: 'hi' } } }
  ],
  [meta(), { type: 'user.entry', payload: { uid: '1' } }, { createdTime: at, payload: { uid: '1' } }],
  [
    fastSpring(),
    { type: 'order.completed', liveMode: true, data: { total: 5 } },
    { id: 'e1', createdTime: at, liveMode: true, live: true, data: { total: 5 } }
  ],
  [
    sendGrid(),
    { type: 'bounce', payload: { reason: 'full' } },
    { id: 'e1', createdTime: at, payload: { event: 'bounce', email: String, reason: 'full' } }
  ],
  [
    adyen(),
    { type: 'CAPTURE', payload: { success: 'false', amount: { value: 5 } } },
    { id: 'e1:CAPTURE:false', createdTime: at, liveMode: false, payload: { amount: { value: 5, currency: 'EUR' } } }
  ],
  [
    sns(),
    { type: 'Notification', payload: { Message: '{"order":1}' } },
    { id: 'e1', createdTime: at, payload: { MessageId: 'e1', Message: '{"order":1}' } }
  ]
]

for (const [source, given, event] of completed) {
  t.test(`${source.name}: ${given.type} is completed, sent and handled`, async (t) => {
    const seen: AnyEvent[] = []
    const receiver = await createTestReceiver({
      source,
      handlers: defineHandler(source, given.type, (event) => {
        seen.push(event)
      })
    })
    t.teardown(() => receiver.close())
    const sent = await receiver.send({ id: 'e1', createdTime: at, ...given })
    t.match(sent, { event, deliveries: [{ state: 'done' }] })
    t.ok(sent.status < 300, sent.text)
    t.match(seen, [{ type: given.type, ...event }])
    t.same(seen, [sent.event])
    if (source.sign === undefined) return
    t.equal((await receiver.send(given, { secret: newSecret(source) })).status, 401)
  })
}

t.test('a source that cannot sign: only what is sent as the test gives it counts as signed', async (t) => {
  const receiver = await createTestReceiver({ source: adyen(), secrets: '00ff'.repeat(16), handlers: [] })
  t.teardown(() => receiver.close())
  await t.rejects(receiver.send({ type: 'CAPTURE' }), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /^send: the source adyen has no sign\(\).* Create the receiver without "secrets", or give the "body"/
  })
  t.equal((await receiver.send({ type: 'CAPTURE' }, { body: '{}' })).status, 401)
  t.throws(() => sampleRequest(sns(), { secret: 'x' }), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /^The source sns has no sign\(\), so nothing can be sent in its name\. Have the provider send a test event/
  })
  t.throws(() => sampleEvent(meta(), 'feed'), { message: /The type "feed" is none of Meta: .* such as page\.feed/ })
})

t.test('fields of a request: of a list, those of its item', async (t) => {
  const { body } = sampleRequest(sendGrid(), { secret: newSecret(sendGrid()), fields: { email: 'bob@example.com' } })
  t.match(JSON.parse(Buffer.from(body).toString()), [{ event: 'delivered', email: 'bob@example.com' }])
})

t.test('a whole event of sampleEvent can be sent, and given to a handler', async (t) => {
  // An interface, as in the packages of the providers: it has no index signature.
  interface Bought extends AnyEvent {
    readonly type: 'bought'
    readonly payload: { readonly total: number }
  }
  const shop = hmacSource<Bought>({ name: 'shop', header: 'x-sign', id: { field: 'id' }, type: { field: 'type' } })
  const totals: number[] = []
  const book = defineHandler(shop, 'bought', ({ payload }) => {
    totals.push(payload.total)
  })
  const receiver = await createTestReceiver({ source: shop, handlers: book })
  t.teardown(() => receiver.close())
  const event = sampleEvent(shop, 'bought', { payload: { total: 5 } })
  t.match(await receiver.send(event), { status: 202, event: { id: event.id } })
  t.match(await runHandler(book, event), { state: 'done' })
  t.strictSame(totals, [5, 5])
})

t.test('runHandler uses the source of the handler', async (t) => {
  const handler = defineHandler(standardWebhooks(), 'user.created', (event) => {
    if (event.payload['name'] !== 'Ada') throw new Error('another name')
  })
  t.match(await runHandler(handler, { type: 'user.created', payload: { name: 'Ada' } }), { state: 'done' })
  t.match(await runHandler(handler, { type: 'user.created' }), { state: 'retry', error: /another name/ })
})

t.test('sampleEvent: an event of a source, as its handlers get it; the same for a seed', (t) => {
  t.match(sampleEvent(stripe(), 'customer.created', { data: { object: { email: 'a@b.c' } } }, { seed: 1 }), {
    type: 'customer.created',
    livemode: false,
    data: { object: { email: 'a@b.c' } }
  })
  const seeded = (type: string, seed: number): AnyEvent => sampleEvent(github(), type, {}, { seed })
  t.same(seeded('push', 1), seeded('push', 1))
  t.not(seeded('push', 1).id, seeded('push', 2).id)
  t.not(seeded('push', 1).id, seeded('ping', 1).id)
  t.throws(() => sampleEvent(courier(), 'parcel.sent'), {
    message: /has no sample\(\), so no event can be made for it/
  })
  t.end()
})

t.test('a description with places that only a function knows defines its own sample body', (t) => {
  const description = {
    name: 'shop',
    header: 'x-signature',
    id: { field: 'meta.id' },
    type: ({ kind }: Readonly<Record<string, unknown>>) => (typeof kind === 'string' ? kind : undefined)
  } as const
  t.equal(hmacSource(description).sample, undefined)
  const source = hmacSource({ ...description, sample: ({ type = 'sold' }) => ({ kind: type, meta: { shop: 1 } }) })
  const at = new Date()
  t.same(source.sample?.({ id: 'a', at, liveMode: false }), { kind: 'sold', meta: { shop: 1, id: 'a' } })
  t.match(sampleEvent(source, 'bought', { payload: { total: 5 } }), { type: 'bought', payload: { total: 5 } })
  t.end()
})
