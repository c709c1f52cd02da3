import { RiverhookError } from './errors.ts'

/** Whether an address is of a PostgreSQL inbox. */
export const isPostgres = (address: string): boolean => /^postgres(?:ql)?:\/\//.test(address)

/** The path in the address of a SQLite inbox; undefined for another one. */
export const sqlitePath = (address: string): string | undefined => /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(address)?.[1]

/**
 * The address of a PostgreSQL inbox, read.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS, without any part of the address: it may be one of the password
 */
export function readPostgresUrl(address: string): URL {
  const url = URL.parse(address)
  if (url !== null && !isMisread(url)) return url
  throw new RiverhookError(
    'RIVERHOOK_INBOX_ADDRESS',
    'The inbox address postgres://... cannot be read: special characters in the user and the password must be written as %XX, for example / as %2F, ? as %3F, # as %23 and @ as %40'
  )
}

/** A raw `/`, `?` or `#` ends the user and password early, and what follows, up to the `@`, is taken for a host, a path or a parameter. */
function isMisread({ pathname, search, hash }: URL): boolean {
  return pathname.includes('@') || hash.includes('@') || (search.includes('@') && /^\/?$/.test(pathname))
}

/**
 * An address for messages and logs: without user and password, and without parameters, which may hold them too. Where it cannot be read, nothing but its kind.
 * All that shows an address shows this.
 */
export function describeAddress(address: string): string {
  if (sqlitePath(address) !== undefined || address === 'memory:') return address
  // Nothing in it separates a secret from the rest: shown so that a typing error can be seen.
  if (/^(?:[a-z]+:\/\/)?[\w./-]{1,64}$/.test(address)) return address
  const kind = /^[a-z]+:\/\//i.exec(address)?.[0] ?? ''
  const url = URL.parse(address)
  if (!isPostgres(address) || url === null || isMisread(url)) return `${kind}...`
  const schema = url.searchParams.get('schema')
  return `${url.protocol}//${url.host}${url.pathname}${schema === null ? '' : `?schema=${schema}`}`
}
