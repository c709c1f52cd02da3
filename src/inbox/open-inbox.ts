import { dirname } from 'node:path'

import { RiverhookError } from '../model/errors.ts'
import { describeAddress, isPostgres, readPostgres, readPostgresUrl, sqlitePath } from './address.ts'
import type { Inbox } from './inbox.ts'
import { memoryInbox } from './memory/engine.ts'
import { postgresInbox } from './postgres/engine.ts'
import { migrationText } from './postgres/migrate.ts'
import { checkSchemaName } from './postgres/schema-name.ts'
import { requireFolder } from './sqlite/access.ts'
import { sqliteInbox } from './sqlite/engine.ts'
import { resolveLinks } from './sqlite/resolve-links.ts'
import { backUpFile, restoreFile, type BackupContent, type Restored } from './sqlite/files.ts'

export type { BackupContent, Restored as RestoredInbox } from './sqlite/files.ts'

/**
 * Creates the inbox at an address. Does not open it.
 * @param address `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/DATABASE?schema=NAME` or `memory:`
 * @param options.role `command` works beside a running server; see SqliteInboxOptions
 * @param options.create true if a SQLite inbox may be created if there is no file; default true for a server
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
      ? 'The inbox "memory:" can be read only by the process that has it. Use "sqlite:PATH" for both the server and the command'
      : `"${describeAddress(address)}" is not an inbox: use "sqlite:PATH", "postgres://USER:PASSWORD@HOST/DATABASE" or "memory:"`
  )
}

/**
 * Checks an inbox address without opening the inbox: that it can be read, and that the folder of a SQLite file exists.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS, RIVERHOOK_INBOX_UNAVAILABLE
 */
export function checkInboxAddress(address: string): void {
  openInbox(address)
  const path = sqlitePath(address)
  if (path !== undefined) requireFolder(dirname(resolveLinks(path)))
}

/** True if two addresses name the same inbox, even if they are written differently. */
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
 * Returns the SQL that creates the tables of a PostgreSQL inbox, for a DBA to run.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS for an inbox of another engine
 */
export function migrationSql(address: string): string {
  if (!isPostgres(address))
    throw new RiverhookError(
      'RIVERHOOK_INBOX_ADDRESS',
      'Only a PostgreSQL inbox (postgres://...) has SQL to print: the server creates a SQLite file itself'
    )
  const { schema = 'riverhook' } = readPostgres(address)
  checkSchemaName(schema)
  return migrationText(schema)
}

/**
 * Writes a complete and consistent copy of a SQLite inbox to a new file. Its server may be running.
 * @param to the file, which must not exist. It gets the mode 0600
 * @throws {RiverhookError} RIVERHOOK_INBOX_BACKUP, RIVERHOOK_INBOX_UNAVAILABLE; RIVERHOOK_INBOX_ADDRESS for an inbox of
 * another engine
 */
export async function backupInbox(address: string, to: string): Promise<BackupContent> {
  return backUpFile(
    filePath(address, 'backed up', (schema) => `pg_dump --format=custom --schema=${schema} DATABASE > FILE`),
    to
  )
}

/**
 * Replaces a SQLite inbox by a backup, after checking that the backup is complete and has this version. Keeps the
 * replaced inbox beside it.
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE while a server uses the inbox; RIVERHOOK_INBOX_BACKUP;
 * RIVERHOOK_INBOX_ADDRESS for an inbox of another engine
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
    // Throws if this is not an address.
    openInbox(address)
    throw new RiverhookError('RIVERHOOK_INBOX_ADDRESS', `The inbox "memory:" has no file that can be ${done}`)
  }
  const { schema = 'riverhook' } = readPostgres(address)
  throw new RiverhookError(
    'RIVERHOOK_INBOX_ADDRESS',
    `A PostgreSQL inbox must be ${done} together with its database, so that both are consistent. Use: ${tool(schema)}`
  )
}
