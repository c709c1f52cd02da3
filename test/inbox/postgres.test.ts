import t from 'tap'

import { postgresInbox } from '../../src/inbox/postgres/engine.ts'
import { inboxContract } from './contract.ts'
import { openPostgres } from './open-postgres.ts'
import { run, startPostgres } from './postgres-server.ts'
import { Reused } from './reused.ts'
import { sameAsMemory } from './same-as-memory.ts'

// What a user would lose: on several machines, everything that holds on one.

const server = await startPostgres()
t.teardown(() => server.stop())

// Making the tables takes longer than most of these tests.
const connectionString = await server.createDatabase(t)
let made = 0
const schemas = new Reused(() => Promise.resolve(`inbox_${made++}`), (schema) => clear(schema))

const clear = (schema: string) => run(connectionString, `DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = '${schema}' AND tablename <> 'migration' LOOP
    EXECUTE format('DELETE FROM ${schema}.%I', name);
  END LOOP;
  PERFORM setval(format('${schema}.%I', sequencename), 1, false) FROM pg_sequences WHERE schemaname = '${schema}';
END $$`)

void inboxContract(t, async (t) => {
  let now = 1_000_000_000_000
  const inbox = await openPostgres(t, connectionString, { schema: await schemas.take(t), clock: () => now })
  return { inbox, advance: (ms) => { now += ms }, now: () => now }
})

t.test('any history is answered as the memory engine answers it', async (t) => {
  const schema = await schemas.take(t)
  await sameAsMemory(t, async (clock) => {
    await clear(schema)
    return postgresInbox({ connectionString, schema, clock })
  })
})
