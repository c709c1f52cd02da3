import { createHash } from 'node:crypto'

import pg from 'pg'
import t, { type Test } from 'tap'

import { migrationSql, postgresInbox, type PostgresInboxOptions } from '../../src/index.ts'
import { startReceiver } from '../receive/receiver.ts'
import { arrival } from './arrivals.ts'
import { claim } from './contract.ts'
import { patient } from './limits.ts'
import { run, startPostgres } from './postgres-server.ts'
import { keyOf, keysOf, realm } from '../event-keys.ts'

// Risk with a role of minimal rights: a start that never ends, without an error.

const server = await startPostgres()
t.teardown(() => server.stop())

/** @returns the database's address for its owner, and for a role without rights in it */
async function createRole(
  t: Test,
  database?: string
): Promise<{ readonly owner: string; readonly role: string; readonly app: string }> {
  const owner = database ?? (await server.createDatabase(t))
  const role = `${database === undefined ? 'app' : 'other'}_${new URL(owner).pathname.slice(1)}`
  await run(owner, `CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  t.teardown(() => run(owner, `DROP OWNED BY ${role}; DROP ROLE ${role}`))
  const app = new URL(owner)
  app.username = role
  app.password = 'x'
  return { owner, role, app: app.href }
}

t.test('a role that owns its schema and may not create one', async (t) => {
  const { owner, role, app } = await createRole(t)
  await run(owner, `CREATE SCHEMA riverhook AUTHORIZATION ${role}`)
  const inbox = postgresInbox({ connectionString: app, ...patient })
  await inbox.open()
  t.same(await inbox.record([arrival('e1', ['ship'])]), ['accepted'])
  await inbox.close()
})

t.test('a role with grants on tables of another owner', async (t) => {
  const { owner, role, app } = await createRole(t)
  await run(owner, migrationSql(owner))
  await run(
    owner,
    `GRANT USAGE ON SCHEMA riverhook TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA riverhook TO ${role}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA riverhook TO ${role}`
  )
  const inbox = postgresInbox({ connectionString: app, ...patient })
  await inbox.open()
  await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
  t.same(await inbox.record([arrival('e1', ['ship'])]), ['accepted'])
  await inbox.close()
})

t.test('a role that acts as another role by default, in the transactions of handlers too', async (t) => {
  const { owner, role, app } = await createRole(t)
  const other = `${role}_owner`
  await run(
    owner,
    `CREATE ROLE ${other}; GRANT ${other} TO ${role}; ALTER ROLE ${role} SET role = '${other}'; CREATE SCHEMA riverhook AUTHORIZATION ${other}`
  )
  t.teardown(() => run(owner, `DROP OWNED BY ${other}; DROP ROLE ${other}`))
  const inbox = postgresInbox({ connectionString: app, maxConnections: 1, ...patient })
  await inbox.open()
  await inbox.record([arrival('1', ['ship']), arrival('2', ['ship'])])
  for (const held of await claim(inbox, ['ship'])) {
    const read = await inbox.transact!(
      { ...held, startedAt: new Date() },
      async (tx) => (await tx.query<object>('SELECT current_user AS name')).rows
    )
    t.same(read, [{ name: other }])
  }
  await inbox.close()
})

t.test('a role without rights, and a wrong password: the start fails with instructions', async (t) => {
  const { app } = await createRole(t)
  const start = async (inbox: string): Promise<unknown> => (await startReceiver(t, { inbox })).app.ready()
  await t.rejects(start(app), {
    code: 'RIVERHOOK_INBOX_UNAVAILABLE',
    message: /permission denied.*GRANT CREATE ON DATABASE.*riverhook inbox migrate --print/
  })
  const wrong = new URL(app)
  wrong.password = 's3cret'
  await t.rejects(start(wrong.href), {
    code: 'RIVERHOOK_INBOX_UNAVAILABLE',
    message: /^(?!.*s3cret).*password.*Check the user and the password/
  })
})

t.test('a schema or a table of another owner is refused, unless the owner is named as trusted', async (t) => {
  const { owner, app, role } = await createRole(t)
  const stranger = await createRole(t, owner)
  await run(owner, `GRANT CREATE ON DATABASE ${new URL(owner).pathname.slice(1)} TO ${stranger.role}`)
  await run(stranger.app, migrationSql(owner))
  await run(
    stranger.app,
    `GRANT USAGE ON SCHEMA riverhook TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA riverhook TO PUBLIC; GRANT ALL ON ALL SEQUENCES IN SCHEMA riverhook TO PUBLIC`
  )
  const refusal = {
    code: 'RIVERHOOK_INBOX_ADDRESS',
    message: new RegExp(`"riverhook".*belongs to "${stranger.role}".*owner=NAME.*"${role}"`)
  }
  const open = async (address: string, options: PostgresInboxOptions = {}): Promise<void> => {
    const inbox = postgresInbox({ connectionString: address, ...patient, ...options })
    await inbox.open().finally(() => inbox.close())
  }
  await t.rejects(open(app), refusal)
  await t.rejects(open(app, { role: 'command' }), refusal)
  await t.rejects(open(owner), { code: 'RIVERHOOK_INBOX_ADDRESS' }, 'a superuser trusts no more')
  await open(app, { owner: stranger.role })
  await run(owner, `ALTER SCHEMA riverhook OWNER TO ${role}`)
  await t.rejects(open(app), refusal, 'its tables are still those of the other')
  await run(owner, `GRANT ${stranger.role} TO ${role}`)
  await open(app)
})

t.test('a role that may only connect cannot hold our locks', async (t) => {
  const { owner, app } = await createRole(t)
  const client = new pg.Client({ connectionString: app })
  await client.connect()
  t.teardown(() => client.end())
  const key = createHash('sha256').update('riverhook\0ship\0o1').digest().readBigInt64BE()
  await client.query(
    `SELECT pg_advisory_lock(${key}), pg_advisory_lock(hashtextextended('riverhook.adopt', 0)), pg_advisory_lock(hashtextextended('riverhook.migrate', 0))`
  )
  const inbox = postgresInbox({ connectionString: owner, ...patient })
  await inbox.open()
  t.teardown(() => inbox.close())
  await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
  t.same(await inbox.record([arrival('e1', [{ handler: 'ship', orderKey: 'o1' }])]), ['accepted'])
  t.equal((await claim(inbox, ['ship'])).length, 1)
})

t.test('with read-only rights or on a read-only server, reads work, and a write reports the reason', async (t) => {
  const { owner, role, app } = await createRole(t)
  const inbox = postgresInbox({ connectionString: owner, ...patient })
  await inbox.open()
  t.teardown(() => inbox.close())
  await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
  await inbox.record([arrival('e1', ['ship'])])
  await run(
    owner,
    `GRANT USAGE ON SCHEMA riverhook TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA riverhook TO ${role}`
  )
  const refusals = {
    [app]: /permission denied.*has not been granted that \(42501\)/,
    [`${owner}?options=-c%20default_transaction_read_only%3Don`]: /read-only transaction.*standby/
  }
  for (const [connectionString, message] of Object.entries(refusals)) {
    const reader = postgresInbox({ connectionString, role: 'command' })
    await reader.open()
    t.teardown(() => reader.close())
    t.equal((await reader.events({ limit: 1, handler: 'ship' })).events.length, 1)
    t.match(await reader.event(keyOf('e1')), { deliveries: [{ state: 'pending' }] })
    t.match(await reader.stats(), { events: 1, deliveries: { pending: 1 } })
    t.same(
      [
        await reader.drifts(),
        [...(await reader.watermarks())],
        (await reader.handlers()).length,
        [...(await reader.known(realm, ['e1']))]
      ],
      [[], [], 1, ['e1']]
    )
    // One after the other: a promise that rejects before it is awaited is an unhandled rejection.
    for (const write of [
      (): Promise<unknown> => reader.replay([{ event: keyOf('e1'), handler: 'ship' }]),
      (): Promise<unknown> => reader.remove(keysOf('e1'))
    ])
      await t.rejects(write, { code: 'RIVERHOOK_INBOX_UNAVAILABLE', message })
  }
})
