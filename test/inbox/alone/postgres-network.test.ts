import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'

import { postgresInbox, RiverhookError, type Inbox } from '../../../src/index.ts'
import { whenSettled } from '../../../src/testing/index.ts'
import { event, listen, post, startReceiver } from '../../receive/receiver.ts'
import { arrival } from '../arrivals.ts'
import { claim } from '../contract.ts'
import { usual } from '../limits.ts'
import { openPostgres } from '../open-postgres.ts'
import { run, startPostgres } from '../postgres-server.ts'
import { swallowingProxy } from '../swallowing-proxy.ts'
import { keyOf } from '../../event-keys.ts'

// Risk: when the network fails and the database does not, a quarter of an hour without service, or a booking that waits
// for a dead machine.

const server = await startPostgres()
t.teardown(() => server.stop())

t.test('connections that stopped responding: health reports it, and service resumes', async (t) => {
  const proxy = await swallowingProxy(t, await server.createDatabase(t))
  const receiver = await startReceiver(t, {
    inbox: postgresInbox({ connectionString: proxy.url, maxConnections: 6 }),
    retry: { base: 1 }
  })
  receiver.app.riverhook.on('*', { name: 'ship' }, () => undefined)
  const { app, url } = await listen(receiver)
  // Several connections are open, and each must be detected separately.
  await Promise.all(Array.from({ length: 6 }, (_, index) => app.riverhook.inbox.event(keyOf(`e${index}`))))
  t.equal((await post(url, event({ id: 'before' }))).status, 202)
  t.match(await whenSettled(app.riverhook.inbox, 'before', { deliveries: 1 }), [{ state: 'done' }])
  proxy.swallow()
  t.match(await app.riverhook.health(), {
    ready: false,
    reasons: ['the inbox cannot be written to'],
    detail: /no answer/
  })
  const statuses: number[] = []
  while (statuses.at(-1) !== 202) statuses.push((await post(url, event({ id: 'after' }))).status)
  t.same(
    statuses.filter((status) => status !== 202 && status !== 503),
    []
  )
  t.match(await settledAtLast(app.riverhook.inbox), [{ state: 'done' }])
  // The same answer for a second. No event marks the next check, so wait for it.
  while (!(await app.riverhook.health()).ready) await delay(50)
})

t.test('a list is answered although all connections for lists stopped responding', async (t) => {
  const proxy = await swallowingProxy(t, await server.createDatabase(t))
  const inbox = await openPostgres(t, proxy.url, usual)
  const reads = () => Promise.all([inbox.events({ limit: 1 }), inbox.stats()])
  await reads()
  proxy.swallow()
  t.match(await reads(), [{ events: [] }, { events: 0 }])
})

t.test(
  'a replica that is cut off in its transaction releases its locks soon; a handler that only waits keeps its transaction',
  async (t) => {
    const url = await server.createDatabase(t)
    await run(url, 'CREATE TABLE booking (event_id text PRIMARY KEY, by text)')
    const proxy = await swallowingProxy(t, url)
    const [lost, heir, patient] = [
      await openPostgres(t, proxy.url, usual),
      await openPostgres(t, url),
      await openPostgres(t, url)
    ]
    const book = 'INSERT INTO booking (event_id, by) VALUES ($1, $2)'
    const at = { startedAt: new Date() }
    await heir.record([arrival('e1', ['book']), arrival('e2', ['wait'])])
    const [held] = (
      await lost.claim({
        owner: 'lost',
        leaseMs: 1,
        wants: [{ handler: 'book', source: 'digital-river', limit: 1 }],
        limit: 1
      })
    ).deliveries
    const isIn = Promise.withResolvers<undefined>()
    const never = lost.transact!({ ...held!, ...at }, async (tx) => {
      await tx.query(book, ['e1', 'lost'])
      isIn.resolve(undefined)
      return new Promise(() => undefined)
    })
    never.catch(() => undefined)
    await isIn.promise
    proxy.swallow()
    const [waiting] = (
      await patient.claim({
        owner: 'patient',
        leaseMs: 60_000,
        wants: [{ handler: 'wait', source: 'digital-river', limit: 1 }],
        limit: 1
      })
    ).deliveries
    await patient.transact!({ ...waiting!, ...at }, async (tx) => {
      await tx.query(book, ['e2', 'patient'])
      const [taken] = await claim(heir, ['book'])
      // Waits for the row that the lost transaction has locked.
      await heir.transact!({ ...taken!, ...at }, (own) => own.query(book, ['e1', 'heir']))
    })
    t.same(await run(url, 'SELECT event_id, by FROM booking ORDER BY 1'), [
      { event_id: 'e1', by: 'heir' },
      { event_id: 'e2', by: 'patient' }
    ])
  }
)

t.test('an idle work connection that stopped responding costs no attempt', async (t) => {
  const proxy = await swallowingProxy(t, await server.createDatabase(t))
  const receiver = await startReceiver(t, {
    inbox: postgresInbox({ connectionString: proxy.url, maxConnections: 1 }),
    retry: { attempts: 1 }
  })
  receiver.app.riverhook.on('*', { name: 'book' }, async (_event, { transaction }) => {
    await transaction((tx) => tx.query('SELECT 1'))
  })
  const { app, url } = await listen(receiver)
  await post(url, event({ id: 'before' }))
  await whenSettled(app.riverhook.inbox, 'before', { deliveries: 1 })
  proxy.swallow()
  while ((await post(url, event({ id: 'after' }))).status !== 202);
  t.match(await settledAtLast(app.riverhook.inbox), [{ state: 'done', attempts: 1 }])
})

/** Reads have separate connections. Each of them that stopped responding fails one read. */
async function settledAtLast(inbox: Inbox): ReturnType<typeof whenSettled> {
  try {
    return await whenSettled(inbox, 'after', { deliveries: 1 })
  } catch (error) {
    if (!(error instanceof RiverhookError) || error.code !== 'RIVERHOOK_INBOX_UNAVAILABLE') throw error
    return settledAtLast(inbox)
  }
}
