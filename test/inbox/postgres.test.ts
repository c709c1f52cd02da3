import t from 'tap'

import { postgresInbox } from '../../src/inbox/postgres/engine.ts'
import { inboxContract } from './contract.ts'
import { emptiedSchemas } from './emptied-schemas.ts'
import { openPostgres } from './open-postgres.ts'
import { startPostgres } from './postgres-server.ts'
import { sameAsMemory } from './same-as-memory.ts'

// Risk: on several machines, a promise that holds only on one.

const server = await startPostgres()
t.teardown(() => server.stop())

const connectionString = await server.createDatabase(t)
const schemas = await emptiedSchemas(t, connectionString)

void inboxContract(t, async (t) => {
  let now = 1_000_000_000_000
  const inbox = await openPostgres(t, connectionString, { schema: await schemas.take(t), clock: () => now })
  return {
    inbox,
    advance: (ms) => {
      now += ms
    },
    now: () => now
  }
})

t.test('any history gives the same answers as the memory engine', async (t) => {
  const schema = await schemas.take(t)
  await sameAsMemory(t, async (clock) => {
    await schemas.clear(schema)
    return postgresInbox({ connectionString, schema, clock })
  })
})
