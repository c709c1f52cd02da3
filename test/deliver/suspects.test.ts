import { setImmediate } from 'node:timers/promises'
import t from 'tap'

import { Dispatcher, type DispatcherOptions } from '../../src/deliver/dispatcher.ts'
import type { Event } from '../../src/index.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { gate, rig, type Rig } from './rig.ts'
import { named, source } from '../event-keys.ts'

// A process that dies loses all its running attempts. Without these rules, good deliveries would become dead letters
// because of another one that kills the process.

/** Much longer than any backoff, so that a test can pass the backoffs and not the leases. */
const leaseMs = 1_000_000_000

/** A process that can die: from then on it claims, extends and stores nothing. */
async function startProcess(r: Rig, options: Partial<DispatcherOptions> = {}) {
  const death = gate()
  const isDead = { yes: false }
  const inbox = new Proxy(r.inbox, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return isDead.yes ? () => new Promise(() => undefined) : (value.bind(target) as unknown)
    }
  })
  const dispatcher = new Dispatcher({
    inbox,
    handlers: r.handlers,
    log: r.log,
    concurrency: 32,
    pollMs: 1,
    leaseMs,
    clock: r.now,
    random: () => 0,
    revive: ({ body }) => JSON.parse(Buffer.from(body).toString()) as Event,
    ...options
  })
  await dispatcher.start()
  return {
    dispatcher,
    death: death.promise,
    die() {
      isDead.yes = true
      death.resolve()
    }
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate()
}

t.test('only the event that kills its process each time uses up its attempts', async (t) => {
  const r = await rig(t)
  const good = ['g1', 'g2', 'g3', 'g4', 'g5', 'g6', 'g7', 'g8']
  let living: Awaited<ReturnType<typeof startProcess>> | undefined
  let running: string[] = []
  const beside: string[][] = []
  const retry = { base: 100, factor: 1 }
  r.handlers.on('order.accepted', { name: 'good', retry, timeout: 600_000 }, async (event) => {
    running.push(event.id)
    // Longer than the event that kills takes: what runs beside it is lost too.
    await turns(60)
    running = running.filter((id) => id !== event.id)
  })
  r.handlers.on('order.accepted', { name: 'poison', retry: { ...retry, attempts: 2 }, timeout: 600_000 }, async () => {
    await turns(10)
    beside.push(running)
    living?.die()
    await new Promise(() => undefined)
  })
  await r.recordFor('poison', ['poison'])
  for (const id of good) await r.recordFor(id, ['good'])
  const dead = gate<string>()
  // Let the backoffs pass.
  const clock = setInterval(() => {
    r.advance(1_000)
  }, 1)
  t.teardown(() => {
    clearInterval(clock)
  })
  for (let deaths = 0; deaths < 6; deaths += 1) {
    running = []
    living = await startProcess(r, {
      onDead: (event) => {
        dead.resolve(event.id)
      }
    })
    if ((await Promise.race([living.death, dead.promise])) === 'poison') break
    r.advance(leaseMs)
  }
  await r.untilSettled(good.length, ({ state }) => state === 'done')
  await living?.dispatcher.stop({ graceMs: 1_000 })
  t.same(
    await Promise.all(good.map((id) => r.states(id))),
    good.map(() => ({ good: 'done' }))
  )
  const [poison] = (await r.event('poison')).deliveries
  t.match(poison, {
    state: 'dead',
    attempts: 4,
    losses: 2,
    lastError: /LEASE_LOST.*4 runs in a row, the last one while it ran alone/
  })
  const [everybody, few = [], ...alone] = beside
  t.same(everybody, good)
  t.ok(few.length <= 3, 'the second loss is beside a few other suspects at most')
  t.same(alone, [[], []], 'and then alone')
})

t.test(
  'a delivery that loses runs because of others keeps its attempts and its order, and is retried later',
  async (t) => {
    const r = await rig(t)
    r.handlers.on('order.accepted', { name: 'ship', retry: { attempts: 1, base: 1_000 } }, () => undefined)
    await r.recordFor('e1', [{ handler: 'ship', orderKey: 'k' }])
    await r.recordFor('e2', [{ handler: 'ship', orderKey: 'k' }])
    await r.inbox.claim({
      owner: 'a process that dies',
      leaseMs: 10,
      wants: [{ handler: 'ship', source: 'digital-river', limit: 1 }],
      limit: 1
    })
    r.advance(11)
    await r.start({ random: () => 0 })
    await r.untilSettled(1)
    t.match(r.messages('run was lost'), [
      {
        level: 40,
        event_id: 'e1',
        attempt: 1,
        counted: false,
        next_attempt_at: new Date(r.now() + 500).toISOString(),
        error: /a process that dies died or stalled/
      }
    ])
    t.match(await r.states('e2'), { ship: 'waiting' })
    r.advance(500)
    await r.untilSettled(3)
    t.match(
      r.settled.map(({ event_id, attempt, state }) => [event_id, attempt, state]),
      [
        ['e1', 1, 'lost'],
        ['e1', 2, 'done'],
        ['e2', 1, 'done']
      ]
    )
    t.match((await r.event('e1')).deliveries[0], {
      attempts: 2,
      losses: 1,
      attemptLog: [{ state: 'lost' }, { state: 'done' }]
    })
  }
)

t.test('a kill during shutdown counts no lost run', async (t) => {
  const r = await rig(t)
  const started = gate()
  const excused = gate()
  const over = gate()
  let runs = 0
  r.handlers.on('order.accepted', { retry: { attempts: 1 } }, async () => {
    runs += 1
    if (runs > 1) return
    started.resolve()
    await over.promise
  })
  const noting = new Proxy(r.inbox, {
    get(target, name) {
      if (name === 'servers') return undefined
      if (name !== 'extend') return (Reflect.get(target, name) as (...given: unknown[]) => unknown).bind(target)
      return async (...given: Parameters<Inbox['extend']>) => {
        const lost = await target.extend(...given)
        if (given[2] === 'nothing') excused.resolve()
        return lost
      }
    }
  })
  const killed = await startProcess({ ...r, inbox: noting })
  await r.record('e1')
  await started.promise
  const stopped = killed.dispatcher.stop({ graceMs: 3_600_000, storeMs: 1 })
  await excused.promise
  killed.die()
  r.advance(leaseMs)
  await r.start()
  await r.untilSettled(1, ({ state }) => state === 'done')
  t.match((await r.event('e1')).deliveries[0], { state: 'done', attempts: 1, losses: 0 })
  over.resolve()
  await stopped
})

/** Stores events whose deliveries have already lost the given number of runs. */
async function lose(r: Rig, handler: string, ids: readonly string[], times: number): Promise<void> {
  for (const id of ids) await r.recordFor(id, [handler])
  for (let time = 0; time < times; time += 1) {
    const lost = { state: 'lost', dueAt: new Date(r.now()), error: 'died', counts: false, releaseKey: false } as const
    const suspects = await r.inbox.suspects(named(handler))
    const held =
      time === 0
        ? (await r.inbox.claim({ owner: 'x', leaseMs, wants: [{ handler, source, limit: 100 }], limit: 100 }))
            .deliveries
        : await r.inbox.claimSuspects({ owner: 'x', leaseMs, ids: suspects.map(({ id }) => id), onLoss: 'loss' })
    await r.inbox.settle(
      held.map(({ id, token }) => ({ id, token, outcome: lost, startedAt: new Date(0), endedAt: new Date(0) }))
    )
  }
}

t.test(
  'a suspect that runs alone for long does not block the others: from then on its loss does not count',
  async (t) => {
    const r = await rig(t)
    const held = gate()
    const started = gate()
    r.handlers.on('order.accepted', { name: 'slow', timeout: 600_000 }, async () => {
      started.resolve()
      await held.promise
    })
    r.handlers.on('order.accepted', { name: 'quick' }, () => undefined)
    await lose(r, 'slow', ['s1'], 2)
    const process = await startProcess(r, { suspects: { clearMs: 10, aloneMs: 30 } })
    await started.promise
    await r.recordFor('q1', ['quick'])
    await r.untilSettled(1, ({ handler, state }) => handler === 'quick' && state === 'done')
    process.die()
    r.advance(leaseMs)
    const { deliveries } = await r.inbox.claim({
      owner: 'x',
      leaseMs,
      wants: [{ handler: 'slow', source: 'digital-river', limit: 1 }],
      limit: 1
    })
    t.match(deliveries, [{ lost: { onLoss: 'loss' }, attempt: 3, losses: 2 }])
    held.resolve()
  }
)

t.test(
  'a suspect that must run alone waits for the others only for a limited time: then it runs beside them, and its loss does not count',
  async (t) => {
    const r = await rig(t)
    const held = gate()
    const [begun, started] = [gate(), gate()]
    r.handlers.on('order.accepted', { name: 'long', timeout: 600_000 }, async () => {
      begun.resolve()
      await held.promise
    })
    r.handlers.on('order.accepted', { name: 'suspect' }, async () => {
      started.resolve()
      await held.promise
    })
    await lose(r, 'suspect', ['s1'], 2)
    await r.inbox.claimSuspects({
      owner: 'x',
      leaseMs: 1,
      ids: (await r.inbox.suspects(named('suspect'))).map(({ id }) => id),
      onLoss: 'loss'
    })
    await r.recordFor('l1', ['long'])
    const process = await startProcess(r, { suspects: { clearMs: 10, aloneMs: 600_000 } })
    await begun.promise
    r.advance(leaseMs)
    await r.untilSettled(1, ({ state }) => state === 'lost')
    r.advance(leaseMs)
    await started.promise
    process.die()
    r.advance(leaseMs)
    const { deliveries } = await r.inbox.claim({
      owner: 'x',
      leaseMs,
      wants: [{ handler: 'suspect', source: 'digital-river', limit: 1 }],
      limit: 1
    })
    t.match(deliveries, [{ lost: { onLoss: 'loss' } }])
    held.resolve()
  }
)

t.test('a delivery that loses many runs in a row becomes a dead letter, even if others run beside it', async (t) => {
  const r = await rig(t)
  r.handlers.on('order.accepted', { name: 'ship' }, () => undefined)
  await lose(r, 'ship', ['e1'], 9)
  await r.inbox.claimSuspects({
    owner: 'me',
    leaseMs: 1,
    ids: (await r.inbox.suspects(named('ship'))).map(({ id }) => id),
    onLoss: 'loss'
  })
  r.advance(2)
  await r.start()
  await r.untilSettled(1)
  t.match((await r.event('e1')).deliveries[0], {
    state: 'dead',
    attempts: 10,
    losses: 9,
    lastError: /10 runs in a row/
  })
})

t.test(
  'after a power cut, the number of suspects that run at the same time grows quickly: deliveries are not slow for hours',
  async (t) => {
    const r = await rig(t)
    let running: (() => void)[] = []
    r.handlers.on(
      'order.accepted',
      { name: 'good', concurrency: 100, timeout: 600_000 },
      () =>
        new Promise<void>((resolve) => {
          running.push(resolve)
        })
    )
    await lose(
      r,
      'good',
      Array.from({ length: 92 }, (_, index) => `g${index}`),
      1
    )
    const living = await startProcess(r, { concurrency: 100 })
    for (const expected of [4, 8, 16, 32, 32]) {
      while (running.length < expected) await turns(1)
      await turns(50)
      t.equal(running.length, expected, `${expected} at a time`)
      const ending = running
      running = []
      for (const end of ending) end()
    }
    await r.untilSettled(92, ({ state }) => state === 'done')
    await living.dispatcher.stop({ graceMs: 0 })
  }
)

t.test(
  'while the others have their turn, a suspect that must run alone does not block the other suspects',
  async (t) => {
    const r = await rig(t)
    const [held, begun] = [gate(), gate()]
    r.handlers.on('order.accepted', { name: 'alone', timeout: 600_000 }, async () => {
      begun.resolve()
      await held.promise
    })
    r.handlers.on('order.accepted', { name: 'few' }, () => undefined)
    await lose(r, 'alone', ['a1', 'a2'], 2)
    const real = performance.now.bind(performance)
    let passed = 0
    t.intercept(performance, 'now', { value: () => real() + passed })
    const living = await startProcess(r, { suspects: { clearMs: 10, aloneMs: 36_000_000 } })
    await begun.promise
    // It ran alone for an hour, so the others get the same time now. The second one has been due for longer than the
    // other suspect.
    passed += 3_600_000
    r.advance(1)
    await lose(r, 'few', ['f1'], 1)
    held.resolve()
    await r.untilSettled(2, ({ state }) => state === 'done')
    t.same(
      r.settled.map(({ event_id }) => event_id),
      ['a1', 'f1']
    )
    passed += 3_600_000
    await r.untilSettled(3, ({ state }) => state === 'done')
    await living.dispatcher.stop({ graceMs: 0 })
  }
)
