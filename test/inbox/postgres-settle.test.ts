import pg from 'pg'
import t from 'tap'

import type { OrderKey } from '../../src/inbox/inbox.ts'
import { realm } from '../event-keys.ts'
import { arrival } from './arrivals.ts'
import { claim, ids } from './contract.ts'
import { openPostgres } from './open-postgres.ts'
import { run, startPostgres } from './postgres-server.ts'

// Risk: an outcome is taken for stale, and the handler runs again.

const server = await startPostgres()
t.teardown(() => server.stop())

const ended = { outcome: { state: 'done' }, startedAt: new Date(), endedAt: new Date() } as const

t.test('an outcome that waits for a heartbeat of its delivery is stored after it', async (t) => {
  const address = await server.createDatabase(t)
  const inbox = await openPostgres(t, address)
  await inbox.record([arrival('1', ['ship']), arrival('2', ['ship'])])
  const [one, other] = await claim(inbox, ['ship'])
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  t.teardown(() => client.end())
  await client.query("BEGIN; UPDATE riverhook.delivery SET due_at = due_at + interval '1 s'")
  const settling = [
    inbox.settle([{ ...one!, orderKey: null, ...ended }]),
    inbox.settle([{ ...other!, orderKey: null, ...ended, outcome: { state: 'dead', error: 'x' } }])
  ]
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
  while ((await run(address, waiting)).length < settling.length);
  await client.query('COMMIT')
  t.same(await Promise.all(settling), [['settled'], ['settled']])
})

t.test(
  'a settlement with the order key of its claim lets the next delivery continue; a wrong one is stale',
  async (t) => {
    const inbox = await openPostgres(t, await server.createDatabase(t))
    await inbox.record(
      ['1', '2', '3'].map((id) => arrival(id, [{ handler: 'ship', orderKey: id === '3' ? 'b' : 'a' }]))
    )
    const [first, third] = await claim(inbox, ['ship'])
    const settle = (delivery: typeof first, orderKey: OrderKey | null) =>
      inbox.settle([{ id: delivery!.id, token: delivery!.token, orderKey, ...ended }])
    t.same(await settle(third, null), ['stale'])
    t.same(await settle(third, { handler: 'ship', realm, orderKey: 'a' }), ['stale'])
    t.same(await settle(first, { handler: 'ship', realm, orderKey: 'a' }), ['settled'])
    t.same(ids(await claim(inbox, ['ship'])), ['2'])
  }
)
