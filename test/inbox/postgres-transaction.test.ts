import { Kysely, PostgresDialect, type Generated } from 'kysely'
import pg from 'pg'
import t, { type Test } from 'tap'

import { memoryInbox, postgresInbox, type HandlerFunction, type Inbox } from '../../src/index.ts'
import { whenSettled } from '../../src/testing/index.ts'
import { event, listen, post, startReceiver, type Receiver } from '../receive/receiver.ts'
import { arrival } from './arrivals.ts'
import { claim } from './contract.ts'
import { patient } from './limits.ts'
import { run, startPostgres } from './postgres-server.ts'
import { keyOf } from '../event-keys.ts'

// Risk: a booking made twice, or a delivery done without its booking.

const server = await startPostgres()
t.teardown(() => server.stop())

async function createShop(t: Test): Promise<string> {
  const url = await server.createDatabase(t)
  await run(url, 'CREATE TABLE booking (id serial PRIMARY KEY, event_id text NOT NULL, amount numeric NOT NULL)')
  return url
}

const book = 'INSERT INTO booking (event_id, amount) VALUES ($1, 1)'
const bookings = (url: string) => run(url, 'SELECT event_id, amount::float8 FROM booking ORDER BY id')

/** A receiver with the inbox in the shop's database, and one handler. */
async function start(t: Test, inbox: Inbox, handler: HandlerFunction, options: object = {}): Promise<Receiver> {
  const receiver = await startReceiver(t, { inbox, retry: { base: 1, attempts: 3 } })
  receiver.app.riverhook.on('*', { name: 'book', ...options }, handler)
  return listen(receiver)
}

async function send({ app, url }: Receiver, id: string) {
  await post(url, event({ id }))
  return whenSettled(app.riverhook.inbox, id, { deliveries: 1 })
}

t.test("the merchant's rows and the delivery are committed together", async (t) => {
  const url = await createShop(t)
  let seen: unknown
  const receiver = await start(
    t,
    postgresInbox({ connectionString: url, ...patient }),
    async ({ id }, { transaction }) => {
      seen = await transaction(async (tx) => {
        await tx.query(book, [id])
        // Neither is visible before the end.
        t.same(await bookings(url), [])
        return 'booked'
      })
    }
  )
  t.match(await send(receiver, 'e1'), [{ state: 'done', attempts: 1 }])
  t.equal(seen, 'booked')
  t.same(await bookings(url), [{ event_id: 'e1', amount: 1 }])
  t.notOk(
    receiver.lines.some(({ msg }) => /lease|refused/.test(msg)),
    'nothing is settled a second time'
  )
  t.match(await receiver.app.riverhook.inbox.event(keyOf('e1')), {
    deliveries: [{ attemptLog: [{ attempt: 1, state: 'done' }] }]
  })
})

t.test('a failure in the transaction leaves nothing behind, and is retried', async (t) => {
  const url = await createShop(t)
  const receiver = await start(
    t,
    postgresInbox({ connectionString: url, ...patient }),
    async ({ id }, { transaction, attempt }) => {
      await transaction(async (tx) => {
        await tx.query(book, [id])
        if (attempt === 1) throw new Error('the ledger is closed')
        if (attempt === 2) await tx.query('SELECT 1 / 0')
      })
    }
  )
  const [delivery] = await send(receiver, 'e1')
  t.match(delivery, { state: 'done', attempts: 3, lastError: /division by zero/ })
  t.same(await bookings(url), [{ event_id: 'e1', amount: 1 }])
})

t.test('a failure after the transaction is logged and not retried: the delivery is done', async (t) => {
  const url = await createShop(t)
  const receiver = await start(
    t,
    postgresInbox({ connectionString: url, ...patient }),
    async ({ id }, { transaction }) => {
      await transaction((tx) => tx.query(book, [id]))
      throw new Error('the mail server did not answer')
    }
  )
  t.match(await send(receiver, 'e1'), [{ state: 'done', attempts: 1 }])
  await receiver.app.riverhook.drain()
  t.match(
    receiver.lines.find(({ msg }) => /failed after its transaction/.test(msg)),
    { error: 'Error: the mail server did not answer', handler: 'book' }
  )
  t.equal((await bookings(url)).length, 1)
})

t.test('a time limit during the transaction: the failed attempt books nothing', async (t) => {
  const url = await createShop(t)
  const late = Promise.withResolvers<unknown>()
  const receiver = await start(
    t,
    postgresInbox({ connectionString: url, ...patient }),
    async ({ id }, { transaction, attempt, signal }) => {
      const whole = transaction(async (tx) => {
        await tx.query(book, [id])
        if (attempt > 1) return
        // Ignores its signal, and continues after the end of its attempt.
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve, { once: true })
        })
        await whenSettled(receiver.app.riverhook.inbox, id, { deliveries: 1 })
      })
      if (attempt === 1) void whole.catch(late.resolve)
      await whole
    },
    // The second attempt has the same limit: on a slow machine, it needs more than 100 ms.
    { timeout: 1_000 }
  )
  t.match(await send(receiver, 'e1'), [{ state: 'done', attempts: 2 }])
  t.match(await late.promise, { code: 'RIVERHOOK_DELIVER_LEASE_LOST' })
  t.equal((await bookings(url)).length, 1)
})

t.test(
  'a process that stalls in the transaction, and resumes after another has done the work, commits nothing',
  async (t) => {
    const url = await createShop(t)
    const [zombie, heir] = [
      postgresInbox({ connectionString: url, ...patient }),
      postgresInbox({ connectionString: url, ...patient })
    ]
    for (const inbox of [zombie, heir]) {
      await inbox.open()
      t.teardown(() => inbox.close())
    }
    await zombie.record([arrival('e1', ['book'])])
    const held = (
      await zombie.claim({
        owner: 'zombie',
        leaseMs: 1,
        wants: [{ handler: 'book', source: 'digital-river', limit: 1 }],
        limit: 1
      })
    ).deliveries[0]!
    const startedAt = new Date()
    const stalled = zombie.transact!({ ...held, startedAt }, async (tx) => {
      await tx.query(book, ['zombie'])
      const [taken] = await claim(heir, ['book'])
      await heir.transact!({ ...taken!, startedAt }, (own) => own.query(book, ['heir']))
    })
    await t.rejects(stalled, { code: 'RIVERHOOK_DELIVER_LEASE_LOST' })
    t.same(
      (await bookings(url)).map((row) => row['event_id']),
      ['heir']
    )
    await t.rejects(
      zombie.transact!({ ...held, startedAt }, (tx) => tx.query(book, ['zombie'])),
      { code: 'RIVERHOOK_DELIVER_LEASE_LOST' },
      'it gets the error at once'
    )
    t.equal((await bookings(url)).length, 1)
  }
)

t.test('a connection that fails in the transaction: nothing is booked, the next attempt books', async (t) => {
  const url = await createShop(t)
  const receiver = await start(
    t,
    postgresInbox({ connectionString: url, ...patient }),
    async ({ id }, { transaction, attempt }) => {
      await transaction(async (tx) => {
        await tx.query(book, [id])
        const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
        if (attempt === 1) await run(url, `SELECT pg_terminate_backend(${rows[0]!.pid})`)
        await tx.query('SELECT 1')
      })
    }
  )
  t.match(await send(receiver, 'e1'), [{ state: 'done', attempts: 2 }])
  t.equal((await bookings(url)).length, 1)
})

t.test('the order key is free after the commit: the next delivery does not wait for a poll', async (t) => {
  const url = await createShop(t)
  const receiver = await start(
    t,
    postgresInbox({ connectionString: url, ...patient }),
    ({ id }, { transaction }) => transaction((tx) => tx.query(book, [id])),
    { orderBy: () => 'k' }
  )
  const ids = Array.from({ length: 20 }, (_, index) => `e${String(index).padStart(2, '0')}`)
  for (const id of ids) await post(receiver.url, event({ id }))
  await whenSettled(receiver.app.riverhook.inbox, ids.at(-1)!, { deliveries: 1 })
  t.same(
    (await bookings(url)).map((row) => row['event_id']),
    ids
  )
})

t.test('wrong uses are refused with the reason', async (t) => {
  const url = await createShop(t)
  const errors: unknown[] = []
  const note = (error: unknown): void => {
    errors.push(error)
  }
  const receiver = await start(
    t,
    postgresInbox({ connectionString: url, ...patient }),
    async ({ id }, { transaction, attempt }) => {
      if (attempt === 1) {
        await transaction(async (tx) => {
          await tx.query(book, [id])
          await tx.query('ROLLBACK')
        }).catch((error: unknown) => {
          note(error)
          throw error
        })
      }
      await transaction(async (tx) => {
        await tx.query(book, [id])
      })
      await transaction(async () => undefined).catch(note)
    }
  )
  t.match(await send(receiver, 'e1'), [{ state: 'done', attempts: 2 }])
  await receiver.app.riverhook.drain()
  t.match(errors, [
    { code: 'RIVERHOOK_DELIVER_TRANSACTION', message: /COMMIT or ROLLBACK/ },
    { code: 'RIVERHOOK_DELIVER_TRANSACTION', message: /an attempt has one/ }
  ])
  t.equal((await bookings(url)).length, 1)

  const without = await start(t, memoryInbox(), (_event, { transaction }) => transaction(async () => undefined))
  const [delivery] = await send(without, 'e1')
  t.match(delivery, { state: 'dead', lastError: /The inbox "memory" has no transactions.*needs PostgreSQL/ })
})

interface Shop {
  booking: { id: Generated<number>; event_id: string; amount: number }
}

t.test("a query builder over the client, on the merchant's own pool", async (t) => {
  const url = await createShop(t)
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  t.teardown(() => pool.end())
  const receiver = await start(t, postgresInbox({ pool, ...patient }), ({ id }, { transaction }) =>
    transaction(async (tx) => {
      const db = new Kysely<Shop>({
        dialect: new PostgresDialect({ pool: { connect: async () => tx, end: async () => undefined, options: {} } })
      })
      await db.insertInto('booking').values({ event_id: id, amount: 7 }).execute()
    })
  )
  t.match(await send(receiver, 'e1'), [{ state: 'done' }])
  t.same(await bookings(url), [{ event_id: 'e1', amount: 7 }])
  await receiver.app.close()
  t.same((await pool.query('SELECT 1 AS one')).rows, [{ one: 1 }], "the merchant's pool is not closed")
})
