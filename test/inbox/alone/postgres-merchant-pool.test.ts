import pg from 'pg'
import t, { type Test } from 'tap'

import { postgresInbox } from '../../../src/inbox/postgres/engine.ts'
import { arrival } from '../arrivals.ts'
import { claim, inboxContract, settleAll } from '../contract.ts'
import { emptiedInboxes } from '../emptied-inboxes.ts'
import { emptiedSchemas, keptPresenceMs } from '../emptied-schemas.ts'
import { patient } from '../limits.ts'
import { run, startPostgres } from '../postgres-server.ts'

// Risk for a merchant with an existing pool: the process ends when a connection is lost, or the inbox fails because of
// the pool's settings.

const server = await startPostgres()
t.teardown(() => server.stop())

// Parsers that users of other libraries set globally for pg.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => text)
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => BigInt(text))
pg.types.setTypeParser(pg.types.builtins.INT4, (text) => `number ${text}`)
pg.types.setTypeParser(pg.types.builtins.BYTEA, (text) => text)

async function createHostile(t: Pick<Test, 'teardown'>): Promise<string> {
  const url = await server.createDatabase(t)
  const name = new URL(url).pathname.slice(1)
  const settings = {
    default_transaction_isolation: 'serializable',
    datestyle: 'German',
    timezone: 'Asia/Kathmandu',
    bytea_output: 'escape',
    synchronous_commit: 'off',
    array_nulls: 'off',
    extra_float_digits: '-15',
    search_path: 'public',
    lock_timeout: '10ms'
  }
  await run(
    url,
    Object.entries(settings)
      .map(([setting, value]) => `ALTER DATABASE ${name} SET ${setting} = '${value}'`)
      .join('; ')
  )
  return url
}

async function poolOf(t: Pick<Test, 'teardown'>, connectionString: string): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString, max: 6 })
  t.teardown(() => pool.end())
  return pool
}

const hostile = await createHostile(t)
const schemas = await emptiedSchemas(t, hostile)

const inboxes = emptiedInboxes(t, async (clock, number) => {
  const schema = `emptied_${number}`
  const inbox = postgresInbox({ pool: await poolOf(t, hostile), schema, clock, presenceMs: keptPresenceMs, ...patient })
  await inbox.open()
  return { inbox, empty: () => schemas.clear(schema) }
})

void inboxContract(t, async (t) => {
  const { inbox, now, advance } = await inboxes.take(t)
  return {
    inbox,
    advance,
    now
  }
})

t.test('it works the same on its own connections', async (t) => {
  const inbox = postgresInbox({ connectionString: await createHostile(t), ...patient })
  await inbox.open()
  t.teardown(() => inbox.close())
  await inbox.record([arrival('e1', ['ship'])])
  const [delivery] = await claim(inbox, ['ship'])
  t.match(delivery!.event, { id: 'e1', receivedAt: new Date(1_000_000), body: Buffer.from('{"id":"e1"}') })
  await settleAll(inbox, [delivery!], { state: 'done' })
  t.equal((await inbox.prune({ before: new Date('2026-01-02'), limit: 10 })).purged, 1)
})

t.test("reads through the handler's client use the merchant's parsers and time zone", async (t) => {
  const pool = await poolOf(t, await createHostile(t))
  const inbox = postgresInbox({ pool, ...patient })
  await inbox.open()
  t.teardown(() => inbox.close())
  await inbox.record([arrival('e1', ['ship'])])
  const [held] = await claim(inbox, ['ship'])
  const read = await inbox.transact!(
    { ...held!, startedAt: new Date() },
    async (tx) => (await tx.query<object>("SELECT 7::int8 AS big, current_setting('timezone') AS zone")).rows
  )
  t.same(read, [{ big: 7n, zone: 'Asia/Kathmandu' }])
  const { rows } = await pool.query(
    "SELECT current_setting('statement_timeout') AS timeout, current_setting('datestyle') AS style"
  )
  t.match(rows, [{ timeout: '0', style: /German/ }], "the merchant's sessions are unchanged")
})

t.test('a pool without an error listener: a lost connection does not end the process', async (t) => {
  const url = await server.createDatabase(t)
  const pool = await poolOf(t, url)
  const inbox = postgresInbox({ pool, ...patient })
  await inbox.open()
  t.teardown(() => inbox.close())
  await inbox.record([arrival('e1', ['ship'])])
  const lost = new Promise((resolve) => {
    pool.once('error', resolve)
  })
  await run(
    url,
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()'
  )
  await lost
  t.same(await inbox.record([arrival('e2', ['ship'])]), ['accepted'])
})

t.test('handlers get half of the pool, so that requests and heartbeats have the rest', async (t) => {
  const pool = await poolOf(t, await server.createDatabase(t))
  const inbox = postgresInbox({ pool, ...patient })
  await inbox.open()
  t.teardown(() => inbox.close())
  await inbox.record(Array.from({ length: 8 }, (_, index) => arrival(`e${index}`, ['ship'])))
  const deliveries = await claim(inbox, ['ship'])
  const gate = Promise.withResolvers<undefined>()
  const busy = deliveries.map((held) => inbox.transact!({ ...held, startedAt: new Date() }, () => gate.promise))
  t.same(await inbox.record([arrival('more', ['ship'])]), ['accepted'])
  t.same(await inbox.extend(deliveries, 30_000), [])
  gate.resolve(undefined)
  await Promise.all(busy)
  t.match((await inbox.stats()).deliveries, { done: 8, pending: 1 })
})

t.test('a pool whose connections the merchant holds: refused in time, and served once one is free', async (t) => {
  const pool = await poolOf(t, await server.createDatabase(t))
  const inbox = postgresInbox({ pool, ...patient })
  await inbox.open()
  t.teardown(() => inbox.close())
  const kept = await Promise.all(Array.from({ length: 5 }, () => pool.connect()))
  await t.rejects(inbox.record([arrival('e1', ['ship'])]), { code: 'RIVERHOOK_INBOX_UNAVAILABLE', message: /own pool/ })
  for (const client of kept) client.release()
  t.same(await inbox.record([arrival('e2', ['ship'])]), ['accepted'])
  t.equal(pool.waitingCount, 0)
})
