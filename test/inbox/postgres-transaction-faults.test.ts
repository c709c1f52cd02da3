import pg from 'pg'
import t, { type Test } from 'tap'

import { postgresInbox, type HandlerFunction, type Inbox, type PostgresInboxOptions } from '../../src/index.ts'
import { whenSettled } from '../../src/testing/index.ts'
import { event, listen, post, startReceiver } from '../receive/receiver.ts'
import { arrival } from './arrivals.ts'
import { claim } from './contract.ts'
import { patient } from './limits.ts'
import { run, startPostgres } from './postgres-server.ts'
import { keyOf } from '../event-keys.ts'

// Risk with a wrong or slow handler in its transaction: a booking outside of it, blocked work of others, a shutdown
// that does not end.

const server = await startPostgres()
t.teardown(() => server.stop())

const book = 'INSERT INTO booking (event_id) VALUES ($1)'
const bookings = async (url: string) =>
  (await run(url, 'SELECT event_id FROM booking ORDER BY id')).map((row) => row['event_id'])

async function createShop(t: Test): Promise<string> {
  const url = await server.createDatabase(t)
  await run(url, 'CREATE TABLE booking (id serial PRIMARY KEY, event_id text NOT NULL)')
  return url
}

async function open(t: Test, connectionString: string, options: PostgresInboxOptions = {}): Promise<Inbox> {
  const inbox = postgresInbox({ connectionString, ...patient, ...options })
  await inbox.open()
  t.teardown(() => inbox.close())
  return inbox
}

/** Stores an event and claims its delivery. */
async function held(inbox: Inbox, id: string) {
  await inbox.record([arrival(id, ['book'])])
  const [delivery] = await claim(inbox, ['book'])
  return { ...delivery!, startedAt: new Date() }
}

const stateOf = async (inbox: Inbox, id: string) => (await inbox.event(keyOf(id)))!.deliveries[0]!.state

t.test(
  'a write after the end is refused: from late code of a failed handler, and from a query that was not awaited',
  async (t) => {
    const url = await createShop(t)
    const inbox = await open(t, url)
    const gate = Promise.withResolvers<undefined>()
    let straggler: Promise<unknown> | undefined
    await t.rejects(
      inbox.transact!(await held(inbox, 'e1'), async (tx) => {
        straggler = gate.promise.then(() => tx.query(book, ['e1']))
        await Promise.all([Promise.reject(new Error('the other one fails')), straggler])
      }),
      { message: 'the other one fails' }
    )
    gate.resolve(undefined)
    await t.rejects(straggler!, { code: 'RIVERHOOK_DELIVER_TRANSACTION', message: /is over/ })
    const later = Promise.withResolvers<undefined>()
    let unawaited: Promise<unknown> | undefined
    await inbox.transact!(await held(inbox, 'e2'), async (tx) => {
      unawaited = later.promise.then(() => tx.query(book, ['e2']))
    })
    later.resolve(undefined)
    await t.rejects(unawaited!, { code: 'RIVERHOOK_DELIVER_TRANSACTION' })
    t.same(await bookings(url), [])
    t.same([await stateOf(inbox, 'e1'), await stateOf(inbox, 'e2')], ['running', 'done'])
  }
)

t.test('a failed statement that the handler caught is reported, and a savepoint before it helps', async (t) => {
  const url = await createShop(t)
  const inbox = await open(t, url)
  await t.rejects(
    inbox.transact!(await held(inbox, 'e1'), async (tx) => {
      await tx.query('SELECT 1 / 0').catch(() => undefined)
    }),
    { code: 'RIVERHOOK_DELIVER_TRANSACTION', message: /division by zero \(22012\).*SAVEPOINT/ }
  )
  await inbox.transact!(await held(inbox, 'e2'), async (tx) => {
    await tx.query('SAVEPOINT before')
    await tx.query('SELECT 1 / 0').catch(() => tx.query('ROLLBACK TO before'))
    await tx.query(book, ['e2'])
  })
  t.same(await bookings(url), ['e2'])
})

t.test('a function that is not async, and one that throws synchronously', async (t) => {
  const inbox = await open(t, await createShop(t))
  t.equal(await inbox.transact!(await held(inbox, 'e1'), (() => 5) as () => never), 5)
  await t.rejects(
    inbox.transact!(await held(inbox, 'e2'), () => {
      throw new Error('at once')
    }),
    { message: 'at once' }
  )
  t.same([await stateOf(inbox, 'e1'), await stateOf(inbox, 'e2')], ['done', 'running'])
})

t.test(
  "a handler on the merchant's pool that switches its role or discards prepared statements does not block storing",
  async (t) => {
    const pool = new pg.Pool({ connectionString: await createShop(t), max: 4 })
    t.teardown(() => pool.end())
    const inbox = postgresInbox({ pool, ...patient })
    await inbox.open()
    t.teardown(() => inbox.close())
    await inbox.transact!(await held(inbox, 'e1'), (tx) => tx.query('SET LOCAL ROLE pg_monitor'))
    await inbox.transact!(await held(inbox, 'e2'), (tx) => tx.query('SET ROLE pg_monitor'))
    for (let number = 3; number < 6; number += 1)
      await inbox.transact!(await held(inbox, `e${number}`), (tx) => tx.query('DEALLOCATE ALL')).catch(() => undefined)
    t.equal(
      (
        await inbox.transact!(await held(inbox, 'e6'), (tx) =>
          tx.query<{ name: string }>('SELECT current_user AS name')
        )
      ).rows[0]!.name,
      'riverhook'
    )
  }
)

t.test('session settings of a handler do not reach the next one, and a discarded session is reported', async (t) => {
  const url = await createShop(t)
  const inbox = await open(t, url, { maxConnections: 1 })
  const settings =
    "SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout, current_user AS user, to_regclass('pg_temp.basket') AS basket"
  const read = async (id: string) =>
    inbox.transact!(await held(inbox, id), async (tx) => (await tx.query<object>(settings)).rows)
  await inbox.transact!(await held(inbox, 'e0'), (tx) => tx.query('DEALLOCATE ALL'))
  const before = await read('e1')
  await inbox.transact!(await held(inbox, 'e2'), (tx) =>
    tx.query(
      "SET statement_timeout = '900ms'; SET search_path = pg_catalog; CREATE TEMP TABLE basket (id int); SELECT pg_advisory_lock(1); SET ROLE pg_monitor; SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    )
  )
  await inbox.transact!(await held(inbox, 'e3'), (tx) =>
    tx.query('INSERT INTO booking (event_id) SELECT pg_backend_pid()')
  )
  t.same(await read('e3b'), before)
  await t.rejects(
    inbox.transact!(await held(inbox, 'e4'), (tx) => tx.query('DEALLOCATE ALL')),
    { code: 'RIVERHOOK_DELIVER_TRANSACTION', message: /DEALLOCATE ALL/ }
  )
  t.same(await read('e5'), before, 'its connection is not used again')
})

t.test('work connections that stayed read-only after a failover are not used again', async (t) => {
  const url = await createShop(t)
  const inbox = await open(t, url, { maxConnections: 1 })
  const name = new URL(url).pathname.slice(1)
  const delivery = await held(inbox, 'e1')
  await run(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`)
  await t.rejects(
    inbox.transact!(delivery, (tx) => tx.query(book, ['e1'])),
    { code: '25006' }
  )
  await run(url, `BEGIN READ WRITE; ALTER DATABASE ${name} SET default_transaction_read_only = off; COMMIT`)
  await inbox.transact!(delivery, (tx) => tx.query(book, ['e1']))
  t.same(await bookings(url), ['e1'])
})

async function deliver(
  t: Test,
  url: string,
  handlers: Readonly<Record<string, { timeout?: number; run: HandlerFunction }>>
) {
  const receiver = await startReceiver(t, {
    inbox: postgresInbox({ connectionString: url, maxConnections: 1 }),
    retry: { attempts: 1 },
    grace: 1
  })
  for (const [name, { run: handler, ...options }] of Object.entries(handlers))
    receiver.app.riverhook.on('*', { name, ...options }, handler)
  return listen(receiver)
}

t.test(
  'a handler that hangs in its transaction releases its connection at its time limit: waiting ones lose no attempt',
  async (t) => {
    const url = await createShop(t)
    // Longer than the time limit for connecting.
    const { app, url: address } = await deliver(t, url, {
      hangs: {
        timeout: 2_500,
        run: (_event, { transaction }) =>
          transaction(async (tx) => {
            await tx.query(book, ['hangs'])
            await new Promise(() => undefined)
          })
      },
      books: { run: ({ id }, { transaction }) => transaction((tx) => tx.query(book, [id])) }
    })
    await post(address, event({ id: 'e1' }))
    const deliveries = await whenSettled(app.riverhook.inbox, 'e1', { deliveries: 2 })
    t.match(
      deliveries.find(({ handler }) => handler === 'books'),
      { state: 'done', attempts: 1 }
    )
    t.match(
      deliveries.find(({ handler }) => handler === 'hangs'),
      { state: 'dead', lastError: /did not finish within/ }
    )
    t.same(await bookings(url), ['e1'])
  }
)

t.test(
  'the stop does not wait for a handler that hangs in its transaction, or for one that waits for a connection',
  async (t) => {
    const url = await createShop(t)
    const isIn = Promise.withResolvers<undefined>()
    const hang: HandlerFunction = (_event, { transaction }) =>
      transaction(async (tx) => {
        await tx.query(book, ['hangs'])
        isIn.resolve(undefined)
        await new Promise(() => undefined)
      })
    const { app, url: address } = await deliver(t, url, { one: { run: hang }, two: { run: hang } })
    await post(address, event({ id: 'e1' }))
    await isIn.promise
    await app.close()
    const inbox = await open(t, url)
    t.match(
      (await inbox.event(keyOf('e1')))!.deliveries,
      [
        { state: 'pending', attempts: 0 },
        { state: 'pending', attempts: 0 }
      ],
      'handed back, not counted'
    )
    t.same(await bookings(url), [])
  }
)

t.test('closing an inbox ends its transactions', async (t) => {
  const inbox = await open(t, await createShop(t))
  const isIn = Promise.withResolvers<undefined>()
  const hanging = inbox.transact!(await held(inbox, 'e1'), () => {
    isIn.resolve(undefined)
    return new Promise(() => undefined)
  })
  hanging.catch(() => undefined)
  await isIn.promise
  await inbox.close()
  await t.rejects(hanging, { code: 'RIVERHOOK_INBOX_CLOSED' })
})
