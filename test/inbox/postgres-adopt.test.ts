import { EventEmitter, once } from 'node:events'

import pg from 'pg'
import t from 'tap'

import { Dispatcher } from '../../src/deliver/dispatcher.ts'
import { Registry } from '../../src/handlers/registry.ts'
import { Connections, ownPool } from '../../src/inbox/postgres/connections.ts'
import { Database } from '../../src/inbox/postgres/database.ts'
import { Presence } from '../../src/inbox/postgres/presence.ts'
import { readableLog } from '../deliver/rig.ts'
import { source } from '../event-keys.ts'
import { adoptAll } from './adopt-all.ts'
import { addDeliveries } from './add-deliveries.ts'
import { arrival } from './arrivals.ts'
import { claim, ids } from './contract.ts'
import { patientConnections } from './limits.ts'
import { openPostgres } from './open-postgres.ts'
import { run, startPostgres } from './postgres-server.ts'

// Risk: deliveries that stay parked, or wait for nothing, until the next restart.

const server = await startPostgres()
t.teardown(() => server.stop())

const handlers = (...names: string[]) => names.map((name) => ({ name, source, pattern: '*' }))

async function countStates(url: string): Promise<Readonly<Record<string, number>>> {
  const rows = await run(url, 'SELECT state, count(*)::integer AS count FROM riverhook.delivery GROUP BY state')
  return Object.fromEntries(rows.map(({ state, count }) => [String(state), Number(count)]))
}

for (const [before, now, after] of [
  ['parked', 'ship', 'pending'],
  ['pending', 'mail', 'parked']
] as const)
  t.test(`one of a full batch of ${before} deliveries is deleted before it is locked: the rest follows`, async (t) => {
    const url = await server.createDatabase(t)
    const inbox = await openPostgres(t, url)
    await addDeliveries(url, [1, 2_500], before)
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    t.teardown(() => client.end())
    await client.query('BEGIN; DELETE FROM riverhook.delivery WHERE id = (SELECT min(id) FROM riverhook.delivery)')
    const adopted = adoptAll(inbox, handlers(now))
    const isBlocked = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while ((await run(url, isBlocked)).length === 0);
    await client.query('COMMIT')
    await adopted
    t.same(await countStates(url), { [after]: 2_499 })
  })

t.test('lines that are resumed beside very many others become due', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  // Lines in order: one delivery is pending, and one waits. More than are checked at a time.
  await addDeliveries(url, [1, 3_000], 'pending', 'md5(n::text)')
  await addDeliveries(url, [3_001, 6_000], 'waiting', 'md5((n - 3000)::text)')
  await addDeliveries(url, [10_001, 12_500], 'parked', 'md5(n::text)')
  const [, resumed] = await adoptAll(inbox, handlers('ship'))
  t.equal(resumed, 2_500)
  t.same(await countStates(url), { pending: 5_500, waiting: 3_000 })
})

t.test('a parked delivery whose event was deleted by hand does not hold back its line', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  await addDeliveries(url, [1, 3], 'parked', "'k'")
  await run(url, "DELETE FROM riverhook.event WHERE id = '1'")
  await adoptAll(inbox, handlers('ship'))
  t.same(ids([...(await claim(inbox, ['ship'])), ...(await claim(inbox, ['ship']))]), ['2'])
})

t.test('waiting deliveries of a handler that is now for another source are parked, too', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  await inbox.record([arrival('first', [{ handler: 'ship', orderKey: 'k1' }])])
  await addDeliveries(url, [1, 1_500], 'pending', "'k' || n")
  await addDeliveries(url, [1_501, 3_000], 'waiting', "'k' || n - 1500")
  await adoptAll(inbox, [{ name: 'ship', source: 'stripe', pattern: '*' }])
  t.same(await countStates(url), { parked: 3_001 })
})

t.test('the warning about parked deliveries counts all, also beside heartbeats', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url, { presenceMs: 5 })
  await addDeliveries(url, [1, 8_000], 'pending')
  const { log, lines } = readableLog()
  const registry = new Registry(source)
  registry.on('order.*', { name: 'mail' }, () => undefined)
  const dispatcher = new Dispatcher({
    inbox,
    handlers: registry,
    log,
    revive: () => ({ id: '1', type: 'order.accepted' }),
    concurrency: 1,
    pollMs: 50
  })
  await dispatcher.start()
  const warned = () => lines.filter(({ msg }) => msg.includes('parked'))
  while (warned().length === 0) await inbox.now()
  t.match(warned(), [{ parked: 8_000 }])
  t.same(await countStates(url), { parked: 8_000 })
  await dispatcher.stop({ graceMs: 1_000 })
})

t.test('a replica that was dropped takes everything back, although an error interrupts it', async (t) => {
  const url = await server.createDatabase(t)
  await openPostgres(t, url)
  const pool = ownPool(url, { max: 4, ...patientConnections })
  const connections = new Connections({ pool, isOwn: true, ...patientConnections })
  const database = new Database(connections, 'riverhook')
  let state: 'whole' | 'losing' | 'lost' = 'whole'
  // Loses the connection once, after the first batch, when the lines are checked.
  const lossy = {
    query: (sql: string, values?: readonly unknown[]) => {
      if (state !== 'losing' || !sql.includes('AS disordered')) return database.query(sql, values)
      state = 'lost'
      return Promise.reject(new Error('the connection was lost'))
    },
    async transaction(...given: Parameters<Database['transaction']>) {
      const result: unknown = await database.transaction(...given)
      if (state === 'whole' && Number((result as { readonly resumed?: number } | undefined)?.resumed) > 0)
        state = 'losing'
      return result
    }
  } as unknown as Database
  const beats = new EventEmitter()
  const presence = new Presence({
    database: lossy,
    replica: { instance: 'own', owner: 'own' },
    times: () => ({ now: Date.now(), fixed: undefined }),
    onDue: () => undefined,
    onBeat: () => beats.emit('beat'),
    beatMs: 5
  })
  t.teardown(async () => {
    await presence.end()
    await connections.end()
  })
  await presence.adopt(handlers('ship'))
  await addDeliveries(url, [1, 2_500], 'parked')
  await run(url, 'DELETE FROM riverhook.server')
  while ((await countStates(url))['parked'] !== undefined) await once(beats, 'beat')
  t.equal(state, 'lost')
  t.same(await countStates(url), { pending: 2_500 })
})
