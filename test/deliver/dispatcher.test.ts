import t from 'tap'

import { PermanentError, RetryLater } from '../../src/model/errors.ts'
import type { HandlerContext } from '../../src/handlers/registry.ts'
import { altered, gate, rig } from './rig.ts'
import { keyOf } from '../event-keys.ts'

t.test('a handler gets its event and everything it needs, and the delivery is done', async (t) => {
  const r = await rig(t)
  let context: HandlerContext | undefined
  r.handlers.on('order.accepted', { name: 'to-erp' }, (event, given) => {
    context = given
    t.equal(event.id, 'e1')
    given.log.info('inside')
  })
  await r.start()
  await r.record('e1')
  await r.untilSettled(1)
  t.match(await r.states('e1'), { 'to-erp': 'done' })
  t.equal(context?.attempt, 1)
  t.equal(context?.endpoint, '/webhooks')
  t.equal(context?.idempotencyKey, 'digital-river:e1:to-erp')
  t.equal(context?.signal.aborted, false)
  t.match(context?.delivery, { handler: 'to-erp', receivedAt: new Date(r.now()) })
  t.match(r.messages('inside')[0], { event_id: 'e1', event_type: 'order.accepted', handler: 'to-erp', attempt: 1 })
  t.match(r.settled, [{ event_id: 'e1', event_type: 'order.accepted', handler: 'to-erp', attempt: 1, state: 'done' }])
})

t.test(
  'a handler that fails is retried, and affects neither the other handlers nor their copy of the event',
  async (t) => {
    const r = await rig(t)
    const runs: string[] = []
    r.handlers.on('order.*', { name: 'flaky', retry: { base: 1 } }, (event, { attempt }) => {
      runs.push(`flaky ${attempt}`)
      ;(event as { id: string }).id = 'changed'
      if (attempt < 3) throw new Error('not yet')
    })
    r.handlers.on('order.accepted', { name: 'steady' }, (event) => {
      runs.push(`steady ${event.id}`)
    })
    await r.start({ random: () => 0 })
    await r.record('e1')
    await r.untilSettled(4)
    t.strictSame(runs.toSorted(), ['flaky 1', 'flaky 2', 'flaky 3', 'steady e1'])
    t.strictSame(await r.states('e1'), { flaky: 'done', steady: 'done' })
    const flaky = (await r.event('e1')).deliveries.find(({ handler }) => handler === 'flaky')
    t.strictSame(
      flaky?.attemptLog.map(({ state, error }) => [state, error]),
      [
        ['retry', 'Error: not yet'],
        ['retry', 'Error: not yet'],
        ['done', undefined]
      ]
    )
  }
)

t.test(
  'a delivery without attempts left is a dead letter; onError is called for each failure, onDead once',
  async (t) => {
    const r = await rig(t)
    r.handlers.on('order.accepted', { retry: { attempts: 2, base: 1_000 } }, () => {
      throw new Error('no')
    })
    const told: unknown[] = []
    await r.start({
      random: () => 0.5,
      onError: (error, { event, handler, attempt, retryAt, delivery }) => {
        told.push([
          'error',
          String(error),
          event.id,
          handler,
          attempt,
          retryAt && retryAt.getTime() - r.now(),
          delivery.handler
        ])
      },
      onDead: async (event, { error, attempt, handler }) => {
        told.push(['dead', event.id, handler, attempt, String(error)])
      }
    })
    await r.record('e1')
    await r.untilSettled(1)
    r.advance(500)
    await r.untilSettled(2)
    t.strictSame(told, [
      ['error', 'Error: no', 'e1', 'order.accepted', 1, 500, 'order.accepted'],
      ['error', 'Error: no', 'e1', 'order.accepted', 2, undefined, 'order.accepted'],
      ['dead', 'e1', 'order.accepted', 2, 'Error: no']
    ])
    t.match(await r.states('e1'), { 'order.accepted': 'dead' })
    t.match(r.messages('it will be retried'), [
      { level: 40, attempt: 1, next_attempt_at: '2026-01-01T00:00:00.500Z', error: 'Error: no' }
    ])
    t.match(r.messages('dead letter'), [{ level: 50, event_id: 'e1', attempt: 2, stack: /dispatcher\.test/ }])
  }
)

t.test('a PermanentError is a dead letter at once', async (t) => {
  const r = await rig(t)
  r.handlers.on('order.accepted', () => {
    throw new PermanentError('unknown SKU')
  })
  await r.start()
  await r.record('e1')
  await r.untilSettled(1)
  const [delivery] = (await r.event('e1')).deliveries
  t.match(delivery, { state: 'dead', attempts: 1, lastError: 'PermanentError: unknown SKU' })
})

t.test('RetryLater chooses the time, and its attempt counts', async (t) => {
  const r = await rig(t)
  r.handlers.on('order.accepted', (_event, { attempt }) => {
    if (attempt === 1) throw new RetryLater({ after: 3_600_000 })
  })
  await r.start()
  await r.record('e1')
  await r.untilSettled(1)
  const [delivery] = (await r.event('e1')).deliveries
  t.match(delivery, { state: 'pending', attempts: 1, dueAt: new Date(r.now() + 3_600_000) })
  r.advance(3_600_000)
  await r.untilSettled(2)
  t.match(r.settled[1], { attempt: 2, state: 'done' })
})

t.test('errors of onError and onDead are logged, and change nothing', async (t) => {
  const r = await rig(t)
  r.handlers.on('order.accepted', () => {
    throw new PermanentError('no')
  })
  const dispatcher = await r.start({
    onError: () => {
      throw new Error('pager is down')
    },
    onDead: () => Promise.reject(new Error('mail is down'))
  })
  await r.record('e1')
  await r.untilSettled(1)
  await dispatcher.stop({ graceMs: 1_000 })
  t.match(await r.states('e1'), { 'order.accepted': 'dead' })
  t.match(r.messages('onError failed'), [{ level: 50, event_id: 'e1', error: 'Error: pager is down' }])
  t.match(r.messages('onDead failed'), [{ level: 50, event_id: 'e1', error: 'Error: mail is down' }])
})

t.test('handlers that hang do not delay others: an idle handler always gets a slot', async (t) => {
  const r = await rig(t)
  const held = gate()
  let hanging = 0
  for (const name of ['hangs-1', 'hangs-2']) {
    r.handlers.on('*', { name, timeout: 600_000 }, async () => {
      hanging += 1
      await held.promise
    })
  }
  r.handlers.on('order.accepted', { name: 'quick' }, () => undefined)
  const dispatcher = await r.start({ concurrency: 3 })
  const ids = Array.from({ length: 30 }, (_, index) => `e${index}`)
  await r.record(...ids)
  await r.untilSettled(30, ({ handler, state }) => handler === 'quick' && state === 'done')
  t.equal(hanging, 2, 'the hanging handlers get the other slots, one each')
  held.resolve()
  await r.untilSettled(90)
  await dispatcher.stop({ graceMs: 1_000 })
})

t.test('the concurrency limits of each handler and of all handlers together are kept', async (t) => {
  const r = await rig(t)
  const running = new Map<string, number>()
  let most = 0
  let mostNarrow = 0
  const change = (name: string, by: number): void => {
    running.set(name, (running.get(name) ?? 0) + by)
    most = Math.max(
      most,
      [...running.values()].reduce((sum, count) => sum + count, 0)
    )
    mostNarrow = Math.max(mostNarrow, running.get('narrow') ?? 0)
  }
  for (const [name, concurrency] of [
    ['narrow', 2],
    ['wide', 50]
  ] as const) {
    r.handlers.on('*', { name, concurrency }, async () => {
      change(name, 1)
      await new Promise((resolve) => setImmediate(resolve))
      change(name, -1)
    })
  }
  await r.record(...Array.from({ length: 60 }, (_, index) => `e${index}`))
  await r.start({ concurrency: 10 })
  await r.untilSettled(120)
  t.ok(most <= 10, `at most 10 at a time, there were ${most}`)
  t.ok(mostNarrow <= 2, `at most 2 of one handler, there were ${mostNarrow}`)
})

t.test('an attempt over its time limit fails, even if the handler ignores its signal', async (t) => {
  const r = await rig(t)
  const held = gate()
  let signal: AbortSignal | undefined
  r.handlers.on('order.accepted', { timeout: 5, retry: { attempts: 1 } }, async (_event, context) => {
    ;({ signal } = context)
    await held.promise
    throw new Error('much too late')
  })
  await r.start()
  await r.record('e1')
  await r.untilSettled(1)
  t.match(signal?.reason, { code: 'RIVERHOOK_DELIVER_TIMEOUT' })
  const [delivery] = (await r.event('e1')).deliveries
  t.match(delivery, {
    state: 'dead',
    lastError: 'RiverhookError [RIVERHOOK_DELIVER_TIMEOUT]: Handler "order.accepted" did not finish within 5 ms'
  })
  // An unhandled rejection would end the process, and this test with it.
  held.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(r.settled.length, 1)
})

t.test('an event that cannot be read is a dead letter with a clear error, and does not block others', async (t) => {
  const r = await rig(t)
  r.handlers.on('order.accepted', () => undefined)
  const dead = gate<string>()
  await r.start({
    revive: ({ id, type }) => {
      if (id === 'broken') throw new Error('not an Event')
      return { id, type, data: { object: {} }, liveMode: false, createdTime: '2026-01-01T00:00:00Z' }
    },
    onDead: (event) => {
      dead.resolve(`${event.type} ${event.id}`)
    }
  })
  await r.record('broken', 'e2')
  await r.untilSettled(2)
  t.equal(await dead.promise, 'order.accepted broken')
  t.match((await r.event('broken')).deliveries[0], {
    state: 'dead',
    lastError: /RIVERHOOK_DELIVER_UNREADABLE.*not an Event/
  })
  t.match(await r.states('e2'), { 'order.accepted': 'done' })
})

t.test('deliveries of a handler that was removed are parked, with a warning that shows their number', async (t) => {
  const r = await rig(t)
  r.handlers.on('order.accepted', { name: 'stays' }, () => undefined)
  await r.recordFor('e1', ['stays', 'gone'])
  await r.start()
  await r.untilSettled(1)
  t.strictSame(await r.states('e1'), { stays: 'done', gone: 'parked' })
  t.match(r.messages('parked'), [{ level: 40, parked: 1 }])
})

t.test('handlers may throw any value', async (t) => {
  const r = await rig(t)
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const thrown = [
    undefined,
    null,
    'text',
    42,
    Symbol('s'),
    { secret: 'x' },
    Object.create(null),
    proxy,
    () => undefined
  ]
  r.handlers.on('order.accepted', { retry: { attempts: 1 } }, (event) => {
    throw thrown[Number(event.id)] as Error
  })
  await r.start({ onError: () => undefined })
  await r.record(...thrown.map((_, index) => String(index)))
  await r.untilSettled(thrown.length, ({ state }) => state === 'dead')
  t.notMatch(JSON.stringify(r.lines), /"x"|secret/, 'the content of what was thrown is not logged')
})

t.test('a replay by a command in another process is found by polling, without a hint', async (t) => {
  const r = await rig(t, (inbox) => altered(inbox, () => ({ onDue: () => () => undefined })))
  r.handlers.on('order.accepted', () => undefined)
  await r.start()
  await r.record('e1')
  await r.untilSettled(1)
  t.strictSame(await r.inbox.replay([{ event: keyOf('e1'), handler: 'order.accepted' }]), ['replayed'])
  await r.untilSettled(2)
  t.match(r.settled[1], { attempt: 1, state: 'done' })
})

t.test('fewer slots than handlers is logged as a warning: a handler that hangs could delay others', async (t) => {
  const r = await rig(t)
  for (const name of ['a', 'b', 'c']) r.handlers.on('*', { name }, () => undefined)
  await r.start({ concurrency: 2 })
  t.match(r.messages('concurrency is lower'), [{ level: 40, concurrency: 2, handlers: 3 }])
  await r.record('e1')
  await r.untilSettled(3)
})
