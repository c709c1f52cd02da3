import t from 'tap'

import { digitalRiver, type Source } from '../../src/index.ts'
import { event, listen, post, startReceiver } from './receiver.ts'

// Risk: an event is compared with another order, or an order's history misses an event.

const realm = 'digital-river'

t.test('the events of a resource, and the one before', async (t) => {
  const { app, url } = await listen(await startReceiver(t))
  const send = async (id: string, object: object) =>
    t.equal((await post(url, event({ id, data: { object } }))).status, 202)
  await send('e1', { id: 'O-1' })
  await send('other', { id: 'O-2' })
  await send('refund', { id: 'R-1', orderId: 'O-1' })
  await send('e2', { id: 'O-1' })
  const { riverhook } = app
  const idsOf = async (id: string, limit = 10) =>
    (await riverhook.relatedEvents({ realm, id }, { limit }))?.events.map((each) => each.id)
  t.same(await idsOf('e1'), ['e2', 'refund', 'e1'], 'also those that only mention it')
  t.same(await idsOf('e1', 1), ['e2'])
  t.same(await idsOf('refund'), ['refund'], 'its resource is the refund')
  t.same(await idsOf('none'), undefined)
  t.match(await riverhook.previousEvent({ realm, id: 'e2' }), { id: 'e1' }, 'not the refund, which is another resource')
  for (const id of ['e1', 'other', 'refund', 'none'])
    t.equal(await riverhook.previousEvent({ realm, id }), undefined, id)
})

t.test('an event of a source without keys, and a quarantined request, are only related to themselves', async (t) => {
  const { keysOf: _keysOf, ...source } = digitalRiver() as Source
  const { app, url } = await listen(await startReceiver(t, { source, search: { keys: ['data.object.id'] } }))
  for (const id of ['e1', 'e2']) t.equal((await post(url, event({ id }))).status, 202)
  t.equal((await post(url, Buffer.from('{"no":"event"}'))).status, 400)
  const { riverhook } = app
  const { events } = await riverhook.inbox.events({ limit: 3 })
  t.equal(events.length, 3)
  for (const key of events) {
    t.match(await riverhook.relatedEvents(key, { limit: 9 }), { events: [{ id: key.id }], next: undefined })
    t.equal(await riverhook.previousEvent(key), undefined)
  }
})
