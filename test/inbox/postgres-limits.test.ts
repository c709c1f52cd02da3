import { randomBytes } from 'node:crypto'

import pg from 'pg'
import t, { type Test } from 'tap'

import { copyInbox, memoryInbox } from '../../src/index.ts'
import { lockKeys } from '../../src/inbox/postgres/order-keys.ts'
import { arrival } from './arrivals.ts'
import { claim, settleAll } from './contract.ts'
import { openPostgres } from './open-postgres.ts'
import { run, startPostgres } from './postgres-server.ts'

// What a user would lose by one event that is out of the ordinary: all that came with it, a move to another machine, what is replayed.

const server = await startPostgres()
t.teardown(() => server.stop())

async function connect(t: Test, connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  t.teardown(() => client.end())
  return client
}

const unavailable = { code: 'RIVERHOOK_INBOX_UNAVAILABLE' }

t.test('an event that the database cannot hold: those that came with it are stored', async (t) => {
  const url = new URL(await server.createDatabase(t))
  const name = `${url.pathname.slice(1)}_latin`
  await run(url.href, `CREATE DATABASE ${name} ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'`)
  const address = url.href
  t.teardown(() => run(address, `DROP DATABASE ${name} WITH (FORCE)`))
  url.pathname = `/${name}`
  const inbox = await openPostgres(t, url.href)
  const deliveries = ['ship', { handler: 'pack', orderKey: 'k' }]
  t.match(await inbox.record(['1', '2', '€', '4', '5'].map((id) => arrival(id, deliveries))), ['accepted', 'accepted', unavailable, 'accepted', 'accepted'])
  t.same((await inbox.events({ limit: 10, oldestFirst: true })).events.map(({ id }) => id), ['1', '2', '4', '5'])
  await t.rejects(inbox.record([arrival('€')]), unavailable)
})

t.test('an order key that somebody keeps locked: those that came with it are stored', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  const client = await connect(t, url)
  const key = { handler: 'ship', orderKey: 'slow' }
  await client.query(`BEGIN; ${lockKeys([key])}`)
  t.match(await inbox.record([arrival('1', ['mail']), arrival('2', [key]), arrival('3', ['mail'])]), ['accepted', unavailable, 'accepted'])
  await client.query('ROLLBACK')
  t.same(await inbox.record([arrival('1', ['mail']), arrival('2', [key])]), ['duplicate', 'accepted'])
})

t.test('large events move, in portions', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  const from = memoryInbox()
  await from.open()
  const body = randomBytes(200 * 1024)
  for (let number = 0; number < 60; number += 1) await from.record([arrival(`e${number}`, ['ship'], { body })])
  const reports: object[] = []
  t.same(await copyInbox({ from, to: inbox, onProgress: (report) => reports.push(report) }), { seen: 60, copied: 60 })
  t.same(reports.slice(0, 2), [{ seen: 21, copied: 21 }, { seen: 42, copied: 42 }])
  t.ok(body.equals((await inbox.event('e59'))!.body))
})

t.test('what is replayed while it is being purged stays', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  await inbox.adopt([{ name: 'ship', pattern: '*' }])
  await inbox.record([arrival('old', ['ship'])])
  await settleAll(inbox, await claim(inbox, ['ship']), { state: 'done' })
  const client = await connect(t, url)
  await client.query('BEGIN; SELECT * FROM riverhook.delivery FOR UPDATE')
  const pruning = inbox.prune({ before: new Date(), limit: 10 })
  // It has looked, and waits for the delivery.
  while ((await run(url, "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")).length === 0);
  await client.query("UPDATE riverhook.delivery SET state = 'pending', attempts = 0; COMMIT")
  t.match(await pruning, { purged: 0 })
  t.match((await inbox.event('old'))!.deliveries, [{ state: 'pending' }])
})

t.test('what arrives again while it is being purged leaves nothing behind', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  await inbox.record([arrival('old')])
  const client = await connect(t, url)
  await client.query("BEGIN; SELECT * FROM riverhook.event FOR UPDATE; DELETE FROM riverhook.event")
  const recording = inbox.record([arrival('old')])
  while ((await run(url, "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")).length === 0);
  await client.query('COMMIT')
  await Promise.allSettled([recording])
  t.same(await run(url, 'SELECT * FROM riverhook.repeat WHERE event_seq NOT IN (SELECT seq FROM riverhook.event)'), [])
  t.match(await inbox.record([arrival('old')]), [/accepted|duplicate/])
})
