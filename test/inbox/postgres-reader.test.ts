import pg from 'pg'
import t, { type Test } from 'tap'

import { Connections, ownPool } from '../../src/inbox/postgres/connections.ts'
import { Database, type Session } from '../../src/inbox/postgres/database.ts'
import { Reader, readUnlimited } from '../../src/inbox/postgres/reader.ts'
import { arrival } from './arrivals.ts'
import { patient, patientConnections } from './limits.ts'
import { openPostgres } from './open-postgres.ts'
import { run, startPostgres } from './postgres-server.ts'

// Risk: events are purged between two statements of a list, and its page is empty although there are others.

const server = await startPostgres()
t.teardown(() => server.stop())
const schema = 'riverhook'

type Read = <Result>(read: (session: Session) => Promise<Result>) => Promise<Result>

function connect(t: Test, connectionString: string, isOwn: boolean): Connections {
  const pool = isOwn ? ownPool(connectionString, { max: 2, ...patientConnections }) : new pg.Pool({ connectionString })
  t.teardown(() => pool.end())
  return new Connections({ pool, isOwn, ...patientConnections })
}

function readerOf(t: Test, address: string, isOwn: boolean): Read {
  const connections = connect(t, address, isOwn)
  const reader = new Reader({
    connectionString: address,
    schema,
    limitMs: patient.readLimitMs,
    connectTimeoutMs: patient.limitMs,
    shared: isOwn ? undefined : connections
  })
  t.teardown(() => reader.end())
  return (read) => reader.read(new Database(connections, schema), read)
}

const readers: Readonly<Record<string, (t: Test, address: string) => Read>> = {
  'of a server': (t, address) => readerOf(t, address, true),
  'of a server on the pool of an application': (t, address) => readerOf(t, address, false),
  'of a command': (t, address) => {
    const database = new Database(connect(t, address, true), schema)
    return (read) => readUnlimited(database, read)
  }
}

for (const [name, open] of Object.entries(readers))
  t.test(`all statements of a read ${name} see the same events, and can write nothing`, async (t) => {
    const address = await server.createDatabase(t)
    const inbox = await openPostgres(t, address)
    await inbox.record([arrival('1'), arrival('2')])
    const read = open(t, address)
    const count = async (session: Session) => (await session.query('SELECT seq FROM riverhook.event')).length
    const counts = await read(async (session) => {
      const before = await count(session)
      await run(address, "DELETE FROM riverhook.event WHERE id = '1'")
      return [before, await count(session)]
    })
    t.same(counts, [2, 2])
    t.equal(await read(count), 1)
    await t.rejects(
      read((session) => session.query("DELETE FROM riverhook.event WHERE id = '2'")),
      /read-only transaction/
    )
  })
