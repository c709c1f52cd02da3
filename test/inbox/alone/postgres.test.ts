import pg from 'pg'
import t from 'tap'

import { postgresInbox } from '../../../src/inbox/postgres/engine.ts'
import { failedSql } from '../../../src/inbox/postgres/failed.ts'
import { arrival } from '../arrivals.ts'
import { readerContract } from '../contract-reader.ts'
import { inboxContract } from '../contract.ts'
import { emptiedInboxes } from '../emptied-inboxes.ts'
import { emptiedSchemas, keptPresenceMs } from '../emptied-schemas.ts'
import { patient } from '../limits.ts'
import { openPostgres } from '../open-postgres.ts'
import { startPostgres } from '../postgres-server.ts'
import { sameAsMemory } from '../same-as-memory.ts'

// Risk: on several machines, a promise that holds only on one.

const server = await startPostgres()
t.teardown(() => server.stop())

const connectionString = await server.createDatabase(t)
const admin = new pg.Client({ connectionString })
await admin.connect()
t.teardown(() => admin.end())
const schemas = await emptiedSchemas(t, connectionString)

const inboxes = emptiedInboxes(t, async (clock, number) => {
  const schema = `emptied_${number}`
  const inbox = postgresInbox({ connectionString, schema, clock, presenceMs: keptPresenceMs, ...patient })
  await inbox.open()
  return { inbox, schema, empty: () => schemas.clear(schema) }
})

void inboxContract(t, async (t) => {
  const { inbox, schema, now, advance } = await inboxes.take(t)
  return {
    inbox,
    advance,
    now,
    refuseWrites: async (tables) => {
      await admin.query(
        `CREATE FUNCTION "${schema}".refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END';
        ${tables.map((table) => `CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON "${schema}".${table} EXECUTE FUNCTION "${schema}".refuse()`).join(';')}`
      )
      return async () => {
        await admin.query(`DROP FUNCTION "${schema}".refuse() CASCADE`)
      }
    }
  }
})

void readerContract(t, async (t, options) =>
  openPostgres(t, connectionString, { schema: await schemas.take(t), ...options })
)

// Risk: a list or a count of millions of events that takes a connection and a processor for minutes.
t.test('a read that takes longer than its limit is ended, while events are recorded', async (t) => {
  const schema = await schemas.take(t)
  const inbox = await openPostgres(t, connectionString, { schema, readLimitMs: 1_000 })
  await inbox.record([arrival('before')])
  const other = new pg.Client({ connectionString })
  await other.connect()
  t.teardown(() => other.end())
  // The kinds of mismatches cannot be read now.
  await other.query(`BEGIN; LOCK TABLE "${schema}".drift IN ACCESS EXCLUSIVE MODE`)
  const read = inbox.drifts()
  t.same(await inbox.record([arrival('between')]), ['accepted'])
  await t.rejects(read, { code: 'RIVERHOOK_INBOX_READ_LIMIT', message: /longer than 1000 ms/ })
  await other.query('ROLLBACK')
  t.same(await inbox.drifts(), [])
})

// Risk: a list of what fails that reads and sorts millions of deliveries.
t.test('the list of what fails reads the newest entries of its index', async (t) => {
  const schema = await schemas.take(t)
  await openPostgres(t, connectionString, { schema })
  await admin.query('BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off')
  const { rows } = await admin.query<Record<string, string>>(
    `EXPLAIN ${failedSql.replaceAll('riverhook.', `"${schema}".`).replace('$1', '5')}`
  )
  await admin.query('ROLLBACK')
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  t.match(plan, /Limit[^\n]*\n[^\n]*Index Scan Backward using delivery_error/)
})

t.test('any history gives the same answers as the memory engine', async (t) => {
  await sameAsMemory(t, async (clock) => (await inboxes.lend(clock)).inbox)
})

t.test(
  'an inbox object that was closed is not opened again: a server would start with it, and answer 503',
  async (t) => {
    const schema = await schemas.take(t)
    const inbox = await openPostgres(t, connectionString, { schema })
    await inbox.close()
    await t.rejects(inbox.open(), { code: 'RIVERHOOK_INBOX_CLOSED', message: /was closed.*make another one/ })
    await t.rejects(inbox.record([arrival('late')]), { code: 'RIVERHOOK_INBOX_CLOSED' })
  }
)
