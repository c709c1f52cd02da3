import { randomBytes } from 'node:crypto'

import pg from 'pg'
import type { Test } from 'tap'

import { startEmbedded, type EmbeddedServer } from './embedded-postgres.ts'
import { Reused } from './reused.ts'
import { sharePostgres } from './shared-postgres.ts'

/** A real PostgreSQL for the tests of one file. */
export interface PostgresServer {
  /** Gives a test an empty database. @returns its address */
  createDatabase(t: Pick<Test, 'teardown'>): Promise<string>
  stop(): Promise<void>
}

/** The server that `DATABASE_URL` names, otherwise the one that the test files of this run share. */
export async function startPostgres(): Promise<PostgresServer> {
  const given = process.env['DATABASE_URL']
  return given === undefined ? startShared() : serverAt(given, () => undefined)
}

/** The server that the test files of this run share, even if `DATABASE_URL` is set. It accepts 400 connections. */
export async function startShared(): Promise<PostgresServer> {
  const { address, release } = await sharePostgres()
  return serverAt(address, release)
}

function serverAt(address: string, release: () => void): PostgresServer {
  const { createDatabase, drop } = databasesOf(address)
  return {
    createDatabase,
    async stop() {
      await drop()
      release()
    }
  }
}

/**
 * A separate server, for tests that restart it or use up its connections.
 * @param flags of the server, such as `-c max_connections=50`
 */
export async function startOwnPostgres(
  flags: readonly string[] = []
): Promise<PostgresServer & Pick<EmbeddedServer, 'restart'>> {
  const { address, restart, stop } = await startEmbedded(flags)
  return { createDatabase: databasesOf(address).createDatabase, restart, stop }
}

/** Creating a database copies hundreds of files. */
function databasesOf(server: string) {
  const addressOf = (name: string): string => {
    const url = new URL(server)
    url.pathname = `/${name}`
    return url.href
  }
  const make = async (): Promise<string> => {
    const name = `riverhook_${randomBytes(6).toString('hex')}`
    await run(server, `CREATE DATABASE ${name}`)
    return name
  }
  const databases = new Reused(make, (name) => run(addressOf(name), empty))
  return {
    createDatabase: async (t: Pick<Test, 'teardown'>) => addressOf(await databases.take(t)),
    async drop() {
      for (const name of databases.unused) await run(server, `DROP DATABASE ${name} WITH (FORCE)`)
    }
  }
}

/** Resets a database, even if sessions are still connected. */
const empty = `SET search_path = pg_catalog; DO $$
DECLARE name text;
BEGIN
  PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name);
  END LOOP;
  EXECUTE format('ALTER DATABASE %I RESET ALL', current_database());
  CREATE SCHEMA public AUTHORIZATION pg_database_owner;
  GRANT USAGE ON SCHEMA public TO PUBLIC;
END $$`

/** Runs one statement on a separate connection. */
export async function run(address: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}
