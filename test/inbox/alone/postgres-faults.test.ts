import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'

import { postgresInbox } from '../../../src/index.ts'
import { whenSettled } from '../../../src/testing/index.ts'
import { event, listen, post, startReceiver, type Receiver } from '../../receive/receiver.ts'
import { arrival } from '../arrivals.ts'
import { usual } from '../limits.ts'
import { openPostgres } from '../open-postgres.ts'
import { run, startOwnPostgres } from '../postgres-server.ts'
import { realm } from '../../event-keys.ts'

// Risk: when the database fails, acknowledged events are lost, or the service must be restarted by hand.

const server = await startOwnPostgres(['-c', 'max_connections=40'])
t.teardown(() => server.stop())

const others =
  'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()'

async function start(t: Test, url: string, options: object = {}): Promise<Receiver> {
  const receiver = await startReceiver(t, {
    inbox: postgresInbox({ connectionString: url, maxConnections: 6 }),
    retry: { base: 1 }
  })
  receiver.app.riverhook.on('*', { name: 'ship', ...options }, () => undefined)
  return listen(receiver)
}

/** Sends like Digital River, until the event is acknowledged. @returns the answers */
async function sendUntilAccepted({ url }: Receiver, id: string): Promise<number[]> {
  const statuses: number[] = []
  while (statuses.at(-1) !== 202) statuses.push((await post(url, event({ id }))).status)
  return statuses
}

t.test('connections that are terminated repeatedly: every acknowledged event is handled', async (t) => {
  const url = await server.createDatabase(t)
  const receiver = await start(t, url)
  const ids = Array.from({ length: 60 }, (_, index) => `e${index}`)
  for (const [index, id] of ids.entries()) {
    if (index % 6 === 3) await run(url, others)
    await sendUntilAccepted(receiver, id)
  }
  for (const id of ids)
    t.match(await whenSettled(receiver.app.riverhook.inbox, id, { deliveries: 1 }), [{ state: 'done' }])
  t.match(await receiver.app.riverhook.inbox.stats(), { events: 60, deliveries: { done: 60 } })
})

t.test(
  'a database that restarts under load: requests get 503 meanwhile, and service resumes automatically',
  async (t) => {
    const url = await server.createDatabase(t)
    const receiver = await start(t, url)
    await sendUntilAccepted(receiver, 'before')
    const database = { isBack: false }
    const restarting = server.restart().then(() => {
      database.isBack = true
    })
    const answers: number[] = []
    for (let index = 0; !database.isBack || answers.at(-1) !== 202; index += 1)
      answers.push((await post(receiver.url, event({ id: `e${index}` }))).status)
    await restarting
    t.same([...new Set(answers)].sort(), answers.includes(503) ? [202, 503] : [202])
    const acknowledged = answers.flatMap((status, index) => (status === 202 ? [`e${index}`] : []))
    for (const id of ['before', ...acknowledged])
      t.match(await whenSettled(receiver.app.riverhook.inbox, id, { deliveries: 1 }), [{ state: 'done' }])
    t.same(await receiver.app.riverhook.health(), { ready: true, reasons: [] })
  }
)

t.test('a database that is not up yet: the server starts, answers 503, and works once it is up', async (t) => {
  const url = new URL(await server.createDatabase(t))
  const name = url.pathname.slice(1)
  url.pathname = '/postgres'
  await run(url.href, `ALTER DATABASE ${name} RENAME TO ${name}_away`)
  url.pathname = `/${name}`
  const receiver = await start(t, url.href)
  const refused = await post(receiver.url, event({ id: 'e1' }))
  t.match([refused.status, refused.body], [503, { code: 'RIVERHOOK_INBOX_UNAVAILABLE' }])
  t.match(await receiver.app.riverhook.health(), { ready: false, detail: /PostgreSQL: database .* does not exist/ })
  url.pathname = '/postgres'
  await run(url.href, `ALTER DATABASE ${name}_away RENAME TO ${name}`)
  await sendUntilAccepted(receiver, 'e1')
  t.match(await whenSettled(receiver.app.riverhook.inbox, 'e1', { deliveries: 1 }), [{ state: 'done' }])
})

for (const orderBy of [undefined, () => 'k'])
  t.test(
    `a primary that has become read-only: nothing is acknowledged, and it is not ready, ${orderBy === undefined ? 'without' : 'with'} order keys`,
    async (t) => {
      const url = await server.createDatabase(t)
      const receiver = await start(t, url, { orderBy })
      const name = new URL(url).pathname.slice(1)
      // In separate transactions: a connection that reconnects before the setting is committed would stay writable.
      await run(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`)
      await run(url, others)
      t.equal((await post(receiver.url, event())).status, 503)
      // The first reports may still be about the terminated connections.
      let health = await receiver.app.riverhook.health()
      while (!/read-only/.test(health.detail ?? '')) {
        // The same answer for a second. No event marks the next check, so wait for it.
        await delay(50)
        health = await receiver.app.riverhook.health()
      }
      t.equal(health.ready, false)
      t.equal((await post(receiver.url, event())).status, 503)
      await run(url, `BEGIN READ WRITE; ALTER DATABASE ${name} SET default_transaction_read_only = off; COMMIT`)
      // Earlier connections stay as they are, like those to a machine that became a standby. None of them is used
      // again.
      await sendUntilAccepted(receiver, 'after')
      t.match(await whenSettled(receiver.app.riverhook.inbox, 'after', { deliveries: 1 }), [{ state: 'done' }])
    }
  )

t.test(
  'a table locked by another session: the call ends in time, leaves nothing, and the next one succeeds',
  async (t) => {
    const url = await server.createDatabase(t)
    const inbox = await openPostgres(t, url, usual)
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    t.teardown(() => client.end())
    await client.query('BEGIN; LOCK TABLE riverhook.event IN ACCESS EXCLUSIVE MODE')
    await t.rejects(inbox.record([arrival('e1', ['ship'])]), {
      code: 'RIVERHOOK_INBOX_UNAVAILABLE',
      message: /statement timeout/
    })
    await client.query('ROLLBACK')
    t.same(await inbox.record([arrival('e1', ['ship'])]), ['accepted'])
  }
)

t.test('a table locked by another session: a request is refused while its sender still waits', async (t) => {
  const url = await server.createDatabase(t)
  const receiver = await start(t, url)
  await sendUntilAccepted(receiver, 'before')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('BEGIN; LOCK TABLE riverhook.event IN ACCESS EXCLUSIVE MODE')
  const { status, body } = await post(receiver.url, event({ id: 'e1' }))
  t.match([status, body], [503, { code: /^RIVERHOOK_INBOX_(UNAVAILABLE|DEADLINE)$/ }])
  await client.query('ROLLBACK')
  await sendUntilAccepted(receiver, 'e1')
})

t.test('no connection is free: refused in time, and served once one is free', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url, usual)
  await run(url, others)
  const idle: pg.Client[] = []
  // All connections, including those for the superuser.
  for (;;) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    try {
      await client.connect()
      idle.push(client)
    } catch {
      break
    }
  }
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) => inbox.record([arrival(`e${index}`, ['ship'])]))
  )
  for (const result of results)
    if (result.status === 'rejected') t.match(result.reason, { code: 'RIVERHOOK_INBOX_UNAVAILABLE' })
  await Promise.all(idle.map((client) => client.end()))
  t.same(await inbox.record([arrival('after', ['ship'])]), ['accepted'])
})

t.test('handlers whose transactions fill the pool do not block recording', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url, { maxConnections: 2 })
  await inbox.record([arrival('1', ['ship']), arrival('2', ['ship']), arrival('3', ['ship'])])
  const { deliveries } = await inbox.claim({
    owner: 'me',
    leaseMs: 30_000,
    wants: [{ handler: 'ship', source: 'digital-river', limit: 3 }],
    limit: 3
  })
  const gate = Promise.withResolvers<undefined>()
  const busy = deliveries.map((held) => inbox.transact!({ ...held, startedAt: new Date() }, () => gate.promise))
  t.same(await inbox.record([arrival('4', ['ship'])]), ['accepted'])
  t.same(await inbox.extend(deliveries, 30_000), [], 'heartbeats continue')
  gate.resolve(undefined)
  await Promise.all(busy)
  t.match((await inbox.stats()).deliveries, { done: 3, pending: 1 })
})

t.test('a transaction left open by another session blocks nothing', async (t) => {
  const url = await server.createDatabase(t)
  const receiver = await start(t, url)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM riverhook.event')
  await sendUntilAccepted(receiver, 'e1')
  t.match(await whenSettled(receiver.app.riverhook.inbox, 'e1', { deliveries: 1 }), [{ state: 'done' }])
  t.equal((await receiver.app.riverhook.inbox.prune({ before: new Date(Date.now() + 1000), limit: 10 })).purged, 1)
})

t.test('text that PostgreSQL cannot store unchanged is stored', async (t) => {
  const inbox = await openPostgres(t, await server.createDatabase(t))
  t.same(await inbox.record([arrival('nul \0', [{ handler: 'ship', orderKey: 'k\0' }])]), ['accepted'])
  t.same(await inbox.record([arrival('nul \0', ['ship'])]), ['duplicate'])
  t.same([...(await inbox.known(realm, ['nul \0', 'other']))], ['nul \0'])
  const { deliveries } = await inbox.claim({
    owner: 'me',
    leaseMs: 1000,
    wants: [{ handler: 'ship', source: 'digital-river', limit: 1 }],
    limit: 1
  })
  const at = { startedAt: new Date(), endedAt: new Date() }
  t.same(
    await inbox.settle(
      deliveries.map(({ id, token }) => ({
        id,
        token,
        outcome: { state: 'dead' as const, error: 'no \0 such' },
        ...at
      }))
    ),
    ['settled']
  )
})
