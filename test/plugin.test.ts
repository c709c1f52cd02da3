import { once } from 'node:events'
import { join } from 'node:path'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setImmediate } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'

import riverhook, {
  memoryInbox,
  openInbox,
  PermanentError,
  sqliteInbox,
  type Log,
  type SettledMessage
} from '../src/index.ts'
import { makeFolder } from './folder.ts'
import { Readiness } from '../src/lifecycle/readiness.ts'
import { ClockSkew } from '../src/receive/clock-skew.ts'
import { event, listen, post, startReceiver } from './receive/receiver.ts'
import { keyOf } from './event-keys.ts'

/** Resolves with the next `count` settled attempts. */
function settledAttempts(t: Test, count: number): Promise<SettledMessage[]> {
  const { promise, resolve } = Promise.withResolvers<SettledMessage[]>()
  const seen: SettledMessage[] = []
  const note = (message: unknown): void => {
    seen.push(message as SettledMessage)
    if (seen.length === count) resolve(seen)
  }
  subscribe('riverhook:settled', note)
  t.teardown(() => unsubscribe('riverhook:settled', note))
  return promise
}

t.test('a signed POST reaches every handler for its type, once each', async (t) => {
  const receiver = await startReceiver(t)
  const seen: string[] = []
  const { riverhook } = receiver.app
  riverhook.on('order.accepted', (event, { idempotencyKey }) => {
    seen.push(`exact ${event.type} ${idempotencyKey}`)
  })
  riverhook.on('order.*', { name: 'prefix' }, (event) => {
    seen.push(`prefix ${event.type}`)
  })
  riverhook.on('*', { name: 'all' }, (event) => {
    seen.push(`all ${event.type}`)
  })
  riverhook.on('refund.failed', () => {
    seen.push('never')
  })
  const attempts = settledAttempts(t, 3)
  const { url, app } = await listen(receiver)
  await post(url, event({ id: 'e1' }))
  await post(url, event({ id: 'e1' }))
  t.same(
    (await attempts).map(({ event_id, state }) => [event_id, state]),
    [
      ['e1', 'done'],
      ['e1', 'done'],
      ['e1', 'done']
    ]
  )
  t.same(seen.sort(), [
    'all order.accepted',
    'exact order.accepted digital-river:e1:order.accepted',
    'prefix order.accepted'
  ])
  t.match((await app.riverhook.inbox.stats()).deliveries, { done: 3, pending: 0 })
})

t.test(
  'a failing handler is retried, a permanent error is a dead letter, other handlers are not affected',
  async (t) => {
    const told: string[] = []
    const receiver = await startReceiver(t, {
      retry: { base: 1, attempts: 3 },
      onError: (error, { handler, attempt, retryAt }) =>
        told.push(`${handler} ${attempt} ${String(error)} ${retryAt === undefined ? 'dead' : 'again'}`),
      onDead: (event, { handler }) => told.push(`dead ${handler} ${event.id}`)
    })
    const { riverhook } = receiver.app
    riverhook.on('*', { name: 'flaky' }, (_event, { attempt }) => {
      if (attempt < 2) throw new Error('not yet')
    })
    riverhook.on('*', { name: 'never' }, () => {
      throw new PermanentError('wrong currency')
    })
    riverhook.on('*', { name: 'fine' }, () => undefined)
    const attempts = settledAttempts(t, 4)
    const { url, app } = await listen(receiver)
    await post(url, event({ id: 'e1' }))
    await attempts
    await app.riverhook.drain()
    t.same(told.sort(), [
      'dead never e1',
      'flaky 1 Error: not yet again',
      'never 1 PermanentError: wrong currency dead'
    ])
    const { deliveries } = (await app.riverhook.inbox.event(keyOf('e1')))!
    t.same(
      deliveries.map(({ handler, state, attempts }) => [handler, state, attempts]),
      [
        ['flaky', 'done', 2],
        ['never', 'dead', 1],
        ['fine', 'done', 1]
      ]
    )
  }
)

t.test('an event without a handler is recorded, and replayed when one exists', async (t) => {
  const path = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const first = await listen(await startReceiver(t, { inbox: path }))
  t.equal((await post(first.url, event({ id: 'e1' }))).status, 202)
  await first.app.close()
  const second = await startReceiver(t, { inbox: path })
  second.app.riverhook.on('order.*', { name: 'late', orderBy: (event) => event.data.object['id'] }, () => undefined)
  const attempts = settledAttempts(t, 1)
  await second.app.ready()
  t.equal(await second.app.riverhook.replay({ type: 'order.*' }), 1)
  t.match((await attempts)[0], { handler: 'late', event_id: 'e1', state: 'done' })
  t.match((await second.app.riverhook.inbox.event(keyOf('e1')))!.deliveries, [{ handler: 'late', orderKey: 'o1' }])
  t.equal(await second.app.riverhook.replay({ type: 'order.*', state: 'dead' }), 0)
  t.equal(await second.app.riverhook.replay({ id: 'e1', handler: 'late' }), 0, 'a done delivery does not run again')
  t.equal(await second.app.riverhook.replay({ id: 'e1', handler: 'late', includeDone: true }), 1)
  await t.rejects(second.app.riverhook.replay({ state: "x' OR '1'='1" as 'dead' }), {
    code: 'RIVERHOOK_OPTIONS_INVALID'
  })
})

t.test('options are checked at the start, and the error names a wrong one', async (t) => {
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{}, 'RIVERHOOK_OPTIONS_NO_CREDENTIALS', /secrets/],
    [{ secrets: 'a', tolerence: 1 }, 'RIVERHOOK_OPTIONS_INVALID', /"tolerence" is unknown; did you mean "tolerance"/],
    [{ secrets: 'a', tolerance: '300' }, 'RIVERHOOK_OPTIONS_INVALID', /"tolerance"/],
    [{ secrets: 'a', tolerance: 0 }, 'RIVERHOOK_OPTIONS_INVALID', /"tolerance" must be at least 1ms/],
    [{ secrets: 'a', tolerance: NaN }, 'RIVERHOOK_OPTIONS_INVALID', /"tolerance"/],
    [{ secrets: 'a', ackTimeout: 3001 }, 'RIVERHOOK_OPTIONS_INVALID', /"ackTimeout" must be at most 3s/],
    [{ secrets: 'a', ackTimeout: '4s' }, 'RIVERHOOK_OPTIONS_INVALID', /"ackTimeout" must be at most 3s/],
    [{ secrets: [] }, 'RIVERHOOK_OPTIONS_INVALID', /"secrets"/],
    [{ secrets: '' }, 'RIVERHOOK_OPTIONS_INVALID', /"secrets"/],
    [{ secrets: ['  '] }, 'RIVERHOOK_SOURCE_SECRET', /number 1/],
    [{ secrets: 'a', basicAuth: { username: 'x' } }, 'RIVERHOOK_OPTIONS_INVALID', /"basicAuth"/],
    [{ secrets: 'a', path: 'hooks' }, 'RIVERHOOK_OPTIONS_INVALID', /"path"/],
    [
      { secrets: 'a', endpoints: [{ secrets: 'b' }] },
      'RIVERHOOK_OPTIONS_INVALID',
      /"secrets" belongs in an entry of "endpoints"/
    ],
    [{ endpoints: [] }, 'RIVERHOOK_OPTIONS_INVALID', /"endpoints"/],
    [
      {
        endpoints: [
          { path: '/a', secrets: 'a' },
          { path: '/a', secrets: 'b' }
        ]
      },
      'RIVERHOOK_OPTIONS_INVALID',
      /Two endpoints have the path \/a/
    ],
    [
      { endpoints: [{ path: '/a', secrets: 'a' }, { path: '/b' }] },
      'RIVERHOOK_OPTIONS_NO_CREDENTIALS',
      /endpoints\[1\]\.secrets/
    ],
    [
      { endpoints: [{ path: '/a', secrets: 'a', toleranse: 1 }] },
      'RIVERHOOK_OPTIONS_INVALID',
      /"endpoints\[0\]\.toleranse".*"tolerance"/
    ],
    [{ secrets: 'a', retry: { attempts: 0 } }, 'RIVERHOOK_OPTIONS_INVALID', /"retry\.attempts"/],
    [{ secrets: 'a', retry: { atempts: 1 } }, 'RIVERHOOK_OPTIONS_INVALID', /"retry\.atempts".*"attempts"/],
    [{ secrets: 'a', retention: '72h' }, 'RIVERHOOK_OPTIONS_INVALID', /"retention" must be at least 73h/],
    [{ secrets: 'a', grace: 'soon' }, 'RIVERHOOK_OPTIONS_INVALID', /"grace" must be a span of time/],
    [{ secrets: 'a', onDead: 'mail me' }, 'RIVERHOOK_OPTIONS_INVALID', /"onDead" must be a function/],
    [{ secrets: 'a', inbox: 'mysql://x' }, 'RIVERHOOK_INBOX_ADDRESS', /"mysql:\/\/x" is not an inbox/],
    [{ secrets: 'a', handlers: '/nowhere/handlers' }, 'RIVERHOOK_HANDLERS_LOAD', /\/nowhere\/handlers/]
  ]
  for (const [options, code, message] of cases) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(
      async () => {
        await app.register(riverhook, { inbox: 'memory:', ...options })
      },
      { code, message },
      JSON.stringify(options)
    )
  }
})

t.test(
  'checks that can never pass together, and an OAuth registration that the provider would refuse, stop the start',
  async (t) => {
    const basicAuth = { username: 'u', password: 'p' }
    const oauth = { tokenEndPoint: 'https://shop.example/token', clientID: 'c', clientSecret: 's' }
    const register = { address: 'https://shop.example/hook', apiKey: 'sk_test_1' }
    const cases: [object, RegExp][] = [
      [{ basicAuth, bearer: 't' }, /"basicAuth" and "bearer": a request has one Authorization header/],
      [{ basicAuth, register: { ...register, oauth } }, /"basicAuth" and "register\.oauth"/],
      [
        { bearer: 't', register: { ...register, oauth: { ...oauth, tokenEndPoint: '' } } },
        /Option "register\.oauth\.tokenEndPoint"/
      ],
      [
        { bearer: 't', register: { ...register, oauth: { ...oauth, audience: 'x' } } },
        /Option "register\.oauth\.audience" is unknown/
      ],
      [{ bearer: 't', register: { ...register, apiVersion: 'nonsense' } }, /Option "register\.apiVersion"/],
      [
        { bearer: 't', register: { ...register, address: 'shop.example' } },
        /Option "register\.address" must be an http or https URL/
      ]
    ]
    for (const [options, message] of cases) {
      const app = Fastify()
      t.teardown(() => app.close())
      await t.rejects(
        async () => {
          await app.register(riverhook, { inbox: 'memory:', ...options })
        },
        { code: 'RIVERHOOK_OPTIONS_INVALID', message }
      )
    }
  }
)

t.test('a handler registered after the start is refused, because the inbox does not have it', async (t) => {
  const { app } = await startReceiver(t)
  await app.ready()
  t.throws(
    () => {
      app.riverhook.on('*', () => undefined)
    },
    { code: 'RIVERHOOK_HANDLERS_LATE' }
  )
})

t.test('a second server on one file does not start, and closing frees it', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const first = await startReceiver(t, { inbox })
  await first.app.ready()
  const second = await startReceiver(t, { inbox })
  await t.rejects(
    async () => {
      await second.app.ready()
    },
    { code: 'RIVERHOOK_INBOX_IN_USE' }
  )
  await first.app.close()
  const third = await startReceiver(t, { inbox })
  await third.app.ready()
  t.match(await third.app.riverhook.health(), { ready: true, reasons: [] })
})

// Risk: an error of Fastify that names a decorator, and not what to do.
t.test('a second plugin in one scope is refused, with what to do', async (t) => {
  const { app } = await startReceiver(t)
  for (const scope of [app, undefined])
    await t.rejects(
      async () => {
        const register = async (target: FastifyInstance) => {
          await target.register(riverhook, { secrets: 'whk_b', inbox: 'memory:', path: '/other' })
        }
        if (scope === undefined) await app.register(register)
        else await register(scope)
      },
      { code: 'RIVERHOOK_OPTIONS_INVALID', message: /already registered here.*"endpoints".*its own inbox/ }
    )
})

t.test('closing lets a running handler finish, and hands back one that does not', async (t) => {
  const inbox = join(makeFolder(t), 'inbox.db')
  const receiver = await startReceiver(t, { inbox: `sqlite:${inbox}`, grace: 50 })
  const started = Promise.withResolvers<undefined>()
  let aborted = false
  let runs = 0
  receiver.app.riverhook.on('*', { name: 'quick' }, () => undefined)
  receiver.app.riverhook.on('*', { name: 'stuck' }, async (_event, { signal }) => {
    runs += 1
    started.resolve(undefined)
    await once(signal, 'abort')
    aborted = true
    throw new Error('given up')
  })
  const { url, app } = await listen(receiver)
  await post(url, event({ id: 'e1' }))
  await started.promise
  await app.close()
  t.ok(aborted)
  t.equal(runs, 1)
  const after = sqliteInbox({ path: inbox })
  await after.open()
  t.teardown(() => after.close())
  const { deliveries } = (await after.event(keyOf('e1')))!
  t.same(
    deliveries.map(({ handler, state, attempts }) => [handler, state, attempts]),
    [
      ['quick', 'done', 1],
      ['stuck', 'pending', 0]
    ]
  )
})

t.test('not ready while the inbox cannot write; an old backlog is a warning, or not ready if so set', async (t) => {
  const inbox = memoryInbox()
  let now = 0
  const lines: string[] = []
  const log = {
    warn: (_keys: unknown, text?: string) => lines.push(`warn ${text}`),
    info: (_keys: unknown, text?: string) => lines.push(`info ${text}`)
  } as unknown as Log
  const options = { inbox, maxBacklogAgeMs: 300_000, clock: () => (now += 1_000), log }
  const readiness = new Readiness(options)
  await inbox.open()
  const { probe } = inbox
  inbox.probe = () => Promise.reject(new Error('disk full'))
  t.same(await readiness.check(), { ready: false, reasons: ['the inbox cannot be written to'], detail: 'disk full' })
  inbox.probe = async () => ({ oldestDueAt: new Date(Date.now() - 600_000) })
  for (let times = 0; times < 2; times += 1)
    t.match(await readiness.check(), { ready: true, reasons: [], warnings: { backlog: /overdue by 600 s/ } })
  const strict = new Readiness({ ...options, needsNoBacklog: true, log: pino({ level: 'silent' }) })
  t.match(await strict.check(), {
    ready: false,
    reasons: [/overdue by 600 s/],
    warnings: { backlog: /overdue by 600 s/ }
  })
  inbox.probe = probe
  for (const each of [readiness, strict]) t.same(await each.check(), { ready: true, reasons: [] })
  t.same(lines, ['warn backlog: a delivery is overdue', 'info backlog: no delivery is overdue'], 'logged once each')
})

t.test('a disk that is nearly full and a wrong clock are warnings', async (t) => {
  const checked = (freeShare: number, skewMs: number) => {
    const clockSkew = new ClockSkew(() => 0)
    for (let count = 0; count < 5; count += 1) clockSkew.add(skewMs)
    const inbox = { probe: async () => ({ oldestDueAt: undefined, freeShare }) }
    return new Readiness({ inbox, clockSkew, maxBacklogAgeMs: 1, log: pino({ level: 'silent' }) }).check()
  }
  t.same(await checked(0.15, -60_000), { ready: true, reasons: [], freeShare: 0.15, clockSkewMs: -60_000 })
  t.match(await checked(0.149, 61_000), {
    ready: true,
    warnings: {
      disk: "14 % of the inbox's disk, or of its size limit, is free",
      clock: 'the clock of this machine is 61 s ahead of those of the senders'
    }
  })
  t.match(await checked(1, -61_000), { warnings: { clock: /61 s behind/ } })
})

t.test('the skew of the clock is the median of the last requests', async (t) => {
  let now = 0
  const skew = new ClockSkew(() => now)
  for (const ms of [1, 90_000, 3, 2]) skew.add(ms)
  t.equal(skew.medianMs, undefined, 'four requests say nothing')
  skew.add(4)
  t.equal(skew.medianMs, 3, 'one late request counts little')
  for (let count = 0; count < 51; count += 1) skew.add(7)
  t.equal(skew.medianMs, 7)
  now = 600_001
  t.equal(skew.medianMs, undefined, 'old ones say nothing about now')
})

t.test(
  'frequent readiness checks probe the inbox once a second, and a probe that hangs does not block them',
  async (t) => {
    let now = 0
    let probes = 0
    const hung = Promise.withResolvers<{ oldestDueAt: undefined }>()
    let probe = async (): Promise<{ oldestDueAt: undefined }> => ({ oldestDueAt: undefined })
    const readiness = new Readiness({
      inbox: {
        probe: () => {
          probes += 1
          return probe()
        }
      },
      maxBacklogAgeMs: 1,
      log: pino({ level: 'silent' }),
      clock: () => now,
      probeTimeoutMs: 5
    })
    const askers = Array.from({ length: 200 }, () => readiness.check())
    t.ok((await Promise.all(askers)).every(({ ready }) => ready))
    now = 999
    await readiness.check()
    t.equal(probes, 1)
    now = 1_000
    await readiness.check()
    t.equal(probes, 2)
    probe = () => hung.promise
    for (now of [5_000, 10_000, 20_000])
      t.match(await readiness.check(), { ready: false, detail: /no answer to a probe within 5 ms/ })
    t.equal(probes, 3, 'none is started while one hangs')
    hung.resolve({ oldestDueAt: undefined })
    probe = () => {
      throw new Error('thrown, not rejected')
    }
    // Its end is noticed within this turn of the event loop.
    await setImmediate()
    now = 30_000
    t.match(await readiness.check(), { ready: false, detail: 'thrown, not rejected' })
    // Queries through the plugin's own inbox.
    const inbox = memoryInbox()
    const { app } = await startReceiver(t, { inbox })
    await app.ready()
    probes = 0
    inbox.probe = async () => {
      probes += 1
      return { oldestDueAt: undefined }
    }
    await Promise.all(Array.from({ length: 50 }, () => app.riverhook.health()))
    t.equal(probes, 1)
  }
)

t.test(
  'drain with a delay: not ready, still recording, until the delay is over or drain is called again',
  async (t) => {
    const { url, app } = await listen(await startReceiver(t))
    await t.rejects(app.riverhook.drain({ delay: NaN }), RangeError)
    const drained = app.riverhook.drain({ delay: 3_600_000 })
    t.same(await app.riverhook.health(), { ready: false, reasons: ['shutting down'] })
    t.equal((await post(url, event())).status, 202)
    await app.riverhook.drain()
    await drained
    t.match(await post(url, event()), { status: 503, body: { code: 'RIVERHOOK_RECEIVE_DRAINING' } })
  }
)

t.test(
  "a handlers file that never finishes loading stops the start with its name, before Fastify's plugin time-out",
  async (t) => {
    const handlers = makeFolder(t, { 'stuck.mjs': 'await new Promise(() => undefined)\nexport default []\n' })
    const app = Fastify({ pluginTimeout: 1_000 })
    t.teardown(() => app.close())
    await t.rejects(
      async () => {
        await app.register(riverhook, { secrets: 'a', inbox: 'memory:', handlers })
      },
      { code: 'RIVERHOOK_HANDLERS_LOAD', message: /stuck\.mjs has not finished loading/ }
    )
  }
)

t.test("an inbox that is not opened in time stops the start with what to do, before Fastify's time-out", async (t) => {
  const inbox = memoryInbox()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  inbox.open = () => promise
  const app = Fastify({ pluginTimeout: 1_000 })
  await app.register(riverhook, { secrets: 'a', inbox })
  await t.rejects(
    async () => {
      await app.ready()
    },
    { code: 'RIVERHOOK_INBOX_UNAVAILABLE', message: /"pluginTimeout"/ }
  )
  resolve(undefined)
  await app.close()
})

t.test('the address selects the engine of the inbox, and a wrong one is refused', async (t) => {
  t.equal(openInbox('memory:').name, 'memory')
  t.equal(openInbox('sqlite:some/path.db').name, 'sqlite')
  t.throws(() => openInbox('memory:', { role: 'command' }), {
    code: 'RIVERHOOK_INBOX_ADDRESS',
    message: /only by the process/
  })
  t.throws(() => openInbox('sqlite:'), { code: 'RIVERHOOK_INBOX_ADDRESS' })
})
