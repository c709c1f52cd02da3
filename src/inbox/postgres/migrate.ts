import { RiverhookError } from '../../model/errors.ts'
import { longTimeoutMs, type Database } from './database.ts'
import { isPermanentAtStart, serverCode, tlsAdvice } from './faults.ts'
import { schemaText } from './schema-name.ts'
import { schemaVersion, versions } from './schema.ts'

/**
 * Creates the schema, or brings it to this version, in one transaction. Replicas that start together take turns.
 * @returns the version that was found; 0: there was none
 * @throws {RiverhookError} RIVERHOOK_INBOX_VERSION when it is newer than this code
 */
export async function migrate(database: Database, schema: string): Promise<number> {
  // Seen without a lock first, so that a start changes nothing, and a role that may not create is enough where all is
  // there.
  const found = await versionOf(database)
  assertNotNewer(found, schema)
  if (found === schemaVersion) return found
  try {
    return await create(database, schema)
  } catch (error) {
    // Another replica has made the schema, or the first table, at the same time.
    if (serverCode((error as Error).cause) === '23505') return migrate(database, schema)
    throw error
  }
}

async function create(database: Database, schema: string): Promise<number> {
  return database.transaction(
    async (tx) => {
      // To ask for a schema that is there needs the right to create one all the same.
      const [owned] = await tx.query('SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema])
      await tx.run(owned === undefined ? prelude(schema) : migrationTableSql)
      // Not an advisory lock, which anybody could hold who may connect.
      await tx.run('LOCK TABLE riverhook.migration IN EXCLUSIVE MODE')
      const [row] = await tx.query('SELECT coalesce(max(version), 0)::int AS version FROM riverhook.migration')
      const from = Number(row?.['version'])
      assertNotNewer(from, schema)
      for (let version = from; version < schemaVersion; version += 1) await tx.run(step(version))
      return from
    },
    { statementTimeoutMs: longTimeoutMs }
  )
}

/**
 * What `migrate` would run on an empty database, for somebody who runs it himself. @param from the version that is
 * there
 */
export function migrationText(schema: string, from = 0): string {
  const steps = versions.slice(from).map((_sql, index) => step(from + index))
  return schemaText(
    `BEGIN;\nSET LOCAL search_path = pg_catalog, pg_temp;\n${prelude(schema)}\n${steps.join('\n')}\nCOMMIT;\n`,
    schema
  )
}

/** @returns 0 where there is no schema yet */
export async function versionOf(database: Database): Promise<number> {
  try {
    const [row] = await database.query('SELECT coalesce(max(version), 0)::int AS version FROM riverhook.migration')
    return Number(row?.['version'])
  } catch (error) {
    const code = serverCode((error as { cause?: unknown }).cause)
    // The schema, or the table in it, does not exist.
    if (code === '42P01' || code === '3F000') return 0
    throw error
  }
}

/**
 * What a start fails with that will fail again however often it is tried: it says what to do.
 * @returns undefined for what may pass
 */
export function explainRefusal(error: unknown, schema: string): RiverhookError | undefined {
  const { cause, message } = error as Error
  if (!isPermanentAtStart(cause)) return undefined
  const advice = tlsAdvice(cause) ?? adviceOf(cause, schema)
  return new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', `${message}. ${advice}`, { cause })
}

function adviceOf(cause: unknown, schema: string): string {
  if (serverCode(cause) === undefined) return 'Check the files that the inbox address names, and who may read them'
  return serverCode(cause) === '42501'
    ? `The role needs the schema "${schema}": let it create one (GRANT CREATE ON DATABASE), or own it, or have somebody else run the output of riverhook inbox migrate --print and grant it USAGE on the schema, SELECT, INSERT, UPDATE and DELETE on its tables and USAGE on its sequences`
    : 'Check the user and the password of the inbox address, and what the server permits (pg_hba.conf): it may want TLS (?sslmode=verify-full)'
}

const migrationTableSql = `CREATE TABLE IF NOT EXISTS riverhook.migration (
  version    integer     PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT now(),
  -- Of our advisory locks: the first row's counts.
  salt       bigint      NOT NULL DEFAULT hashtextextended(gen_random_uuid()::text, 0)
);`

function prelude(schema: string): string {
  return `CREATE SCHEMA IF NOT EXISTS "${schema}";\n${migrationTableSql}`
}

function step(version: number): string {
  return `${versions[version]?.trim() ?? ''}\nINSERT INTO riverhook.migration (version) VALUES (${version + 1});`
}

function assertNotNewer(version: number, schema: string): void {
  if (version <= schemaVersion) return
  throw new RiverhookError(
    'RIVERHOOK_INBOX_VERSION',
    `The schema "${schema}" has version ${version}, and this Riverhook knows ${schemaVersion}: it was written by a newer one. Start that, or use another schema`
  )
}
