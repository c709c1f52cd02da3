import { join } from 'node:path'
import t, { type Test } from 'tap'

import {
  copyInbox,
  createRiverhook,
  digitalRiver,
  memoryInbox,
  postgresInbox,
  sqliteInbox,
  type Inbox,
  type ReceiveAnswer,
  type Riverhook
} from '../../src/index.ts'
import { whenSettled } from '../../src/testing/index.ts'
import { cliHere } from '../cli/rig.ts'
import { makeFolder } from '../folder.ts'
import { patient } from '../inbox/limits.ts'
import { startPostgres } from '../inbox/postgres-server.ts'
import { courier, type ListedParcel } from './courier.ts'

// Risk: every event of a provider whose id is a header, and events of one provider passed to another with the same ids.

const riverSecret = 'whk_0123456789abcdef'
const courierSecret = 'courier-0123456789abcdef'

/** A store that can be opened again after it was closed. */
interface Store {
  readonly open: () => Inbox
  /** Undefined: the store is lost when it is closed. */
  readonly reopen: (() => Inbox) | undefined
}

const stores: Readonly<Record<string, (t: Test) => Promise<Store>>> = {
  memory: async () => ({ open: memoryInbox, reopen: undefined }),
  sqlite: async (t) => {
    const path = join(makeFolder(t), 'inbox.db')
    return { open: () => sqliteInbox({ path }), reopen: () => sqliteInbox({ path }) }
  },
  postgres: async (t) => {
    const server = await startPostgres()
    t.teardown(() => server.stop())
    const connectionString = await server.createDatabase(t)
    const open = () => postgresInbox({ connectionString, maxConnections: 4, ...patient })
    return { open, reopen: open }
  }
}

/** The calls of the handlers, in order: handler, id, and a part of the payload that distinguishes events. */
type Seen = (readonly [handler: string, id: string, what: unknown])[]

function start(inbox: Inbox, listed: () => readonly ListedParcel[] = () => []): { riverhook: Riverhook; seen: Seen } {
  const post = courier(listed)
  const seen: Seen = []
  const quiet = () => undefined
  const log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet, fatal: quiet, child: () => log }
  const riverhook = createRiverhook({
    inbox,
    log: log as never,
    retry: { attempts: 1 },
    endpoints: [
      { path: '/river', secrets: riverSecret },
      { path: '/courier', source: post, secrets: courierSecret, validate: 'reject', backfill: { apiKey: 'none' } }
    ]
  })
  riverhook.on('order.accepted', { name: 'river' }, ({ id, data }) => {
    seen.push(['river', id, data.object.id])
  })
  const own = riverhook.from(post)
  own.on('order.accepted', { name: 'courier-orders' }, ({ id, payload }) => {
    seen.push(['courier-orders', id, payload.order])
  })
  for (const type of ['parcel/sent', 'parcel/delivered'] as const) {
    own.on(type, { name: type, orderBy: ({ payload }) => payload.parcel }, ({ id, payload }) => {
      seen.push([type, id, payload.parcel])
    })
  }
  return { riverhook, seen }
}

function toRiver(riverhook: Riverhook, id: string, order: string): Promise<ReceiveAnswer> {
  const event = {
    id,
    type: 'order.accepted',
    data: { object: { id: order } },
    liveMode: false,
    createdTime: '2026-01-01T00:00:00Z'
  }
  const body = Buffer.from(JSON.stringify(event))
  const headers = digitalRiver().sign({ body, secret: riverSecret, at: new Date() })
  return riverhook.receive({ method: 'POST', url: '/river', headers: lowered(headers), body })
}

function toCourier(riverhook: Riverhook, id: string, type: string, payload: unknown): Promise<ReceiveAnswer> {
  const body = Buffer.from(JSON.stringify(payload))
  const headers = courier().sign({ body, secret: courierSecret, at: new Date(), id, type })
  return riverhook.receive({ method: 'POST', url: '/courier', headers: lowered(headers), body })
}

function lowered(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

for (const [engine, makeStore] of Object.entries(stores)) {
  t.test(`${engine}: two providers in one receiver and one inbox, with equal ids and types`, async (t) => {
    const { open, reopen } = await makeStore(t)
    const inbox = open()
    const listed: ListedParcel[] = []
    const { riverhook, seen } = start(inbox, () => listed)
    await riverhook.start()
    let isStopped = false
    const stop = async (): Promise<void> => {
      if (!isStopped) await riverhook.stop()
      isStopped = true
    }
    t.teardown(stop)
    const settled = (id: string, deliveries: number) => whenSettled(inbox, id, { deliveries })
    const take = (): Seen => seen.splice(0).sort()

    await t.test('accepted and delivered, each to its own handlers', async (t) => {
      t.match(JSON.parse((await toRiver(riverhook, 'e1', 'o1')).body), { id: 'e1', status: 'accepted' })
      t.match(await toCourier(riverhook, 'e1', 'order.accepted', { order: 'c1' }), { status: 200, body: 'e1 accepted' })
      t.match(await settled('e1', 2), [{ state: 'done' }, { state: 'done' }])
      t.same(take(), [
        ['courier-orders', 'e1', 'c1'],
        ['river', 'e1', 'o1']
      ])
      t.match(await toCourier(riverhook, 'e1', 'order.accepted', { order: 'c1' }), { body: 'e1 duplicate' })
      t.match(
        await toCourier(riverhook, 'p1, p2', 'parcel/sent, parcel/delivered', [{ parcel: 'a' }, { parcel: 'b' }]),
        {
          status: 200,
          body: 'p1 accepted\np2 accepted'
        }
      )
      await settled('p1', 1)
      await settled('p2', 1)
      t.same(take(), [
        ['parcel/delivered', 'p2', 'b'],
        ['parcel/sent', 'p1', 'a']
      ])
      t.match(await inbox.event({ realm: 'courier', id: 'p1' }), {
        source: 'courier',
        endpoint: '/courier',
        headers: { 'x-courier-id': 'p1', 'x-courier-type': 'parcel/sent' },
        liveMode: undefined,
        createdTime: undefined
      })
    })

    await t.test('replayed, of one provider only', async (t) => {
      t.equal(await riverhook.replay({ id: 'e1', source: 'courier', includeDone: true }), 1)
      await settled('e1', 2)
      t.same(take(), [['courier-orders', 'e1', 'c1']])
    })

    await t.test('quarantined, and retried from quarantine', async (t) => {
      const { status, body } = await toCourier(riverhook, 'q1', 'parcel/sent', { weight: 1, parcel: 7 })
      t.equal(status, 400)
      t.match(body, /payload\.parcel \(type\)/, 'the path belongs to the source')
      const { events } = await inbox.events({ state: 'quarantined', limit: 10 })
      t.match(events, [{ realm: 'courier', source: 'courier' }])
      t.equal(await riverhook.retryQuarantined(events[0]!.id), 'accepted')
      await settled('q1', 1)
      t.same(take(), [['parcel/sent', 'q1', 7]])
    })

    await t.test('backfilled', async (t) => {
      const at = new Date(Date.now() - 60_000).toISOString()
      listed.push({ id: 'p1', type: 'parcel/sent', at, payload: { parcel: 'a' } })
      listed.push({ id: 'b1', type: 'parcel/sent', at, payload: { parcel: 'missed' } })
      const report = await riverhook.backfill({ since: new Date(Date.now() - 3_600_000), endpoint: '/courier' })
      t.match(report, { listed: 2, arrived: 1, recovered: 1, quarantined: 0 })
      await settled('b1', 1)
      t.same(take(), [['parcel/sent', 'b1', 'missed']])
    })

    await t.test('copied to another inbox, and delivered from there', async (t) => {
      if (reopen !== undefined) await stop()
      const from = reopen?.() ?? inbox
      if (reopen !== undefined) {
        await from.open()
        t.teardown(() => from.close())
      }
      const to = memoryInbox()
      await to.open()
      t.match(await copyInbox({ from, to }), { seen: 6, copied: 6 })
      const next = start(to)
      await next.riverhook.start()
      t.teardown(() => next.riverhook.stop())
      t.equal(await next.riverhook.replay({ includeDone: true }), 6)
      for (const [id, deliveries] of [
        ['e1', 2],
        ['p1', 1],
        ['p2', 1],
        ['q1', 1],
        ['b1', 1]
      ] as const)
        await whenSettled(to, id, { deliveries })
      t.same(next.seen.sort(), [
        ['courier-orders', 'e1', 'c1'],
        ['parcel/delivered', 'p2', 'b'],
        ['parcel/sent', 'b1', 'missed'],
        ['parcel/sent', 'p1', 'a'],
        ['parcel/sent', 'q1', 7],
        ['river', 'e1', 'o1']
      ])
    })
  })
}

// Risk: an event that is read by the rules of a provider that did not send it.
t.test('a command reads no event of a source that it does not have', async (t) => {
  const address = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const { riverhook } = start(sqliteInbox({ path: address.slice('sqlite:'.length) }))
  await riverhook.start()
  const event = JSON.stringify({
    id: 'e1',
    type: 'order.accepted',
    data: { object: {} },
    liveMode: false,
    createdTime: '2026-01-01T00:00:00Z'
  })
  t.equal((await toCourier(riverhook, 'q1', 'parcel/sent', JSON.parse(event))).status, 400)
  const { events } = await riverhook.inbox.events({ state: 'quarantined', limit: 1 })
  await riverhook.stop()
  const { code, stdout } = await cliHere(['events', 'replay', events[0]!.id, '--inbox', address, '--yes'])
  t.equal(code, 1)
  t.match(stdout, /still cannot be read as an event: It came by the source courier, .*retryQuarantined\(\)/)
})

t.test('wrong sources stop the start', async (t) => {
  const endpoint = { path: '/courier', source: courier(), secrets: courierSecret }
  t.throws(
    () =>
      createRiverhook({ inbox: 'memory:', endpoints: [endpoint, { ...endpoint, path: '/other', source: courier() }] }),
    { code: 'RIVERHOOK_OPTIONS_INVALID', message: /different sources that are both named courier/ }
  )
  t.throws(
    () =>
      createRiverhook({
        inbox: 'memory:',
        endpoints: [endpoint, { path: '/river', secrets: riverSecret, realm: 'courier' }]
      }),
    { code: 'RIVERHOOK_OPTIONS_INVALID', message: /courier/ }
  )
  t.throws(() => createRiverhook({ inbox: 'memory:', endpoints: [{ ...endpoint, source: {} as never }] }), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /endpoints\[0\]\.source/
  })
  const lost = createRiverhook({ inbox: 'memory:', endpoints: [endpoint] })
  lost.on('order.accepted', () => undefined)
  await t.rejects(lost.start(), {
    code: 'RIVERHOOK_HANDLERS_UNKNOWN_SOURCE',
    message:
      /Handler "order.accepted" is for the source digital-river, which no endpoint has.*The endpoints have: courier/
  })
  const misspelt = createRiverhook({ inbox: 'memory:', endpoints: [endpoint] })
  misspelt.from(endpoint.source).on('parcel/snet' as 'parcel/sent', () => undefined)
  await t.rejects(misspelt.start(), { code: 'RIVERHOOK_HANDLERS_UNKNOWN_TYPE', message: /did you mean "parcel\/sent"/ })
  // One source for two endpoints, of two realms.
  const both = createRiverhook({
    inbox: 'memory:',
    endpoints: [
      { ...endpoint, mode: 'live' },
      { ...endpoint, path: '/test', mode: 'test' }
    ]
  })
  await both.start()
  await both.stop()
})
