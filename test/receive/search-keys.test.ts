import t from 'tap'

import { createRiverhook, digitalRiver, memoryInbox, type Source } from '../../src/index.ts'
import { github, hmacSource, shopify, stripe } from '../../src/sources.ts'
import { event, listen, post, secret, startReceiver } from './receiver.ts'

// Risk: the events of an order are not found, or an event is lost because one id is odd.

t.test('a received event is found by the ids in it and by paths of your own', async (t) => {
  const receiver = await listen(await startReceiver(t, { search: { keys: ['data.object.metadata.cartId'] } }))
  const { inbox } = receiver.app.riverhook
  const object = {
    id: 'O-1',
    upstreamId: 'Shop 77',
    customerId: 5501,
    email: 'Buyer@X.example',
    metadata: { cartId: 'C9' }
  }
  t.equal((await post(receiver.url, event({ id: 'e1', data: { object } }))).status, 202)
  for (const about of ['o-1', 'shop 77', '5501', 'buyer@x.example', 'BUYER*', 'c9'])
    t.match(await inbox.events({ about, limit: 2 }), { events: [{ id: 'e1' }] }, about)
  const log = JSON.stringify(receiver.lines).toLowerCase()
  for (const key of ['shop 77', 'buyer@x.example', 'c9"']) t.notOk(log.includes(key), 'keys are not logged')
  t.notOk((await inbox.event({ realm: 'digital-river', id: 'e1' }))!.about.includes('e1'), 'the own id is no key')
})

t.test('an event of a source whose keysOf fails is recorded, and the log shows no key', async (t) => {
  const failing: readonly [Source['keysOf'], RegExp][] = [
    [
      () => {
        throw new RangeError('buyer@x.example is odd')
      },
      /^threw RangeError$/
    ],
    [() => Promise.reject(new Error('buyer@x.example')) as never, /^returned a promise instead of a list$/],
    [() => 'buyer@x.example' as never, /^returned something else instead of a list$/]
  ]
  for (const [keysOf, reason] of failing) {
    const source: Source = { ...digitalRiver(), keysOf: keysOf! }
    const receiver = await listen(await startReceiver(t, { source, search: { keys: ['data.object.id'] } }))
    t.equal((await post(receiver.url, event({ id: 'e1' }))).status, 202)
    t.match(await receiver.app.riverhook.inbox.events({ about: 'o1', limit: 1 }), { events: [{ id: 'e1' }] })
    const [line] = receiver.lines.filter(({ msg }) => msg.startsWith('keysOf of the source failed'))
    t.match(line, { source: 'digital-river', event_id: 'e1', reason })
    t.notOk(JSON.stringify(receiver.lines).includes('buyer@'), 'nor the text of the error')
  }
})

t.test('an event that was quarantined first is found, too, once it is accepted', async (t) => {
  const inbox = memoryInbox()
  const strict = await listen(await startReceiver(t, { inbox, mode: 'live' }))
  t.equal((await post(strict.url, event({ id: 'e1', data: { object: { id: 'o1' } } }))).status, 400)
  const [request] = (await inbox.events({ state: 'quarantined', limit: 1 })).events
  t.same((await inbox.event(request!))!.about, [])
  await strict.app.close()
  const open = await startReceiver(t, { inbox, realm: request!.realm, mode: 'test' })
  await open.app.ready()
  t.equal(await open.app.riverhook.retryQuarantined(request!.id), 'accepted')
  t.match(await inbox.events({ about: 'o1', limit: 1 }), { events: [{ id: 'e1' }] })
})

t.test('the paths are checked at the start', async (t) => {
  for (const keys of ['data.object.id', ['data..id'], [''], [7], ['a b'], Array.from({ length: 13 }, () => 'a')])
    t.throws(() => createRiverhook({ inbox: 'memory:', secrets: secret, search: { keys: keys as never } }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /Option "search\.keys" must be a list of at most 12 paths/
    })
  t.throws(() => createRiverhook({ inbox: 'memory:', secrets: secret, search: { paths: [] } as never }), {
    message: /Option "search\.paths" is unknown.*keys/
  })
  for (const search of [{}, { keys: [] }, { keys: undefined }, undefined])
    await createRiverhook({ inbox: 'memory:', secrets: secret, search }).stop()
})

t.test('the sources of riverhook/sources list what people know', (t) => {
  const stripeObject = {
    id: 'in_1',
    customer: { id: 'cus_1', email: 'a@b.example' },
    payment_intent: 'pi_1',
    charge: null
  }
  t.same(stripe().keysOf?.({ id: 'evt_1', type: 'invoice.paid', data: { object: stripeObject } } as never), [
    'in_1',
    'cus_1',
    'pi_1'
  ])
  const payload = { repository: { full_name: 'o/r' }, issue: { number: 12 }, sender: { login: 'kim' } }
  t.same(github().keysOf?.({ id: '1', type: 'issues.opened', payload } as never), ['o/r#12', 'o/r', 'kim'])
  const order = { id: 82, name: '#1001', order_number: 1001, email: 'a@b.example', customer: { id: 3 } }
  t.same(shopify().keysOf?.({ id: '1', type: 'orders/create', payload: order, eventId: 'x' }), [
    82,
    '#1001',
    1001,
    'a@b.example',
    3,
    'x'
  ])
  const description = { name: 'own', header: 'X-S', id: { field: 'id' }, type: { field: 'kind' } } as const
  const own = hmacSource({ ...description, keys: ['payload.order.id'] })
  t.same(own.keysOf?.({ id: '1', type: 'a', payload: { order: { id: 'o1' } } }), ['o1'])
  t.equal(hmacSource(description).keysOf, undefined)
  t.throws(() => hmacSource({ ...description, keys: ['a..b'] }), { message: /option "keys" must be a list of paths/ })
  t.throws(() => hmacSource({ ...description, keys: ['a'], keysOf: () => [] }), { message: /exclude each other/ })
  t.end()
})
