import pg from 'pg'
import t from 'tap'

import type { Inbox } from '../../src/index.ts'
import { lockKeys } from '../../src/inbox/postgres/order.ts'
import { adoptAll } from './adopt-all.ts'
import { addDeliveries } from './add-deliveries.ts'
import { arrival } from './arrivals.ts'
import { claim, settleAll } from './contract.ts'
import { openReplicas } from './open-postgres.ts'
import { run, startPostgres } from './postgres-server.ts'
import { until } from './until.ts'
import { keyOf, realm, source } from '../event-keys.ts'

// Risk in a rollout that changes the handlers: the order of a key, a start that does not end, replicas that are not
// ready.

const server = await startPostgres()
t.teardown(() => server.stop())

const handlers = (...names: string[]) => names.map((name) => ({ name, source, pattern: '*' }))
const keyed = (orderKey: string) => [{ handler: 'ship', orderKey }]
const ids = (deliveries: readonly { event: { id: string } }[]) => deliveries.map(({ event }) => event.id)
const byHandler = async (inbox: Inbox) => (await inbox.stats()).byHandler

t.test('a new arrival does not overtake deliveries that waited for a handler that is returning', async (t) => {
  const url = await server.createDatabase(t)
  const [one, two] = (await openReplicas(t, url, 2)) as [Inbox, Inbox]
  await one.record(['1', '2', '3'].map((id) => arrival(id, keyed('k'))))
  // The moment after parked deliveries became waiting, and before the first of them is due.
  await run(url, "UPDATE riverhook.delivery SET state = 'waiting'")
  await two.record([arrival('4', keyed('k'))])
  t.same(await two.replay([{ event: keyOf('4'), handler: 'other' }]), ['created'])
  t.same(await claim(two, ['ship']), [])
  await one.adopt(handlers('ship'))
  for (const id of ['1', '2', '3', '4']) {
    const claimed = await claim(two, ['ship'])
    t.same(ids(claimed), [id])
    await settleAll(two, claimed, { state: 'done' })
  }
})

// Lines of which all wait: their process ended after it had resumed them, and before it promoted the first of each.
for (const state of ['parked', 'waiting'])
  t.test(
    `a start with very many ${state} lines: deliveries start before all are due, and all become due`,
    async (t) => {
      const url = await server.createDatabase(t)
      const [inbox] = (await openReplicas(t, url, 1)) as [Inbox]
      const count = 20_000
      await addDeliveries(url, [1, count], state, "'k' || n")
      // Another session holds a key that comes late.
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      t.teardown(() => client.end())
      await client.query(`BEGIN; ${lockKeys([{ handler: 'ship', realm, orderKey: 'k9999' }])}`)
      const isParked = state === 'parked'
      t.same(await inbox.adopt(handlers('ship')), { parked: 0, resumed: isParked ? 1_000 : 0, hasMore: true })
      t.ok((await claim(inbox, ['ship'])).length > 0)
      await client.query('ROLLBACK')
      const rest = isParked ? [0, count - 1_000, count / 1_000] : [0, 0, count / 2_000]
      t.same(await adoptAll(inbox, handlers('ship')), rest)
      t.match(await byHandler(inbox), [{ handler: 'ship', parked: 0, waiting: 0 }])
    }
  )

t.test('deliveries of a handler that only the stopping replica had are parked when it stops', async (t) => {
  const [old, next] = (await openReplicas(t, await server.createDatabase(t), 2)) as [Inbox, Inbox]
  await old.adopt(handlers('ship', 'mail'))
  await next.adopt(handlers('ship'))
  await old.record([arrival('e1', ['ship', 'mail'])])
  await old.close()
  t.match(await byHandler(next), [
    { handler: 'mail', parked: 1 },
    { handler: 'ship', pending: 1 }
  ])
  t.same(
    (await next.handlers()).map(({ name }) => name),
    ['ship']
  )
})

t.test('the last replica to stop leaves handlers and deliveries unchanged', async (t) => {
  const url = await server.createDatabase(t)
  const [only, other] = (await openReplicas(t, url, 2)) as [Inbox, Inbox]
  await only.adopt(handlers('ship'))
  await only.record([arrival('e1', ['ship'])])
  await only.close()
  t.match(await byHandler(other), [{ handler: 'ship', pending: 1 }])
  t.same(
    (await other.handlers()).map(({ name }) => name),
    ['ship']
  )
})

t.test(
  'deliveries of a dead replica are parked at the next heartbeat of another, including those with an expired lease',
  async (t) => {
    const url = await server.createDatabase(t)
    const [dead, living] = (await openReplicas(t, url, 2, { presenceMs: 2_000 })) as [Inbox, Inbox]
    await dead.adopt(handlers('mail'))
    await dead.record([
      arrival('e1', ['mail', 'ship']),
      arrival('e2', [{ handler: 'mail', orderKey: 'k' }]),
      arrival('e3', [{ handler: 'mail', orderKey: 'k' }])
    ])
    const { deliveries } = await dead.claim({
      owner: 'dead',
      leaseMs: 1,
      wants: [{ handler: 'mail', source: 'digital-river', limit: 2 }],
      limit: 2
    })
    await living.adopt(handlers('ship'))
    t.equal(deliveries.length, 2)
    await run(
      url,
      "UPDATE riverhook.server SET seen_at = now() - interval '2 minutes' WHERE seen_at < (SELECT max(seen_at) FROM riverhook.server)"
    )
    // Both send heartbeats: the replica that is assumed dead is alive, and returns.
    await until(dead, async () => (await dead.handlers()).length === 2)
    await dead.close()
    t.match(await byHandler(living), [
      { handler: 'mail', parked: 3, running: 0, pending: 0 },
      { handler: 'ship', pending: 1 }
    ])
    t.match(
      (await living.event(keyOf('e1')))!.deliveries.find(({ handler }) => handler === 'mail'),
      { attemptLog: [{ attempt: 1, state: 'lost' }], owner: undefined }
    )
    const startedAt = new Date()
    t.same(
      await living.settle(
        deliveries.map(({ id, token }) => ({
          id,
          token,
          outcome: { state: 'done' as const },
          startedAt,
          endedAt: startedAt
        }))
      ),
      ['stale', 'stale']
    )
  }
)

t.test('a start whose handlers exclude a long backlog parks it in batches, and resumes it in batches', async (t) => {
  const url = await server.createDatabase(t)
  const [inbox] = (await openReplicas(t, url, 1)) as [Inbox]
  await addDeliveries(url, [1, 25_000], 'pending')
  const count = async (state: 'parked' | 'pending') => (await inbox.stats()).deliveries[state]
  t.same(await inbox.adopt(handlers('mail')), { parked: 1_000, resumed: 0, hasMore: true }, 'a full batch')
  t.same(await adoptAll(inbox, handlers('mail')), [24_000, 0, 25])
  t.equal(await count('parked'), 25_000)
  t.same(await inbox.adopt(handlers('ship')), { parked: 0, resumed: 1_000, hasMore: true })
  t.same(await adoptAll(inbox, handlers('ship')), [0, 24_000, 25])
  t.equal(await count('pending'), 25_000)
})
