// Bookings that are made exactly once: the rows of the handler and the state "done" are committed in one transaction of
// the merchant's own database, through the merchant's own pool. This example uses the query builder Kysely.
//
//   DATABASE_URL=postgres://... RIVERHOOK_SECRETS=whk_... npm run example examples/exactly-once.ts

import Fastify from 'fastify'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import riverhook, { postgresInbox, type InboxTransaction } from 'riverhook'

interface Shop {
  booking: { order_id: string; amount: number; currency: string }
}

/** Makes a query builder whose queries all run on the given client, and so in its transaction. */
const within = (client: InboxTransaction): Kysely<Shop> =>
  new Kysely({
    dialect: new PostgresDialect({ pool: { connect: async () => client, end: async () => undefined, options: {} } })
  })

const app = Fastify({ logger: true })
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 20 })
// An idle connection may be lost at any time, and the pool replaces it. Without a listener, the error would end the
// process.
pool.on('error', (error) => {
  app.log.warn({ err: error }, 'a connection was lost')
})
await pool.query(
  'CREATE TABLE IF NOT EXISTS booking (order_id text NOT NULL, amount numeric NOT NULL, currency text NOT NULL)'
)

await app.register(riverhook, {
  secrets: () => (process.env['RIVERHOOK_SECRETS'] ?? '').split(','),
  inbox: postgresInbox({ pool })
})

app.riverhook.on('order.accepted', { name: 'book' }, async (event, { transaction, log }) => {
  const { id, totalAmount, currency } = event.data.object
  await transaction(async (client) => {
    await within(client).insertInto('booking').values({ order_id: id, amount: totalAmount, currency }).execute()
  })
  log.info('booked')
})

app.addHook('onClose', () => pool.end())
await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
