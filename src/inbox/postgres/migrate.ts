import { RiverhookError } from '../../model/errors.ts'
import { longTimeoutMs, type Database } from './database.ts'
import { isPermanentAtStart, serverCode, tlsAdvice } from './faults.ts'
import { fingerprintOf, migrationTableSql, prelude, step } from './migration-text.ts'
import { schemaVersion } from './schema.ts'

/**
 * Creates the schema, or upgrades it to this version, in one transaction. Replicas that start together take turns.
 * @returns the version that was found; 0 if there was no schema
 * @throws {RiverhookError} RIVERHOOK_INBOX_VERSION if the schema is newer than this code
 */
export async function migrate(database: Database, schema: string): Promise<number> {
  // Check without a lock first: if the schema is complete, start-up changes nothing, and the role needs no right to
  // create.
  const found = await readVersion(database, schema)
  assertNotNewer(found, schema)
  if (found === schemaVersion) return found
  try {
    return await create(database, schema)
  } catch (error) {
    // Another replica created the schema, or the first table, at the same time.
    if (serverCode((error as Error).cause) === '23505') return migrate(database, schema)
    throw error
  }
}

async function create(database: Database, schema: string): Promise<number> {
  return database.transaction(
    async (tx) => {
      // CREATE SCHEMA IF NOT EXISTS requires the right to create even if the schema exists.
      const [owned] = await tx.query('SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema])
      await tx.run(owned === undefined ? prelude(schema) : migrationTableSql)
      // Not an advisory lock: any role that can connect could hold that.
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
 * @returns 0 if there is no schema yet
 * @throws {RiverhookError} RIVERHOOK_INBOX_VERSION if another build of this version made the schema
 */
export async function readVersion(database: Database, schema: string): Promise<number> {
  try {
    const [row] = await database.query(
      'SELECT version, fingerprint FROM riverhook.migration ORDER BY version DESC LIMIT 1'
    )
    const version = Number(row?.['version'] ?? 0)
    if (row !== undefined && version <= schemaVersion && row['fingerprint'] !== fingerprintOf(version))
      throw madeByAnotherBuild(schema)
    return version
  } catch (error) {
    const code = serverCode((error as { cause?: unknown }).cause)
    // The schema, or the table in it, does not exist.
    if (code === '42P01' || code === '3F000') return 0
    // The column does not exist.
    if (code === '42703') throw madeByAnotherBuild(schema)
    throw error
  }
}

function madeByAnotherBuild(schema: string): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_INBOX_VERSION',
    `The schema "${schema}" was made by another build of Riverhook, with other tables. Use another schema, or, if its events are not needed, drop it: DROP SCHEMA "${schema}" CASCADE`
  )
}

/**
 * Requires the schema to exist in this version.
 * @throws {RiverhookError} RIVERHOOK_INBOX_VERSION
 */
export async function requireSchema(database: Database, schema: string): Promise<void> {
  const version = await readVersion(database, schema)
  if (version === schemaVersion) return
  throw new RiverhookError(
    'RIVERHOOK_INBOX_VERSION',
    version === 0
      ? `There is no inbox in the schema "${schema}" of this database. Start the server, or run riverhook inbox migrate`
      : `The schema "${schema}" has version ${version}, but this command supports only version ${schemaVersion}. Use the same Riverhook version as the server, or run riverhook inbox migrate`
  )
}

/**
 * Explains a start-up error that retrying cannot fix, and says what to do.
 * @returns undefined for an error that may be temporary
 */
export function explainRefusal(error: unknown, schema: string): RiverhookError | undefined {
  const { cause, message } = error as Error
  if (!isPermanentAtStart(cause)) return undefined
  const advice = tlsAdvice(cause) ?? accessAdvice(cause, schema)
  return new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', `${message}. ${advice}`, { cause })
}

function accessAdvice(cause: unknown, schema: string): string {
  if (serverCode(cause) === undefined)
    return 'Check the files named in the inbox address: they must exist, and this process must be able to read them'
  return serverCode(cause) === '42501'
    ? `The role needs the schema "${schema}": let it create the schema (GRANT CREATE ON DATABASE), or make it the owner, or have another role run the output of riverhook inbox migrate --print and grant it USAGE on the schema, SELECT, INSERT, UPDATE and DELETE on its tables and USAGE on its sequences`
    : 'Check the user and the password of the inbox address, and pg_hba.conf on the server, which may require TLS (?sslmode=verify-full)'
}

function assertNotNewer(version: number, schema: string): void {
  if (version <= schemaVersion) return
  throw new RiverhookError(
    'RIVERHOOK_INBOX_VERSION',
    `The schema "${schema}" has version ${version}, but this Riverhook supports only version ${schemaVersion}: a newer Riverhook created it. Use that one, or another schema`
  )
}
