import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'

import t from 'tap'

import { openInbox } from '../../src/index.ts'
import { readPostgres } from '../../src/inbox/address.ts'
import { assertServerVersion } from '../../src/inbox/postgres/database.ts'
import { unavailable } from '../../src/inbox/postgres/faults.ts'
import { explainRefusal } from '../../src/inbox/postgres/migrate.ts'

// Risk: an hour lost to an address as a database provider shows it, or to a message that does not name the mistake.

t.test('addresses in the forms that database providers show', (t) => {
  const read = {
    'postgres://user:pw@/db?host=/cloudsql/project:region:name':
      'postgres://user:pw@/db?host=%2Fcloudsql%2Fproject%3Aregion%3Aname',
    'postgres:///db?host=/tmp&user=u': 'postgres:///db?host=%2Ftmp&user=u',
    'postgres://u:p@%2Ftmp:5433/db': 'postgres://u:p@%2Ftmp:5433/db',
    'postgres://u:p@[::1]:5433/db?schema=shop&owner=deploy': 'postgres://u:p@[::1]:5433/db',
    'postgres://u:a%25b%40c%23d@host/db?sslmode=verify-full&schema=shop':
      'postgres://u:a%25b%40c%23d@host/db?sslmode=verify-full'
  }
  for (const [address, connectionString] of Object.entries(read))
    t.equal(readPostgres(address).connectionString, connectionString)
  t.match(readPostgres('postgres://h/d?schema=shop&owner=deploy'), { schema: 'shop', owner: 'deploy' })
  const refused = {
    'postgres://user:s3c%ret@host/db': /% as %25/,
    'postgres://user:s3c#ret@host/db': /# as %23/,
    'postgres://user:s3c/ret@host/db': /\/ as %2F/,
    'postgres://user:s3c?ret@host/db': /\? as %3F/,
    'postgres://user:s3cret@one:5432,two:5432/db': /several hosts/,
    'postgres://user:s3cret@host:54x2/db': /port is not a number/,
    'postgres://user:s3cret@host:54322222/db': /port is not a number up to 65535/,
    'postgres://user:s3cret@ho st/db': /cannot be read/
  }
  for (const [address, message] of Object.entries(refused)) {
    t.throws(() => openInbox(address), { code: 'RIVERHOOK_INBOX_ADDRESS', message })
    t.throws(() => openInbox(address), { message: /^(?!.*(s3c|ret))/ })
  }
  for (const schema of ['pg_temp', 'pg_catalog', 'pg_toast', 'pg_own', 'information_schema', 'Shop']) {
    t.throws(() => openInbox(`postgres://h/d?schema=${schema}`), {
      code: 'RIVERHOOK_INBOX_ADDRESS',
      message: schema.includes('_') ? /PostgreSQL's own/ : /small letters/
    })
  }
  t.end()
})

t.test('a host that cannot be reached: the error has its name and every address that was tried', async (t) => {
  const parts = ['::1', '127.0.0.1'].map((host) => new Error(`connect ECONNREFUSED ${host}:5432`))
  const error = Object.assign(new AggregateError(parts), { code: 'ECONNREFUSED' })
  t.equal(
    unavailable(error, 'db.internal:5432').message,
    'PostgreSQL at db.internal:5432: connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432 (ECONNREFUSED)'
  )
  const inbox = openInbox('postgres://user:s3cret@localhost:1/db', { role: 'command' })
  await t.rejects(inbox.open(), {
    code: 'RIVERHOOK_INBOX_UNAVAILABLE',
    message: /^(?!.*s3cret)PostgreSQL at localhost:1: connect ECONNREFUSED/
  })
  await inbox.close()
})

t.test('a TLS error stops the start, and says what to write', async (t) => {
  // A server without TLS, asked for TLS.
  const plain = createServer((socket) => {
    socket.once('data', () => socket.end('N'))
  })
  await once(plain.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => plain.close())
  const host = `127.0.0.1:${(plain.address() as AddressInfo).port}`
  const start = async (address: string): Promise<void> => {
    const inbox = openInbox(address)
    t.teardown(() => inbox.close())
    await inbox.open()
  }
  await t.rejects(start(`postgres://u:s3cret@${host}/db?sslmode=verify-full`), {
    code: 'RIVERHOOK_INBOX_UNAVAILABLE',
    message: /^(?!.*s3cret).*does not support SSL.*Turn TLS on/
  })
  await t.rejects(start(`postgres://u:s3cret@${host}/db?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`), {
    code: 'RIVERHOOK_INBOX_UNAVAILABLE',
    message: /\/nowhere\/ca\.pem.*Check the files/
  })
  const advice = {
    SELF_SIGNED_CERT_IN_CHAIN: /sslmode=verify-full&sslrootcert=PATH/,
    DEPTH_ZERO_SELF_SIGNED_CERT: /sslrootcert=PATH/,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: /sslrootcert=PATH/,
    ERR_TLS_CERT_ALTNAME_INVALID: /host name that the server's certificate is for/,
    CERT_HAS_EXPIRED: /Renew/
  }
  for (const [code, message] of Object.entries(advice))
    t.match(explainRefusal(unavailable(Object.assign(new Error('of TLS'), { code })), 'riverhook'), {
      code: 'RIVERHOOK_INBOX_UNAVAILABLE',
      message
    })
})

t.test('a server that is too old is named', (t) => {
  t.throws(
    () => {
      assertServerVersion(120_022)
    },
    { code: 'RIVERHOOK_INBOX_VERSION', message: /PostgreSQL 12 is too old.*13 or newer/ }
  )
  assertServerVersion(130_000)
  t.end()
})
