import { RiverhookError } from '../../model/errors.ts'

/**
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS for a name that would need quotes everywhere, and for a schema of
 * PostgreSQL's own
 */
export function checkSchemaName(name: string): void {
  if (name.startsWith('pg_') || name === 'information_schema') {
    throw new RiverhookError(
      'RIVERHOOK_INBOX_ADDRESS',
      `"${name}" cannot be the inbox's schema: names that begin with pg_, and information_schema, are PostgreSQL's own`
    )
  }
  if (/^[a-z_][a-z0-9_]{0,50}$/.test(name)) return
  throw new RiverhookError(
    'RIVERHOOK_INBOX_ADDRESS',
    `"${name}" cannot be the inbox's schema: write small letters, digits and _, beginning with a letter, 51 at most`
  )
}

const cache = new Map<string, string>()

/** A statement for the schema of that name: in the code every one is written for `riverhook`. */
export function schemaText(sql: string, name: string): string {
  if (name === 'riverhook' || sql === '') return sql
  const key = `${name} ${sql}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const text = sql.replaceAll(/\briverhook\./g, `"${name}".`)
  // Statements with values written in are of no use a second time.
  if (cache.size < 1_000) cache.set(key, text)
  return text
}
