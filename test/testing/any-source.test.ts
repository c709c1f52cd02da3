import t from 'tap'

import { defineHandler, type AnyEvent, type Source } from '../../src/index.ts'
import { github, hmacSource, shopify, standardWebhooks, stripe } from '../../src/sources.ts'
import {
  createTestReceiver,
  newSecret,
  runHandler,
  sampleEvent,
  sampleRequest,
  sourceContract
} from '../../src/testing/index.ts'
import { courier } from '../source/courier.ts'

// What a user would lose: tests of handlers for Stripe, GitHub and the others, as easy as those for Digital River.

const sources: readonly Source[] = [
  stripe(),
  github(),
  github({ id: 'digest' }),
  shopify(),
  standardWebhooks(),
  standardWebhooks({ prefix: 'svix' })
]

for (const source of sources) {
  const secret = newSecret(source)
  const { body, headers } = sampleRequest(source, { secret, type: 'push.made', id: 'msg_1' })
  await sourceContract(
    t,
    source,
    [{ body, secret, headers: {}, events: [{ id: idOf(source, body, headers), type: 'push.made' }] }],
    { requests: 20 }
  )
}

function idOf(source: Source, body: Uint8Array, headers: Readonly<Record<string, string>>): string {
  const reading = source.read({ headers, body })
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

t.test('runHandler takes the source of the handler', async (t) => {
  const handler = defineHandler(standardWebhooks(), 'user.created', (event) => {
    if (event.payload['name'] !== 'Ada') throw new Error('another name')
  })
  t.match(await runHandler(handler, { type: 'user.created', payload: { name: 'Ada' } }), { state: 'done' })
  t.match(await runHandler(handler, { type: 'user.created' }), { state: 'retry', error: /another name/ })
})

t.test('sampleEvent: of a source, as its handlers get it; the same for a seed', (t) => {
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

t.test('a description with places that only a function knows says itself what a body looks like', (t) => {
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
