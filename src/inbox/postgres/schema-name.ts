import { RiverhookError } from '../../model/errors.ts'

/** @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS for a name that needs quoting, or that is reserved by PostgreSQL */
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
    `"${name}" cannot be the inbox's schema: use at most 51 small letters, digits and _, beginning with a letter or _`
  )
}

const cache = new Map<string, string>()

/** Rewrites a statement, which the code writes for the schema `riverhook`, for the schema `name`. */
export function schemaText(sql: string, name: string): string {
  if (name === 'riverhook' || sql === '') return sql
  const key = `${name} ${sql}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const text = sql.replaceAll(/\briverhook\./g, `"${name}".`)
  // Limit the cache: statements with inlined values never repeat.
  if (cache.size < 1_000) cache.set(key, text)
  return text
}
