import t from 'tap'

import { memoryInbox, openInbox, type Event, type EventKey, type Inbox } from '../../src/index.ts'
import { retryAllQuarantined } from '../../src/inbox/replay.ts'
import { Registry } from '../../src/handlers/registry.ts'
import { quarantineIdOf } from '../../src/model/event.ts'
import { digitalRiver } from '../../src/source/digital-river/index.ts'
import { createDigitalRiver, createTestReceiver } from '../../src/testing/index.ts'
import { cliHere } from '../cli/rig.ts'
import { makeFolder } from '../folder.ts'
import { event, post, signatureHeaders, startReceiver } from './receiver.ts'
import { keyOf, realm } from '../event-keys.ts'

// Risk: live orders, exposed to anyone who has the secret of the test webhook.

const endpoints = [
  { path: '/live', secrets: 'whk_live', mode: 'live' },
  { path: '/test', secrets: 'whk_test', mode: 'test' }
] as const
const read = ({ body }: { readonly body: Uint8Array }) => digitalRiver().read({ headers: {}, body })
/** Retries in a process that has only the source. */
const retried = async (inbox: Inbox, key: EventKey) => {
  const [only] = await Array.fromAsync(retryAllQuarantined(inbox, [key], { read, deliveriesOf: () => [] }))
  return only?.result
}

t.test('an event of the other mode is refused and quarantined, from any origin and after any retry', async (t) => {
  const address = `sqlite:${makeFolder(t)}/inbox.db`
  const river = await createDigitalRiver({ liveMode: true })
  t.teardown(() => river.close())
  const { app, lines } = await startReceiver(t, {
    inbox: address,
    endpoints: [endpoints[0], { ...endpoints[1], backfill: { apiKey: river.apiKey, apiUrl: river.url } }]
  })
  const handled: string[] = []
  app.riverhook.on('*', { name: 'all' }, ({ id }) => {
    handled.push(id)
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const { inbox } = app.riverhook
  const send = async (path: string, body: Buffer) =>
    post(url + path, body, signatureHeaders(body, `whk_${path.slice(1)}`))
  const forged = event({ id: 'forged', liveMode: true })
  t.match(await send('/test', forged), {
    status: 400,
    body: { code: 'RIVERHOOK_RECEIVE_WRONG_MODE', message: /"liveMode" must be false/ }
  })
  const id = quarantineIdOf({ realm: 'digital-river:test', endpoint: '/test', headers: {}, body: forged })
  t.match(lines.at(-1)!['reason'], `this endpoint is for test events; kept as ${id}`)
  t.match(await send('/live', event({ id: 'mixed up' })), {
    status: 400,
    body: { message: /"liveMode" must be true/ }
  })
  t.same(await app.riverhook.retryQuarantined(id), {
    stillInvalid: 'The Event\'s field "liveMode" must be false: this endpoint is for test events'
  })
  t.match(
    await retried(inbox, { realm: 'digital-river:test', id }),
    { stillInvalid: /must be false/ },
    'a process that does not have the endpoint'
  )
  const listed = river.list('order.accepted', { createdTime: new Date(Date.now() - 60_000).toISOString() })
  const report = await app.riverhook.backfill({ since: new Date(Date.now() - 3_600_000), endpoint: '/test' })
  t.match(report, { listed: 1, recovered: 0 })
  t.equal(report.quarantined + report.arrived, 1, "quarantined by this backfill, or by the server's first one")
  const { events } = await inbox.events({ state: 'quarantined', limit: 10 })
  t.same(
    events.map(({ endpoint }) => endpoint),
    ['/test', '/live', '/test']
  )
  t.match(await retried(inbox, events[0]!), { stillInvalid: /must be false/ })
  const replayed = await cliHere(['events', 'replay', '--state', 'quarantined', '--yes'], {
    RIVERHOOK_INBOX: address
  })
  t.equal(replayed.stdout.match(/still cannot be read as an event: .*"liveMode" must be/g)?.length, 3, replayed.stdout)
  t.equal((await send('/live', event({ id: 'real', liveMode: true }))).status, 202)
  t.same(
    [await inbox.event(keyOf('forged')), await inbox.event(keyOf('mixed up')), await inbox.event(keyOf(listed.id))],
    [undefined, undefined, undefined]
  )
})

t.test(
  'the mode comes from the registration or the endpoint; a conflict stops the start; several endpoints without one cause a warning',
  async (t) => {
    const register = { address: 'https://shop.example/hook', apiKey: 'sk_test_1', mode: 'test' } as const
    const { app } = await startReceiver(t, { register })
    const inject = async (liveMode: boolean) => {
      const payload = event({ liveMode })
      return (
        await app.inject({
          method: 'POST',
          url: '/webhooks/digital-river',
          payload,
          headers: { 'content-type': 'application/json', ...signatureHeaders(payload) }
        })
      ).statusCode
    }
    t.same([await inject(true), await inject(false)], [400, 202])
    await t.rejects(startReceiver(t, { register, mode: 'live' }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /"mode" is live and "register\.mode" is test/
    })
    await t.rejects(startReceiver(t, { mode: 'prod' as never }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /"mode"/
    })
    const live = await createTestReceiver({ handlers: () => undefined, mode: 'live' })
    t.teardown(() => live.close())
    t.equal(
      (await live.send({ type: 'order.accepted' })).status,
      202,
      "the test kit sends events of the endpoint's mode"
    )
    const several = await startReceiver(t, { endpoints: [endpoints[0], { path: '/test', secrets: 'whk_test' }] })
    await several.app.ready()
    t.same(
      several.lines.filter(({ msg }) => msg.includes('`mode`')).map(({ endpoint }) => endpoint),
      ['/test']
    )
  }
)

t.test('no event replaces a quarantined request, and no request of another endpoint does', async (t) => {
  const { app, lines } = await startReceiver(t, { endpoints: [...endpoints] })
  await app.ready()
  const { inbox } = app.riverhook
  const send = async (path: string, payload: Buffer) =>
    (
      await app.inject({
        method: 'POST',
        url: path,
        payload,
        headers: { 'content-type': 'application/json', ...signatureHeaders(payload, `whk_${path.slice(1)}`) }
      })
    ).json<Record<string, unknown>>()
  const bad = event({ id: 'o1', liveMode: true, createdTime: 'not a time' })
  const id = quarantineIdOf({ realm, endpoint: '/live', headers: {}, body: bad })
  t.match(await send('/test', event({ id })), {
    code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE',
    message: /must not have the form of the id of a quarantined request/
  })
  await send('/test', bad)
  await send('/live', bad)
  t.match(lines.at(-1)!['reason'], `kept as ${id}`)
  t.match(await inbox.event(keyOf(id)), { state: 'quarantined', endpoint: '/live', body: bad, duplicates: 0 })
  inbox.record = async (arrivals) => arrivals.map(() => 'conflict')
  await send('/live', bad)
  t.match(lines.at(-1)!['reason'], /; not kept, as another request has the id quarantine_/)
})

t.test(
  'a quarantined event whose id was used meanwhile stays in quarantine: its bytes exist nowhere else',
  async (t) => {
    for (const address of ['memory:', `sqlite:${makeFolder(t)}/inbox.db`]) {
      const inbox = address === 'memory:' ? memoryInbox() : openInbox(address)
      await inbox.open()
      t.teardown(() => inbox.close())
      const body = event({ id: 'e1' })
      const id = quarantineIdOf({ realm, endpoint: '/hook', headers: {}, body })
      const common = {
        realm,
        source: 'digital-river',
        headers: {},
        endpoint: '/hook',
        receivedAt: new Date(),
        receipt: { judgedAt: '', checks: [] }
      }
      await inbox.record([
        { ...common, state: 'quarantined', id, body, reason: 'x' },
        {
          ...common,
          state: 'accepted',
          id: 'e1',
          type: 'a',
          liveMode: false,
          createdTime: '',
          body: Buffer.from('other'),
          deliveries: []
        }
      ])
      t.equal(await retried(inbox, keyOf(id)), 'conflict')
      t.match(await inbox.event(keyOf(id)), { state: 'quarantined', body })
    }
  }
)

// Risk: an order with a key longer than an index allows, or two orders in one line.
t.test(
  'an order key is stored unchanged, or as its digest if a database could not store it or keep it distinct',
  async (t) => {
    const registry = new Registry()
    registry.on(
      '*',
      { name: 'ordered', orderBy: (each) => ((each as Event).data.object as { key: unknown }).key },
      () => undefined
    )
    const keyOf = (key: unknown) => registry.all[0]!.orderBy!({ data: { object: { key } } } as never)
    t.same([keyOf('o1'), keyOf(7), keyOf(''), keyOf('x'.repeat(256))], ['o1', '7', undefined, 'x'.repeat(256)])
    const strange = ['x'.repeat(257), 'x'.repeat(1e6), '\ud800', '\ud801', 'a\0b', 'a\0c'].map((key) => keyOf(key))
    t.equal(new Set(strange).size, strange.length)
    for (const key of strange) t.match(key, /^sha256 [0-9a-f]{64}$/)
    t.throws(
      () => {
        registry.on('*', { name: 'half \ud800' }, () => undefined)
      },
      { code: 'RIVERHOOK_OPTIONS_INVALID' }
    )
  }
)
