// Tests a handler without a port and without waiting, with the same context as in production.
//
//   npm run example -- --test examples/handler-test.js

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createTestReceiver, runHandler } from 'riverhook/testing'

import shipOrder from './handlers/ship-order.js'

test('an accepted order is shipped, with a key that repeats', async () => {
  const run = await runHandler(shipOrder, { id: 'e1', type: 'order.accepted', data: { object: { id: '42' } } })
  assert.equal(run.state, 'done')
  assert.deepEqual(
    run.log.filter(({ msg }) => msg === 'ship it').map(({ order, idempotencyKey }) => [order, idempotencyKey]),
    [['42', 'digital-river:e1:ship-order']]
  )
})

test('an order without an id is given up at once', async () => {
  const run = await runHandler(shipOrder, { type: 'order.accepted', data: { object: { id: undefined } } })
  assert.equal(run.state, 'dead')
})

test('the whole path: signed, recorded, and handled once, however often it is sent', async (t) => {
  const receiver = await createTestReceiver({ handlers: shipOrder })
  t.after(() => receiver.close())
  const sent = await receiver.send({ type: 'order.accepted', data: { object: { id: '42' } } })
  assert.equal(sent.status, 202)
  assert.deepEqual(
    sent.deliveries.map(({ handler, state, attempts }) => [handler, state, attempts]),
    [['ship-order', 'done', 1]]
  )
  assert.equal((await receiver.send(sent.event)).body['status'], 'duplicate')
  assert.equal((await receiver.send(sent.event, { secret: 'whk_of-somebody-else' })).status, 401)
})
