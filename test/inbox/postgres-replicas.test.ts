import { setImmediate } from 'node:timers/promises'
import t from 'tap'

import { openInbox, postgresInbox, type Inbox } from '../../src/index.ts'
import { Connections, ownPool } from '../../src/inbox/postgres/connections.ts'
import { Database } from '../../src/inbox/postgres/database.ts'
import { Presence } from '../../src/inbox/postgres/presence.ts'
import { migrationText } from '../../src/inbox/postgres/migration-text.ts'
import type { ClaimedDelivery } from '../../src/inbox/inbox.ts'
import { arrival } from './arrivals.ts'
import { settleAll } from './contract.ts'
import { patient, patientConnections } from './limits.ts'
import { openReplicas } from './open-postgres.ts'
import { run, startPostgres } from './postgres-server.ts'
import { until } from './until.ts'
import { keyOf, source } from '../event-keys.ts'

// Risk with two replicas: an event handled by both at once, an order that holds on one machine only, a start that fails
// because another replica starts.

const server = await startPostgres()
t.teardown(() => server.stop())

const handlers = (...names: string[]) => names.map((name) => ({ name, source, pattern: '*' }))

t.test('replicas that start together create the schema once', async (t) => {
  const url = await server.createDatabase(t)
  const inboxes = await openReplicas(t, url, 4)
  await Promise.all(inboxes.map((inbox) => inbox.adopt(handlers('ship'))))
  t.same(await inboxes[0]!.record([arrival('e1', ['ship'])]), ['accepted'])
  t.same(await inboxes[3]!.record([arrival('e1', ['ship'])]), ['duplicate'])
  t.same(await run(url, 'SELECT version FROM riverhook.migration'), [{ version: 1 }])
})

t.test('the SQL printed for a DBA creates the same schema, under another name too', async (t) => {
  const url = await server.createDatabase(t)
  await run(url, migrationText('shop_hooks'))
  const printed = postgresInbox({ connectionString: url, schema: 'shop_hooks', role: 'command' })
  await printed.open()
  t.teardown(() => printed.close())
  t.same(await printed.record([arrival('e1', ['ship'])]), ['accepted'])
  const own = postgresInbox({ connectionString: url, ...patient })
  await own.open()
  t.teardown(() => own.close())
  const columns = (schema: string) =>
    run(
      url,
      `SELECT table_name, column_name, data_type, is_nullable, column_default IS NULL AS plain FROM information_schema.columns WHERE table_schema = '${schema}' ORDER BY 1, 2`
    )
  t.same(await columns('shop_hooks'), await columns('riverhook'))
  t.equal(await own.event(keyOf('e1')), undefined, 'two inboxes in one database are two')
})

// Risk: a server that starts on tables that its statements do not fit, and fails at some of them later.
t.test('a schema that another build made is reported at the start', async (t) => {
  const url = await server.createDatabase(t)
  await openReplicas(t, url, 1)
  for (const change of [
    "UPDATE riverhook.migration SET fingerprint = 'a'",
    'ALTER TABLE riverhook.migration DROP COLUMN fingerprint'
  ]) {
    await run(url, change)
    for (const role of ['server', 'command'] as const)
      await t.rejects(openInbox(url, { role }).open(), {
        code: 'RIVERHOOK_INBOX_VERSION',
        message: /"riverhook" was made by another build of Riverhook.*DROP SCHEMA "riverhook" CASCADE/
      })
  }
})

t.test('a schema of a newer version, no schema, and a wrong name are reported', async (t) => {
  const url = await server.createDatabase(t)
  await t.rejects(openInbox(url, { role: 'command' }).open(), {
    code: 'RIVERHOOK_INBOX_VERSION',
    message: /no inbox in the schema "riverhook".*riverhook inbox migrate/
  })
  await openReplicas(t, url, 1)
  await run(url, "INSERT INTO riverhook.migration (version, fingerprint) VALUES (99, 'a')")
  for (const role of ['server', 'command'] as const)
    await t.rejects(openInbox(url, { role }).open(), { code: 'RIVERHOOK_INBOX_VERSION', message: /99/ })
  t.throws(() => openInbox(`${url}?schema=Robert"; DROP`), { code: 'RIVERHOOK_INBOX_ADDRESS' })
  t.throws(() => openInbox('postgres://user:s3cret@['), { code: 'RIVERHOOK_INBOX_ADDRESS', message: /^(?!.*s3cret)/ })
  t.throws(() => openInbox('postgress://user:s3cret@host/db'), {
    code: 'RIVERHOOK_INBOX_ADDRESS',
    message: /^(?!.*s3cret)/
  })
})

t.test('a row that was deleted by hand blocks nothing: an event, that of a suspect, a delivery', async (t) => {
  const url = await server.createDatabase(t)
  const [inbox] = (await openReplicas(t, url, 1)) as [Inbox]
  await inbox.adopt(handlers('ship'))
  const names = ['event', 'suspect', 'delivery']
  await inbox.record(
    names.flatMap((name) => [name, `behind ${name}`].map((id) => arrival(id, [{ handler: 'ship', orderKey: name }])))
  )
  const claim = async (): Promise<readonly ClaimedDelivery[]> =>
    (
      await inbox.claim({
        owner: 'me',
        leaseMs: 30_000,
        wants: [{ handler: 'ship', source: 'digital-river', limit: 9 }],
        limit: 9
      })
    ).deliveries
  const held = await claim()
  const lost = { state: 'lost', dueAt: new Date(), error: 'died', counts: false, releaseKey: false } as const
  await settleAll(
    inbox,
    held.filter(({ event }) => event.id === 'suspect'),
    lost
  )
  await settleAll(
    inbox,
    held.filter(({ event }) => event.id !== 'suspect'),
    { state: 'released' }
  )
  const pool = ownPool(url, { max: 2, ...patientConnections })
  const connections = new Connections({ pool, isOwn: true, ...patientConnections })
  const { promise: beaten, resolve } = Promise.withResolvers<undefined>()
  let beats = 0
  const presence = new Presence({
    database: new Database(connections, 'riverhook'),
    replica: { instance: 'another', owner: 'another' },
    times: () => ({ now: Date.now(), fixed: undefined }),
    onDue: () => undefined,
    onBeat: () => {
      if (++beats === 10) resolve(undefined)
    },
    beatMs: 20
  })
  await presence.adopt(handlers('ship'))
  await run(
    url,
    "DELETE FROM riverhook.delivery WHERE event_seq = (SELECT seq FROM riverhook.event WHERE id = 'delivery'); DELETE FROM riverhook.event WHERE id IN ('event', 'suspect')"
  )
  await beaten
  await presence.end()
  await connections.end()
  const given = [...(await claim()), ...(await claim())].map(({ event }) => event.id).sort()
  t.same(given, ['behind delivery', 'behind event', 'behind suspect'])
  t.match(await inbox.stats(), { deliveries: { pending: 0, waiting: 0, running: 3 } })
})

t.test('a burst of duplicates to both: one record and one delivery each, and every duplicate is counted', async (t) => {
  const [one, two] = (await openReplicas(t, await server.createDatabase(t), 2)) as [Inbox, Inbox]
  const ids = Array.from({ length: 100 }, (_, index) => `e${index}`)
  const batches = Array.from({ length: 50 }, (_, round) => {
    const shuffled = ids
      .map((id) => ({ id, turn: (Number(id.slice(1)) * (round * 2 + 1)) % 100 }))
      .sort((a, b) => a.turn - b.turn)
    const keyed = (id: string) => ({ handler: 'ship', orderKey: `k${Number(id.slice(1)) % 7}` })
    return shuffled.map(({ id }) => arrival(id, [keyed(id), 'mail']))
  })
  const results: unknown[] = []
  // As many at once as there are connections: a call that waits for one longer than 2 s fails.
  const send = async (inbox: Inbox): Promise<void> => {
    for (let batch = batches.pop(); batch !== undefined; batch = batches.pop())
      results.push(...(await inbox.record(batch)))
  }
  await Promise.all([one, two, one, two, one, two, one, two].map(send))
  t.equal(results.filter((result) => result === 'accepted').length, 100)
  t.equal(results.filter((result) => result === 'duplicate').length, 4900)
  const stats = await one.stats()
  t.match(stats, { events: 100, duplicates: 4900, conflicts: 0 })
  t.match(stats.byHandler, [
    { handler: 'mail', pending: 100 },
    { handler: 'ship', pending: 7, waiting: 93 }
  ])
})

for (const isolation of ['read committed', 'serializable'])
  t.test(
    `replicas that claim at once never get the same delivery, and keep the order of a key, where ${isolation} is the default`,
    async (t) => {
      const url = await server.createDatabase(t)
      await run(
        url,
        `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_isolation = '${isolation}'`
      )
      const inboxes = await openReplicas(t, url, 3)
      const [first] = inboxes as [Inbox]
      const events = 240
      // Recorded while it is claimed, when the key is free and busy in turn.
      const recording = (async () => {
        for (let start = 0; start < events; start += 8) {
          const batch = Array.from({ length: 8 }, (_, index) => start + index)
          await inboxes[(start / 8) % 3]!.record(
            batch.map((number) => arrival(`e${number}`, [{ handler: 'ship', orderKey: `k${number % 5}` }, 'mail']))
          )
        }
      })()
      const running = new Map<string, string>()
      const overlaps: string[] = []
      const order = new Map<string, string[]>()
      const done: string[] = []
      const work = async (inbox: Inbox, name: string): Promise<void> => {
        while (done.length < events * 2) {
          const { deliveries } = await inbox.claim({
            owner: name,
            leaseMs: 30_000,
            wants: [
              { handler: 'ship', source: 'digital-river', limit: 4 },
              { handler: 'mail', source: 'digital-river', limit: 4 }
            ],
            limit: 8
          })
          for (const delivery of deliveries) {
            if (delivery.orderKey === undefined) continue
            if (running.has(delivery.orderKey)) overlaps.push(delivery.orderKey)
            running.set(delivery.orderKey, name)
            order.set(delivery.orderKey, [...(order.get(delivery.orderKey) ?? []), delivery.event.id])
          }
          // The handlers would run here. Let the other claimers run.
          await setImmediate()
          for (const delivery of deliveries) if (delivery.orderKey !== undefined) running.delete(delivery.orderKey)
          const results = await settleAll(inbox, deliveries, { state: 'done' })
          t.ok(results.every((result) => result === 'settled'))
          done.push(...deliveries.map(({ handler, event }: ClaimedDelivery) => `${handler} ${event.id}`))
        }
      }
      await Promise.all([recording, ...inboxes.map((inbox, index) => work(inbox, `replica ${index}`))])
      t.same(overlaps, [])
      t.equal(new Set(done).size, events * 2)
      t.equal(done.length, events * 2)
      const arrived = (await first.events({ limit: 1000 })).events.map(({ id }) => id).reverse()
      for (const [key, ids] of order)
        t.same(
          ids,
          arrived.filter((id) => `k${Number(id.slice(1)) % 5}` === key),
          key
        )
    }
  )

t.test('an event that one replica records wakes the others, and itself only once', async (t) => {
  const [one, two] = (await openReplicas(t, await server.createDatabase(t), 2)) as [Inbox, Inbox]
  const woken = new Promise<void>((resolve) => {
    two.onDue(resolve)
  })
  // The listener connects in parallel with the opening, so repeat the notification until it arrives.
  const other = { hasHeard: false }
  void woken.then(() => {
    other.hasHeard = true
  })
  for (let index = 0; !other.hasHeard; index += 1) {
    await one.record([arrival(`e${index}`, ['ship'])])
    await Promise.race([woken, setImmediate()])
  }
  t.ok(other.hasHeard)
})

t.test('a rollout: handlers that any replica still has are not parked, the others are', async (t) => {
  const [old, next] = (await openReplicas(t, await server.createDatabase(t), 2)) as [Inbox, Inbox]
  await old.adopt(handlers('ship', 'mail'))
  await old.record([arrival('e1', ['ship', 'mail'])])
  t.same(await next.adopt(handlers('ship', 'audit')), { parked: 0, resumed: 0 })
  t.same((await next.handlers()).map(({ name }) => name).sort(), ['audit', 'mail', 'ship'])
  await old.close()
  t.match((await next.stats()).deliveries, { pending: 1, parked: 1 })
  t.same((await next.handlers()).map(({ name }) => name).sort(), ['audit', 'ship'])
})

t.test('a replica that was silent long enough to be considered dead takes its handlers back', async (t) => {
  const url = await server.createDatabase(t)
  const [one, two] = (await openReplicas(t, url, 2, { presenceMs: 2_000 })) as [Inbox, Inbox]
  await one.adopt(handlers('ship', 'mail'))
  await one.record([arrival('e1', ['ship', 'mail'])])
  // As after a pause of its process or of the network.
  await run(url, "UPDATE riverhook.server SET seen_at = now() - interval '2 minutes'")
  t.same(await two.adopt(handlers('ship')), { parked: 1, resumed: 0 })
  await until(one, async () => (await one.stats()).deliveries.parked === 0)
  t.match((await one.stats()).deliveries, { pending: 2 })
  t.same((await two.handlers()).map(({ name }) => name).sort(), ['mail', 'ship'])
})
