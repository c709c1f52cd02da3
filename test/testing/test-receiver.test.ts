import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import t, { type Test } from 'tap'

import {
  defineHandler,
  digitalRiver,
  PermanentError,
  RetryLater,
  RiverhookError,
  type Event,
  type Inbox,
  type Source,
  type InboxTransaction
} from '../../src/index.ts'
import {
  createTestReceiver,
  runHandler,
  sampleEvent,
  whenSettled,
  type TestEvent,
  type TestReceiver,
  type TestReceiverOptions
} from '../../src/testing/index.ts'
import { makeFolder } from '../folder.ts'

// Risk: tests of handlers that need a port or waiting, or that differ from production.

/** A receiver that is closed after the test. */
async function start(t: Test, options: TestReceiverOptions): Promise<TestReceiver> {
  const receiver = await createTestReceiver(options)
  t.teardown(() => receiver[Symbol.asyncDispose]())
  return receiver
}

t.test('an event takes the whole path, and send() returns its deliveries', async (t) => {
  const seen: unknown[] = []
  const receiver = await start(t, {
    handlers: [
      defineHandler('order.accepted', { name: 'ship' }, (event) => {
        seen.push(event.data.object['id'])
      }),
      defineHandler('order.*', { name: 'audit' }, (_event, { log }) => {
        log.info('noted')
      })
    ]
  })
  const sent = await receiver.send({ type: 'order.accepted', data: { object: { id: '42' } } })
  t.equal(sent.status, 202)
  t.same(sent.body, { id: sent.event.id, status: 'accepted' })
  t.same(sent.deliveries, [
    { handler: 'ship', state: 'done', attempts: 1, errors: [], waitsMs: [] },
    { handler: 'audit', state: 'done', attempts: 1, errors: [], waitsMs: [] }
  ])
  t.same(seen, ['42'])
  t.ok(receiver.log.some(({ msg, handler }) => msg === 'noted' && handler === 'audit'))

  t.same((await receiver.send(sent.event)).body['status'], 'duplicate')
  t.same(seen, ['42'], 'a duplicate runs nothing')
  t.same((await receiver.send({ type: 'refund.failed' })).deliveries, [], 'an event that no handler wants')
})

// Risk: a handler that works in production fails in its test, because the event lacks what every real one has.
t.test('a test gives what matters, and the rest of the payload is a valid sample', async (t) => {
  const seen: Event[] = []
  const receiver = await start(t, {
    validate: 'reject',
    handlers: defineHandler('*', { name: 'all' }, (event) => {
      seen.push(event)
    })
  })
  const send = async (given: TestEvent) => {
    t.match(await receiver.send(given), { status: 202, deliveries: [{ state: 'done' }] }, given.type)
    return seen.at(-1)
  }
  const order = await send({ type: 'order.accepted', data: { object: { id: 'o1', items: [] } } })
  t.match(order?.data.object, { id: 'o1', items: [], currency: /^[A-Z]{3}$/, state: 'accepted' })
  t.not((await send({ type: 'order.accepted' }))?.id, order?.id)
  t.match(await send({ type: 'subscription.deleted' }), { data: { object: {}, previousAttributes: { id: String } } })
  const whole = sampleEvent('order.accepted', { data: { object: { metadata: undefined } } })
  t.same(await send(whole), whole, 'a whole event is sent as it is')
  const { state, error } = await runHandler(
    defineHandler('order.accepted', (event) => {
      throw new PermanentError(`id ${event.data.object.id}, currency ${event.data.object.currency.length}`)
    }),
    { type: 'order.accepted', data: { object: { id: undefined } } }
  )
  t.equal(state, 'dead')
  t.match(error, /id undefined, currency 3/, 'undefined removes a field')
})

t.test('retries run at once, and the delays of production are reported', async (t) => {
  let runs = 0
  const receiver = await start(t, {
    handlers: defineHandler('order.accepted', { retry: { attempts: 3, base: 3_600_000, factor: 1 } }, () => {
      runs += 1
      throw new Error(`failure ${runs}`)
    })
  })
  const { deliveries } = await receiver.send({ type: 'order.accepted' })
  t.match(deliveries, [{ state: 'dead', attempts: 3, errors: [/failure 1/, /failure 2/, /failure 3/] }])
  t.equal(deliveries[0]?.waitsMs.length, 2)
  t.ok(deliveries[0]?.waitsMs.every((ms) => ms >= 0 && ms <= 3_600_000))
})

t.test('an order key is kept, as in production', async (t) => {
  const order: string[] = []
  const receiver = await start(t, {
    handlers: defineHandler('order.*', { orderBy: (event) => event.data.object['id'] }, ({ type }, { attempt }) => {
      order.push(`${type} ${attempt}`)
      if (type === 'order.accepted' && attempt === 1) throw new Error('not yet')
    })
  })
  const object = { id: 'o1' }
  await Promise.all(['order.accepted', 'order.fulfilled'].map((type) => receiver.send({ type, data: { object } })))
  t.same(order, ['order.accepted 1', 'order.accepted 2', 'order.fulfilled 1'])
})

t.test('deliveries that end together report their errors separately', async (t) => {
  const receiver = await start(t, {
    retry: { attempts: 2 },
    handlers: ['one', 'two'].map((name) =>
      defineHandler('*', { name }, (event) => {
        throw new Error(`${name} ${event.id}`)
      })
    )
  })
  const sent = await Promise.all(['e1', 'e2', 'e3'].map((id) => receiver.send({ id, type: 'order.accepted' })))
  for (const {
    event: { id },
    deliveries
  } of sent) {
    const told = deliveries.map(({ handler, errors }) => [handler, errors.map((error) => (error as Error).message)])
    t.same(
      told,
      ['one', 'two'].map((name) => [name, [`${name} ${id}`, `${name} ${id}`]])
    )
  }
})

t.test("the merchant's onError and onDead are called too", async (t) => {
  const told: string[] = []
  const receiver = await start(t, {
    onError: (error, { attempt, retryAt }) => {
      told.push(`${(error as Error).message} ${attempt} ${retryAt === undefined ? 'dead' : 'again'}`)
    },
    onDead: (_event, { handler }) => {
      told.push(`buried ${handler}`)
    },
    handlers: defineHandler('*', { name: 'erp', retry: { attempts: 2 } }, () => {
      throw new Error('down')
    })
  })
  await receiver.send({ type: 'order.accepted' })
  t.same(told, ['down 1 again', 'down 2 dead', 'buried erp'])
})

t.test("the test's own bytes take the whole path under their own id", async (t) => {
  const receiver = await start(t, { handlers: defineHandler('order.accepted', { name: 'ship' }, () => undefined) })
  const body =
    '{"data": {"object": {}}, "liveMode": false, "createdTime": "2021-03-31T19:24:47Z", "type": "order.accepted", "id": "own"}'
  const sent = await receiver.send({ type: 'order.accepted' }, { body })
  t.same(sent.body, { id: 'own', status: 'accepted' })
  t.match(sent.deliveries, [{ handler: 'ship', state: 'done', attempts: 1 }])
})

t.test('another source signs as it verifies', async (t) => {
  const real = digitalRiver()
  const signedFor: string[] = []
  const source: Source = {
    ...real,
    sign: (input) => {
      signedFor.push(input.secret)
      return real.sign(input)
    }
  }
  const receiver = await start(t, { source, secrets: 'whk_own', handlers: defineHandler('*', () => undefined) })
  t.equal((await receiver.send({ type: 'order.accepted' })).status, 202)
  t.same(signedFor, ['whk_own'])
})

t.test('refusals are returned as Digital River gets them', async (t) => {
  const receiver = await start(t, { handlers: defineHandler('*', () => undefined) })
  const event = { type: 'order.accepted' }
  t.equal((await receiver.send(event, { secret: 'whk_of-somebody-else' })).status, 401)
  t.equal((await receiver.send(event, { at: new Date(0) })).status, 401)
  t.equal((await receiver.send(event, { body: '{"id": 1}' })).status, 400)
  t.equal((await receiver.send(event, { headers: { 'content-type': 'text/plain' } })).status, 415)
})

t.test("handlers from a folder or a function; with the test's own credentials", async (t) => {
  const folder = makeFolder(t)
  writeFileSync(
    join(folder, 'one.js'),
    "export default (riverhook) => { riverhook.on('*', { name: 'from-a-file' }, () => undefined) }\n"
  )
  const receiver = await start(t, { handlers: folder, secrets: ['whk_a', 'whk_b'] })
  t.match((await receiver.send({ type: 'order.accepted' }, { secret: 'whk_b' })).deliveries, [
    { handler: 'from-a-file', state: 'done' }
  ])
  const basic = await start(t, {
    handlers: (riverhook) => {
      riverhook.on('*', () => undefined)
    },
    basicAuth: { username: 'u', password: 'p' }
  })
  t.equal((await basic.send({ type: 'a.b' })).status, 401)
  t.equal((await basic.send({ type: 'a.b' }, { headers: { authorization: `Basic ${btoa('u:p')}` } })).status, 202)
})

t.test('one run of a handler: its effects, errors and log', async (t) => {
  const handler = defineHandler('order.accepted', async (event, { log, idempotencyKey, attempt, endpoint, signal }) => {
    const { id } = event.data.object
    if (id === '') throw new PermanentError('no id')
    if (id === 'later') throw new RetryLater({ after: 60_000 })
    if (id === 'broken') throw new TypeError('broken')
    log.info({ idempotencyKey, attempt, endpoint, aborted: signal.aborted }, 'shipped')
  })
  const run = (id: string) => runHandler(handler, { id: 'e1', type: 'order.accepted', data: { object: { id } } })
  const done = await run('42')
  t.match(done, { state: 'done', error: undefined, waitMs: undefined })
  t.same(
    done.log.map(({ msg }) => msg),
    ['shipped'],
    "the log has only the handler's lines"
  )
  t.match(done.log[0], {
    idempotencyKey: 'digital-river:e1:order.accepted',
    attempt: 1,
    aborted: false,
    event_id: 'e1'
  })
  t.match(await run(''), { state: 'dead', error: { message: 'no id' }, waitMs: undefined })
  const later = await run('later')
  t.equal(later.state, 'retry')
  t.ok(later.waitMs !== undefined && later.waitMs > 0 && later.waitMs <= 60_000)
  t.match(await run('broken'), { state: 'retry', error: new TypeError('broken'), log: [] })
  t.same(
    (await Promise.all([run('42'), run('43')])).map(({ log }) => log.length),
    [1, 1],
    'simultaneous runs are separate'
  )
  await t.rejects(
    runHandler(handler, { type: 'refund.failed' }),
    /handler for order\.accepted does not get events of the type refund\.failed/
  )
})

t.test('a handler that uses transaction() is tested with a client of the test', async (t) => {
  const rows: unknown[] = []
  const client = {
    query: async (_sql: string, values: unknown[]) => {
      rows.push(values)
    }
  } as unknown as InboxTransaction
  const book = defineHandler('order.accepted', { name: 'book' }, async (event, { transaction, log }) => {
    await transaction((tx) => tx.query('INSERT INTO booking VALUES ($1)', [event.data.object.id]))
    log.info('booked')
  })
  const event = { type: 'order.accepted', data: { object: { id: 'o1' } } }
  t.match(await runHandler(book, event, { client }), { state: 'done', error: undefined, log: [{ msg: 'booked' }] })
  const receiver = await createTestReceiver({ handlers: book, client })
  t.teardown(() => receiver.close())
  t.match(await receiver.send(event), {
    status: 202,
    deliveries: [{ handler: 'book', state: 'done', attempts: 1, errors: [] }]
  })
  t.same(rows, [['o1'], ['o1']])
  t.match(await runHandler(book, event), { state: 'retry', error: { message: /inbox "memory" has no transactions/ } })
})

t.test('after close() it accepts nothing more', async (t) => {
  const receiver = await createTestReceiver({ handlers: defineHandler('*', () => undefined) })
  await receiver.close()
  await t.rejects(receiver.send({ type: 'order.accepted' }))
})

t.test('fake timers of a test block nothing: attempts, retries and waiting for them', async (t) => {
  let runs = 0
  const flaky = defineHandler('order.accepted', { retry: { attempts: 3 } }, () => {
    runs += 1
    if (runs < 3) throw new RetryLater({ after: 60_000 })
  })
  const before = await start(t, { handlers: flaky })
  mock.timers.enable()
  t.teardown(() => {
    mock.timers.reset()
  })
  t.match(
    await before.send({ type: 'order.accepted' }),
    { status: 202, deliveries: [{ state: 'done', attempts: 3 }] },
    'enabled after the start'
  )
  runs = 0
  const meanwhile = await start(t, { handlers: flaky })
  t.match(
    await meanwhile.send({ type: 'order.accepted' }),
    { deliveries: [{ state: 'done', attempts: 3 }] },
    'enabled before the start'
  )
  t.match(
    await runHandler(
      defineHandler('order.accepted', () => undefined),
      { type: 'order.accepted' }
    ),
    { state: 'done' }
  )
  t.same(
    await whenSettled(meanwhile.inbox, 'nothing', { deliveries: 1, timeoutMs: 1 }),
    [],
    'a time limit is in real time'
  )
})

t.test('whenSettled asks again if the inbox is busy with other reads, and not after its time limit', async (t) => {
  const { inbox } = await start(t, { handlers: [] })
  const busy = new RiverhookError('RIVERHOOK_INBOX_READS_BUSY', 'no turn')
  let refused = 0
  const crowded: Pick<Inbox, 'events'> = {
    events: (filter) => (refused++ < 2 ? Promise.reject(busy) : inbox.events(filter))
  }
  t.same(await whenSettled(crowded, 'e1'), [])
  t.equal(refused, 3)
  const stuck: Pick<Inbox, 'events'> = {
    events: () => new Promise((_resolve, reject) => setImmediate(reject, busy))
  }
  await t.rejects(whenSettled(stuck, 'e1', { timeoutMs: 1 }), busy)
  const broken: Pick<Inbox, 'events'> = { events: () => Promise.reject(new Error('gone')) }
  await t.rejects(whenSettled(broken, 'e1'), { message: 'gone' })
})
