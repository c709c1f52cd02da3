import { RiverhookError } from './errors.ts'
import type { Inbox } from './inbox/inbox.ts'
import { memoryInbox } from './inbox/memory.ts'
import { postgresInbox } from './inbox/postgres/engine.ts'
import { migrationText } from './inbox/postgres/migrate.ts'
import { checkSchemaName } from './inbox/postgres/schema-name.ts'
import { sqliteInbox } from './inbox/sqlite/engine.ts'

/**
 * The inbox at an address, not opened yet.
 * @param address `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/DATABASE?schema=NAME` or `memory:`
 * @param role `command` looks in beside the server that has the file; see SqliteInboxOptions
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS
 */
export function openInbox(address: string, { role = 'server' }: { role?: 'server' | 'command' } = {}): Inbox {
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(address)?.[1]
  if (path !== undefined) return sqliteInbox({ path, role })
  if (isPostgres(address)) return postgresInbox({ ...readPostgres(address), role })
  if (address === 'memory:' && role === 'server') return memoryInbox()
  throw new RiverhookError(
    'RIVERHOOK_INBOX_ADDRESS',
    address === 'memory:'
      ? 'The inbox "memory:" can be seen only by the process that has it; use "sqlite:PATH" there and here'
      : `"${address.includes('@') ? `${address.split(':', 1)[0] ?? ''}:...` : address}" is not an inbox: write "sqlite:PATH", "postgres://USER:PASSWORD@HOST/DATABASE" or "memory:"`
  )
}

/**
 * The SQL that makes the tables of a PostgreSQL inbox, for somebody who runs it himself.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS for another inbox
 */
export function migrationSql(address: string): string {
  if (!isPostgres(address)) throw new RiverhookError('RIVERHOOK_INBOX_ADDRESS', 'Only a PostgreSQL inbox (postgres://...) has SQL to print: a SQLite file is made by its server')
  const { schema = 'riverhook' } = readPostgres(address)
  checkSchemaName(schema)
  return migrationText(schema)
}

const isPostgres = (address: string): boolean => /^postgres(?:ql)?:\/\//.test(address)

/** The parameter `schema` is ours; all others go to the driver. */
function readPostgres(address: string): { readonly connectionString: string; readonly schema?: string } {
  let url: URL
  try {
    url = new URL(address)
  } catch {
    throw new RiverhookError('RIVERHOOK_INBOX_ADDRESS', 'The inbox address postgres://... cannot be read: special characters in the password must be written as %XX')
  }
  const schema = url.searchParams.get('schema')
  url.searchParams.delete('schema')
  return { connectionString: url.href, ...(schema === null ? {} : { schema }) }
}
