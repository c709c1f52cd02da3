import t, { type Test } from 'tap'

import { postgresInbox } from '../../src/inbox/postgres/engine.ts'
import { inboxContract } from './contract.ts'
import { openPostgres } from './open-postgres.ts'
import { run, startPostgres } from './postgres-server.ts'
import { sameAsMemory } from './same-as-memory.ts'

// What a user would lose: on several machines, everything that holds on one.

const server = await startPostgres()
t.teardown(() => server.stop())

// Making the tables takes longer than most of these tests: one that has ended leaves its own, emptied, to the next.
const connectionString = await server.createDatabase(t)
const unused: string[] = []
let made = 0

function takeSchema(t: Test): string {
  const schema = unused.pop() ?? `inbox_${made++}`
  t.teardown(async () => {
    await clear(schema)
    unused.push(schema)
  })
  return schema
}

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
  const inbox = await openPostgres(t, connectionString, { schema: takeSchema(t), clock: () => now })
  return { inbox, advance: (ms) => { now += ms }, now: () => now }
})

t.test('any history is answered as the memory engine answers it', async (t) => {
  const schema = takeSchema(t)
  await sameAsMemory(t, async (clock) => {
    await clear(schema)
    return postgresInbox({ connectionString, schema, clock })
  })
})
