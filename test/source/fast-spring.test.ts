import { createHmac } from 'node:crypto'
import t from 'tap'

import { fastSpring } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'
import { configOnPage, receiverOf } from './receiver-of.ts'

// Risk: orders that FastSpring took and the shop does not have, or has many times. FastSpring has no library for
// Node.js that verifies, so this test implements the algorithm of its documentation.

const secret = 'a secret of fastspring'
const source = fastSpring()
const event = (id: string, type = 'order.completed') => ({
  id,
  processed: false,
  created: 1_426_560_444_800,
  type,
  live: true,
  data: { id: `order-${id}`, reference: 'ABC150615-2324-21104', total: 5, currency: 'USD', name: 'Zoë' }
})
const body = JSON.stringify({ events: [event('JazYJQlvQ7y6VJpAHFIDSw'), event('e2', 'subscription.activated')] })

function asFastSpringSigns(text: string, key = secret): Record<string, string> {
  return { 'x-fs-signature': createHmac('sha256', key).update(text).digest('base64') }
}

t.test('it meets the contract of a source', (t) =>
  sourceContract(
    t,
    source,
    [
      {
        body,
        secret,
        events: [
          { id: 'JazYJQlvQ7y6VJpAHFIDSw', type: 'order.completed' },
          { id: 'e2', type: 'subscription.activated' }
        ]
      }
    ],
    { requests: 300 }
  )
)

t.test('our signatures equal those of FastSpring', async (t) => {
  t.same(source.sign({ body: Buffer.from(body), secret, at: new Date() }), {
    'X-FS-Signature': asFastSpringSigns(body)['x-fs-signature']
  })
})

t.test('each event is stored; 200 marks all as processed; a retry is a duplicate', async (t) => {
  const { riverhook, deliver, settled } = receiverOf(t, { source, secrets: ['the new secret', secret] })
  const seen: unknown[] = []
  riverhook.from(source).on('*', { name: 'all' }, ({ id, type, createdTime, liveMode, data }) => {
    seen.push([id, type, createdTime, liveMode, data['name']])
  })
  await riverhook.start()
  const send = (text: string, signed = text) => deliver(asFastSpringSigns(signed), Buffer.from(text))
  t.match(await send(body), { status: 200, body: '' })
  await settled(2)
  t.match(await send(body), { status: 200 })
  t.match(await send(body.replace('Zoë', 'Eve'), body), { status: 401 })
  t.same(seen, [
    ['JazYJQlvQ7y6VJpAHFIDSw', 'order.completed', '2015-03-17T02:47:24.800Z', true, 'Zoë'],
    ['e2', 'subscription.activated', '2015-03-17T02:47:24.800Z', true, 'Zoë']
  ])
  t.equal((await riverhook.inbox.stats()).events, 2)
  const half = JSON.stringify({ events: [event('e3'), { type: 'order.completed' }] })
  t.match(await send(half), { status: 400 }, 'the whole request is sent again')
  t.match(await riverhook.inbox.stats(), { events: 3, quarantined: 1 })
})

t.test('one source per receiver, unless it is named', async (t) => {
  t.equal(fastSpring(), source)
  t.equal(fastSpring({ name: 'shop-eu' }).name, 'shop-eu')
  t.throws(() => fastSpring({ nmae: 'x' } as never), { message: /fastSpring: unknown option "nmae"/ })
})

t.test('the config on its page runs', async (t) => {
  const { deliver, riverhook, settled, logged } = receiverOf(
    t,
    await configOnPage(t, 'fast-spring', { RIVERHOOK_SECRETS: secret })
  )
  await riverhook.start()
  t.match(await deliver(asFastSpringSigns(body), Buffer.from(body)), { status: 200 })
  await settled(1)
  t.match(logged, [/ABC150615-2324-21104.*book it/])
})
