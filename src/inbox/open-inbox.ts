import { RiverhookError } from '../model/errors.ts'
import { describeAddress, isPostgres, readPostgres, readPostgresUrl, sqlitePath } from './address.ts'
import type { Inbox } from './inbox.ts'
import { memoryInbox } from './memory/engine.ts'
import { postgresInbox } from './postgres/engine.ts'
import { migrationText } from './postgres/migrate.ts'
import { checkSchemaName } from './postgres/schema-name.ts'
import { sqliteInbox } from './sqlite/engine.ts'
import { resolveLinks } from './sqlite/resolve-links.ts'
import { backUpFile, restoreFile, type BackupContent, type Restored } from './sqlite/files.ts'

export type { BackupContent, Restored as RestoredInbox } from './sqlite/files.ts'

/**
 * The inbox at an address, not opened yet.
 * @param address `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/DATABASE?schema=NAME` or `memory:`
 * @param options.role `command` looks in beside the server that has the file; see SqliteInboxOptions
 * @param options.create whether a SQLite inbox may be begun where there is no file; default true for a server
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS
 */
export function openInbox(
  address: string,
  { role = 'server', create = role === 'server' }: { role?: 'server' | 'command'; create?: boolean } = {}
): Inbox {
  const path = sqlitePath(address)
  if (path !== undefined) return sqliteInbox({ path, role, create })
  if (isPostgres(address)) return postgresInbox({ ...readPostgres(address), role })
  if (address === 'memory:' && role === 'server') return memoryInbox()
  throw new RiverhookError(
    'RIVERHOOK_INBOX_ADDRESS',
    address === 'memory:'
      ? 'The inbox "memory:" can be seen only by the process that has it; use "sqlite:PATH" there and here'
      : `"${describeAddress(address)}" is not an inbox: write "sqlite:PATH", "postgres://USER:PASSWORD@HOST/DATABASE" or "memory:"`
  )
}

/** Whether two addresses, written in whatever way, are of one inbox, as far as they tell. */
export function isSameInbox(one: string, other: string): boolean {
  const [first, second] = [one, other].map((address) => {
    const path = sqlitePath(address)
    if (path !== undefined) return resolveLinks(path)
    if (!isPostgres(address)) return address
    const { hostname, port, pathname, searchParams } = readPostgresUrl(address)
    return JSON.stringify([
      searchParams.get('host') ?? hostname,
      port === '' ? '5432' : port,
      pathname,
      searchParams.get('schema') ?? 'riverhook'
    ])
  })
  return first === second
}

/**
 * The SQL that makes the tables of a PostgreSQL inbox, for a DBA who runs it.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS for another inbox
 */
export function migrationSql(address: string): string {
  if (!isPostgres(address))
    throw new RiverhookError(
      'RIVERHOOK_INBOX_ADDRESS',
      'Only a PostgreSQL inbox (postgres://...) has SQL to print: a SQLite file is made by its server'
    )
  const { schema = 'riverhook' } = readPostgres(address)
  checkSchemaName(schema)
  return migrationText(schema)
}

/**
 * Writes a whole and consistent copy of a SQLite inbox to a new file, while its server may be running.
 * @param to the file, which must not exist; it gets the mode 0600
 * @throws {RiverhookError} RIVERHOOK_INBOX_BACKUP, RIVERHOOK_INBOX_UNAVAILABLE; RIVERHOOK_INBOX_ADDRESS for another
 * inbox
 */
export async function backupInbox(address: string, to: string): Promise<BackupContent> {
  return backUpFile(
    filePath(address, 'backed up', (schema) => `pg_dump --format=custom --schema=${schema} DATABASE > FILE`),
    to
  )
}

/**
 * Puts a backup in the place of a SQLite inbox, once it is known to be whole and of this version. The inbox that is
 * replaced is kept beside it.
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE while a server has the inbox, RIVERHOOK_INBOX_BACKUP;
 * RIVERHOOK_INBOX_ADDRESS for another inbox
 */
export async function restoreInbox(address: string, from: string): Promise<Restored> {
  return restoreFile(
    filePath(address, 'restored', () => 'pg_restore --clean --if-exists --dbname=DATABASE FILE'),
    from
  )
}

function filePath(address: string, done: string, tool: (schema: string) => string): string {
  const path = sqlitePath(address)
  if (path !== undefined) return path
  if (!isPostgres(address)) {
    // Refuses what is no address at all.
    openInbox(address)
    throw new RiverhookError('RIVERHOOK_INBOX_ADDRESS', `The inbox "memory:" has no file that could be ${done}`)
  }
  const { schema = 'riverhook' } = readPostgres(address)
  throw new RiverhookError(
    'RIVERHOOK_INBOX_ADDRESS',
    `A PostgreSQL inbox is ${done} with its database, so that both are of one moment. Use: ${tool(schema)}`
  )
}
