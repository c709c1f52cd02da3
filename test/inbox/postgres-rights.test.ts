import t, { type Test } from 'tap'

import { migrationSql, postgresInbox } from '../../src/index.ts'
import { startReceiver } from '../receive/receiver.ts'
import { arrival } from './arrivals.ts'
import { claim } from './contract.ts'
import { run, startPostgres } from './postgres-server.ts'

// What a user would lose whose DBA gives a role what it needs and no more: a start that goes on for ever, and does not say why.

const server = await startPostgres()
t.teardown(() => server.stop())

/** @returns the database's address for its owner, and for a role that may do nothing in it yet */
async function createRole(t: Test): Promise<{ readonly owner: string; readonly role: string; readonly app: string }> {
  const owner = await server.createDatabase(t)
  const role = `app_${new URL(owner).pathname.slice(1)}`
  await run(owner, `CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  t.teardown(() => run(owner, `DROP OWNED BY ${role}; DROP ROLE ${role}`))
  const app = new URL(owner)
  app.username = role
  app.password = 'x'
  return { owner, role, app: app.href }
}

t.test('a role that owns its schema, and may not create one', async (t) => {
  const { owner, role, app } = await createRole(t)
  await run(owner, `CREATE SCHEMA riverhook AUTHORIZATION ${role}`)
  const inbox = postgresInbox({ connectionString: app })
  await inbox.open()
  t.same(await inbox.record([arrival('e1', ['ship'])]), ['accepted'])
  await inbox.close()
})

t.test('a role that was granted the tables that somebody else has made', async (t) => {
  const { owner, role, app } = await createRole(t)
  await run(owner, migrationSql(owner))
  await run(owner, `GRANT USAGE ON SCHEMA riverhook TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA riverhook TO ${role}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA riverhook TO ${role}`)
  const inbox = postgresInbox({ connectionString: app })
  await inbox.open()
  await inbox.adopt([{ name: 'ship', pattern: '*' }])
  t.same(await inbox.record([arrival('e1', ['ship'])]), ['accepted'])
  await inbox.close()
})

t.test('a role that acts as another one by default, in the transactions of handlers too', async (t) => {
  const { owner, role, app } = await createRole(t)
  const other = `${role}_owner`
  await run(owner, `CREATE ROLE ${other}; GRANT ${other} TO ${role}; ALTER ROLE ${role} SET role = '${other}'; CREATE SCHEMA riverhook AUTHORIZATION ${other}`)
  t.teardown(() => run(owner, `DROP OWNED BY ${other}; DROP ROLE ${other}`))
  const inbox = postgresInbox({ connectionString: app, maxConnections: 1 })
  await inbox.open()
  await inbox.record([arrival('1', ['ship']), arrival('2', ['ship'])])
  for (const held of await claim(inbox, ['ship'])) {
    const read = await inbox.transact!({ ...held, startedAt: new Date() }, async (tx) => (await tx.query<object>('SELECT current_user AS name')).rows)
    t.same(read, [{ name: other }])
  }
  await inbox.close()
})

t.test('a role without rights, and a wrong password: the start ends, and says what to do', async (t) => {
  const { app } = await createRole(t)
  const start = async (inbox: string): Promise<unknown> => (await startReceiver(t, { inbox })).app.ready()
  await t.rejects(start(app), { code: 'RIVERHOOK_INBOX_UNAVAILABLE', message: /permission denied.*GRANT CREATE ON DATABASE.*riverhook inbox migrate --print/ })
  const wrong = new URL(app)
  wrong.password = 's3cret'
  await t.rejects(start(wrong.href), { code: 'RIVERHOOK_INBOX_UNAVAILABLE', message: /^(?!.*s3cret).*password.*Check the user and the password/ })
})
