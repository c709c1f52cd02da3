import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'

import { memoryInbox, riverhook, type RegistrationChange, type RiverhookOptions } from '../../src/index.ts'
import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { backfillGapMark, backfillMark } from '../../src/manage/backfill/watch.ts'
import { createDigitalRiver, whenSettled, type DigitalRiverSimulator } from '../../src/testing/index.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from '../inbox/arrivals.ts'
import { keyOf, realm } from '../event-keys.ts'

// Risk: a service that does not register, does not notice when events stop, or does not fetch missed events.

const path = '/webhooks/digital-river'
const secret = 'whk_keep'
const hour = 3_600_000

interface Host {
  readonly app: FastifyInstance
  readonly log: readonly Record<string, unknown>[]
  readonly handled: readonly string[]
}

async function start(t: Test, options: RiverhookOptions): Promise<Host> {
  const log: Record<string, unknown>[] = []
  const handled: string[] = []
  const app = Fastify({
    logger: {
      stream: {
        write: (line: string) => {
          log.push(JSON.parse(line) as Record<string, unknown>)
        }
      }
    }
  })
  await app.register(riverhook, { secrets: secret, inbox: 'memory:', ...options })
  app.riverhook.on('order.accepted', ({ id }) => {
    handled.push(id)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  return { app, log, handled }
}

/** The next matching message of a channel. */
function next(name: string, wanted: Readonly<Record<string, unknown>>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const look = (message: unknown): void => {
    const found = message as Record<string, unknown>
    if (Object.entries(wanted).every(([key, value]) => found[key] === value)) resolve(undefined)
  }
  subscribe(name, look)
  return promise.finally(() => unsubscribe(name, look))
}

function registerAt(
  { url, apiKey }: DigitalRiverSimulator,
  address: string
): NonNullable<RiverhookOptions['register']> {
  return { address, apiUrl: url, apiKey, every: 50 }
}

t.test('after the start it registers, and then logs how to get the secret', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const done = next('riverhook:registration', { result: 'created' })
  const { app, log } = await start(t, { register: registerAt(river, 'https://shop.example/one') })
  await done
  t.match(river.webhooks, [{ address: 'https://shop.example/one', types: ['order.accepted'] }])
  t.match(app.riverhook.registrations(), [
    { endpoint: path, state: 'in_sync', webhookId: river.webhooks[0]?.id, changes: 0, lastError: undefined }
  ])
  t.match(
    log.find(({ msg }) => String(msg).includes('dashboard')),
    { level: 40, msg: /Developers > Webhooks.*RIVERHOOK_SECRETS/ }
  )
  t.notMatch(JSON.stringify(log), new RegExp(river.apiKey), 'no log line has the key')
  t.match(
    log.find(({ msg }) => String(msg).includes('has the path /one')),
    { level: 40, endpoint: path, address: 'https://shop.example/one' }
  )
})

t.test('provider errors block nothing, and the call is retried', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  river.faults.next({ status: 401 }, 1)
  const failed = next('riverhook:registration', { result: 'failed' })
  const done = next('riverhook:registration', { result: 'created' })
  const { app, log } = await start(t, { register: registerAt(river, 'https://shop.example/two') })
  t.equal((await app.inject({ method: 'POST', url: path })).statusCode, 401, 'it serves')
  await failed
  t.match(app.riverhook.registrations(), [{ state: 'unknown', lastError: /401/ }])
  await done
  t.match(app.riverhook.registrations(), [{ state: 'in_sync', lastError: undefined }])
  t.match(
    log.find(({ msg }) => String(msg).includes('could not be checked; retrying')),
    { level: 40, endpoint: path }
  )
})

t.test('a webhook that is disabled, changed or deleted is reported, and left so without repair', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const changes: RegistrationChange[] = []
  const address = 'https://shop.example/three'
  const done = next('riverhook:registration', { result: 'created' })
  const { app, log } = await start(t, {
    register: registerAt(river, address),
    onRegistrationChange: (change) => {
      changes.push(change)
    }
  })
  await done
  const id = river.webhooks[0]?.id ?? ''
  const call = (method: string, body?: string) =>
    fetch(`${river.url}/webhooks/${id}`, {
      method,
      headers: { authorization: `Bearer ${river.apiKey}` },
      ...(body === undefined ? {} : { body })
    })
  let changed = next('riverhook:registration', { result: 'changed' })
  await call('PATCH', '{"enabled":false}')
  await changed
  t.match(changes.at(-1), {
    endpoint: path,
    address,
    webhookId: id,
    repaired: false,
    lines: [{ sign: '~', field: 'enabled', text: 'false -> true' }]
  })
  t.equal(river.webhooks[0]?.enabled, false)
  changed = next('riverhook:registration', { result: 'changed', webhook_id: undefined })
  await call('DELETE')
  await changed
  t.match(changes.at(-1), { webhookId: undefined, lines: [] })
  t.equal(river.webhooks.length, 0)
  t.match(app.riverhook.registrations()[0]?.state, 'changed')
  t.ok((app.riverhook.registrations()[0]?.changes ?? 0) >= 2)
  t.match(
    log.find(({ msg }) => msg === 'the webhook was deleted: no event is sent'),
    { level: 50, address }
  )
})

// Risk: the only way to restore a webhook is a restart.
t.test('syncRegistration plans, then restores the webhook, and the state says so at once', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const address = 'https://shop.example/sync'
  const done = next('riverhook:registration', { result: 'created' })
  const { app } = await start(t, { register: { ...registerAt(river, address), every: '1h' } })
  await done
  const id = river.webhooks[0]?.id ?? ''
  await fetch(`${river.url}/webhooks/${id}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${river.apiKey}` },
    body: '{"enabled":false}'
  })
  const lines = [{ sign: '~', field: 'enabled', text: 'false -> true' }]
  const planned = { address, result: undefined, webhookId: id, lines, unknown: [], twins: [] }
  t.same(await app.riverhook.syncRegistration(path, { dryRun: true }), planned)
  t.equal(river.webhooks[0]?.enabled, false, 'a plan changes nothing')
  t.same(await app.riverhook.syncRegistration(path), { ...planned, result: 'updated' })
  t.equal(river.webhooks[0]?.enabled, true)
  t.match(app.riverhook.registrations(), [{ state: 'in_sync', webhookId: id }])
  await t.rejects(app.riverhook.syncRegistration('/webhooks/digital-rivr'), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message:
      /no endpoint \/webhooks\/digital-rivr has the option "register"; did you mean "\/webhooks\/digital-river"\?$/
  })
})

t.test('syncRegistration before the start says what to wait for', async (t) => {
  const app = Fastify()
  await app.register(riverhook, { secrets: secret, inbox: 'memory:' })
  t.teardown(() => app.close())
  await t.rejects(app.riverhook.syncRegistration(path), { message: /call it once the server listens/ })
})

t.test('with repair it is restored', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const done = next('riverhook:registration', { result: 'created' })
  const changes: RegistrationChange[] = []
  // An onRegistrationChange that fails is logged and has no other effect.
  const onRegistrationChange = (change: RegistrationChange): never => {
    changes.push(change)
    throw new Error('the pager is down')
  }
  const { app, log } = await start(t, {
    register: { ...registerAt(river, 'https://shop.example/four'), repair: true },
    onRegistrationChange
  })
  await done
  const repaired = next('riverhook:registration', { result: 'updated' })
  await fetch(`${river.url}/webhooks/${river.webhooks[0]?.id ?? ''}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${river.apiKey}` },
    body: '{"enabled":false,"types":["sku.created"]}'
  })
  await repaired
  t.match(river.webhooks, [{ enabled: true }])
  t.same(
    river.webhooks[0]?.types,
    ['order.accepted', 'sku.created'],
    'an added type stays: another replica may want it'
  )
  t.match(changes, [{ repaired: true }])
  t.match(app.riverhook.registrations(), [{ state: 'in_sync', changes: 1 }])
  t.ok(log.some(({ msg }) => msg === 'onRegistrationChange failed'))
})

t.test(
  "a rollout: replicas with different handlers agree on one webhook, and do not undo each other's changes",
  async (t) => {
    const river = await createDigitalRiver()
    t.teardown(() => river.close())
    const register = { ...registerAt(river, 'https://shop.example/five'), repair: true }
    const replica = async (type: 'order.accepted' | 'refund.failed') => {
      const app = Fastify()
      await app.register(riverhook, { secrets: secret, inbox: 'memory:', register })
      app.riverhook.on(type, () => undefined)
      const done = next('riverhook:registration', { result: type === 'order.accepted' ? 'created' : 'updated' })
      await app.listen({ port: 0, host: '127.0.0.1' })
      t.teardown(() => app.close())
      await done
      return app
    }
    const old = await replica('order.accepted')
    const isRepaired = next('riverhook:registration', { result: 'changed' })
    const fresh = await replica('refund.failed')
    await isRepaired
    // From here on neither replica finds a difference, at any number of checks.
    const changes = () => river.calls.filter(({ method }) => method === 'PATCH').length
    while (river.webhooks[0]?.types.length !== 2) await next('riverhook:registration', {})
    const settled = changes()
    const looks = () => river.calls.filter(({ method }) => method === 'GET').length
    for (const until = looks() + 8; looks() < until; ) await setImmediate()
    t.equal(changes(), settled)
    t.same(river.webhooks[0].types, ['order.accepted', 'refund.failed'])
    for (const app of [old, fresh]) t.match(app.riverhook.registrations(), [{ state: 'in_sync' }])
  }
)

t.test('test and live mixed up causes a warning', async (t) => {
  const river = await createDigitalRiver({ liveMode: true })
  t.teardown(() => river.close())
  const done = next('riverhook:registration', { result: 'created' })
  const { log } = await start(t, { register: { ...registerAt(river, 'https://shop.example/five'), mode: 'test' } })
  await done
  t.ok(log.some(({ msg }) => /the API key is a live key, but the endpoint is for test events/.test(String(msg))))
  t.ok(log.some(({ msg }) => /the webhook sends live events, but the endpoint is for test events/.test(String(msg))))
})

t.test('an endpoint to register without a key does not start', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await t.rejects(
    async () =>
      app.register(riverhook, { secrets: secret, inbox: 'memory:', register: { address: 'https://shop.example/' } }),
    {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /DIGITAL_RIVER_API_KEY/
    }
  )
})

t.test('events sent while nothing ran are fetched and handled at the next start', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const backfill = { every: '1h', overlap: '1m', apiUrl: river.url, apiKey: river.apiKey }
  const before = river.list('order.accepted')
  const looked = next('riverhook:backfilled', { recovered: 1 })
  const first = await start(t, { inbox, backfill })
  await looked
  await whenSettled(first.app.riverhook.inbox, before.id, { deliveries: 1 })
  await first.app.close()

  const missed = river.list('order.accepted')
  river.list('sku.created')
  const recovered = next('riverhook:backfilled', { listed: 2, arrived: 1, recovered: 1 })
  const second = await start(t, { inbox, backfill })
  await recovered
  await whenSettled(second.app.riverhook.inbox, missed.id, { deliveries: 1 })
  t.same(second.handled, [missed.id], 'the missed event, once; no event without a handler')
  t.match(await second.app.riverhook.inbox.event(keyOf(missed.id)), { backfilled: true, endpoint: path })
  t.ok(
    second.log.some(({ msg, recovered: count }) => msg === 'events that had not arrived were fetched' && count === 1)
  )
})

t.test(
  'after an outage longer than the retention, all missed events are fetched, and no handled and purged ones',
  async (t) => {
    const river = await createDigitalRiver()
    t.teardown(() => river.close())
    const file = join(makeFolder(t), 'inbox.db')
    const at = (hours: number): Date => new Date(Date.now() - hours * hour)
    const handledBefore = river.list('order.accepted', { createdTime: at(76).toISOString() })
    const inbox = sqliteInbox({ path: file })
    await inbox.open()
    await inbox.record([arrival(handledBefore.id, [], { receivedAt: at(76), createdTime: at(76).toISOString() })])
    await inbox.advance(realm, backfillMark(path), at(75))
    await inbox.close()
    const missed = [74.9, 50, 1].map((hours) => river.list('order.accepted', { createdTime: at(hours).toISOString() }))
    const fetched = next('riverhook:backfilled', { recovered: 3 })
    const { app, handled } = await start(t, {
      inbox: `sqlite:${file}`,
      retention: '73h',
      backfill: { every: '1h', overlap: '2h', apiUrl: river.url, apiKey: river.apiKey }
    })
    await fetched
    for (const { id } of missed) await whenSettled(app.riverhook.inbox, id, { deliveries: 1 })
    t.same(
      handled,
      missed.map(({ id }) => id)
    )
  }
)

t.test('after a failed first backfill, the next one begins no later', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const inbox = memoryInbox()
  river.faults.next({ status: 401 }, 1, { path: '/events' })
  const options: RiverhookOptions = {
    inbox,
    backfill: { apiUrl: river.url, apiKey: river.apiKey, every: '1h', overlap: '1m' }
  }
  const { app, log } = await start(t, options)
  while (!log.some(({ msg }) => /the backfill failed/.test(String(msg)))) await setImmediate()
  const mark = await inbox.watermark(realm, backfillMark(path))
  t.ok(mark !== undefined && mark.getTime() <= Date.now(), 'kept, so that the next backfill begins there')
  await app.close()
})

t.test('a request that arrives after the backfill is a duplicate', async (t) => {
  const river = await createDigitalRiver({ secret })
  t.teardown(() => river.close())
  const { app, handled } = await start(t, {})
  const event = river.list('order.accepted')
  await app.close()
  const host = await start(t, { backfill: { apiUrl: river.url, apiKey: river.apiKey } })
  await next('riverhook:backfilled', { recovered: 1 })
  const { port } = host.app.server.address() as { port: number }
  river.addWebhook({ address: `http://127.0.0.1:${port}${path}`, types: ['order.accepted'] })
  await river.emit('order.accepted', event)
  await whenSettled(host.app.riverhook.inbox, event.id, { deliveries: 1 })
  t.match(river.attempts, [{ status: 202 }])
  t.same([...handled, ...host.handled], [event.id])
  t.match(await host.app.riverhook.inbox.event(keyOf(event.id)), { duplicates: 1, conflicts: 0 })
})

t.test('a window that was not read to its end is read again; a gap beyond the horizon is reported', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const file = join(makeFolder(t), 'inbox.db')
  const inbox = sqliteInbox({ path: file })
  await inbox.open()
  const monthsAgo = new Date(Date.now() - 60 * 24 * hour)
  await inbox.advance(realm, backfillMark(path), monthsAgo)
  await inbox.close()

  const old = river.list('order.accepted', { createdTime: new Date(Date.now() - 29 * 24 * hour).toISOString() })
  const recent = river.list('order.accepted', { createdTime: new Date(Date.now() - hour).toISOString() })
  // The second call of the list is refused, with a key error that is not retried.
  river.faults.next({ status: 403 }, 1, { path: '/events' })
  const host = await start(t, {
    inbox: `sqlite:${file}`,
    backfill: { every: 50, apiUrl: river.url, apiKey: river.apiKey }
  })
  await next('riverhook:backfilled', { recovered: 2 })
  t.match(
    host.log.find(({ msg }) => String(msg).includes('no longer lists')),
    { level: 50, gap: { since: new Date(monthsAgo.getTime() - hour).toISOString() } }
  )
  t.ok(host.log.some(({ msg }) => msg === 'the backfill failed; it will continue where it stopped'))
  for (const { id } of [old, recent]) await whenSettled(host.app.riverhook.inbox, id, { deliveries: 1 })
  t.same(host.handled, [old.id, recent.id], 'oldest first')
  const mark = await host.app.riverhook.inbox.watermark(realm, backfillMark(path))
  t.ok(mark !== undefined && Date.now() - mark.getTime() < hour)
  const gap = await host.app.riverhook.inbox.watermark(realm, backfillGapMark(path))
  t.ok(gap !== undefined && Date.now() - gap.getTime() < hour, 'the alarms see it')
})

t.test('backfill by hand: a window, or a dry run', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const { app, handled } = await start(t, { register: registerAt(river, 'https://shop.example/six') })
  const event = river.list('order.accepted', { createdTime: new Date(Date.now() - 1000).toISOString() })
  const since = new Date(Date.now() - hour)
  t.match(await app.riverhook.backfill({ since, dryRun: true }), { listed: 1, recovered: 1 })
  t.equal(await app.riverhook.inbox.event(keyOf(event.id)), undefined)
  t.match(await app.riverhook.backfill({ since }), { listed: 1, recovered: 1 })
  await whenSettled(app.riverhook.inbox, event.id, { deliveries: 1 })
  t.same(handled, [event.id])
  t.match(await app.riverhook.backfill({ since }), { listed: 1, arrived: 1, recovered: 0 })
  await t.rejects(app.riverhook.backfill({ since, endpoint: '/nowhere' }), /no endpoint \/nowhere/)
})

t.test('closing does not wait for a provider that does not answer', async (t) => {
  const bothHang = Promise.withResolvers<undefined>()
  let calls = 0
  const river = await createDigitalRiver({
    onCall: () => {
      if (++calls === 2) bothHang.resolve(undefined)
    }
  })
  t.teardown(() => river.close())
  river.faults.next('hang', 100)
  const { app } = await start(t, {
    register: registerAt(river, 'https://shop.example/seven'),
    backfill: { apiUrl: river.url, apiKey: river.apiKey }
  })
  await bothHang.promise
  // With all retries, each to its time limit, this would take minutes.
  await app.close()
  t.equal(calls, 2, 'nothing was retried')
})
