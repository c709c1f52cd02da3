import t from 'tap'

import { postgresInbox } from '../../src/inbox/postgres/engine.ts'
import { inboxContract } from './contract.ts'
import { startPostgres } from './postgres-server.ts'
import { sameAsMemory } from './same-as-memory.ts'

// What a user would lose: on several machines, everything that holds on one.

const server = await startPostgres()
t.teardown(() => server.stop())

void inboxContract(t, async (t) => {
  let now = 1_000_000_000_000
  const inbox = postgresInbox({ connectionString: await server.createDatabase(t), clock: () => now })
  await inbox.open()
  t.teardown(() => inbox.close())
  return { inbox, advance: (ms) => { now += ms }, now: () => now }
})

t.test('any history is answered as the memory engine answers it', async (t) => {
  let run = 0
  const connectionString = await server.createDatabase(t)
  await sameAsMemory(t, (clock) => postgresInbox({ connectionString, schema: `run_${run++}`, clock }))
})
