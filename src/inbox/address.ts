import { distance } from 'fastest-levenshtein'

import { RiverhookError } from '../model/errors.ts'

/** True for the address of a PostgreSQL inbox. */
export const isPostgres = (address: string): boolean => /^postgres(?:ql)?:\/\//i.test(address)

/** Returns the path in the address of a SQLite inbox; undefined for other addresses. */
export const sqlitePath = (address: string): string | undefined => /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(address)?.[1]

/**
 * Refuses a text that is no address of an inbox.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS, without what may be part of a password
 */
export function checkAddress(address: string): void {
  if (isPostgres(address)) readPostgresUrl(address)
  else if (sqlitePath(address) === undefined && address !== 'memory:')
    throw new RiverhookError(
      'RIVERHOOK_INBOX_ADDRESS',
      `"${describeAddress(address)}" is not an inbox: set inbox, or RIVERHOOK_INBOX, to "sqlite:PATH", "postgres://USER:PASSWORD@HOST/DATABASE" or "memory:"`
    )
}

export interface PostgresAddress {
  /** For the driver. */
  readonly connectionString: string
  readonly schema?: string
  readonly owner?: string
}

/**
 * Converts the address of a PostgreSQL inbox to options of its engine. The parameters `schema` and `owner` are ours.
 * All others are passed to the driver.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS, see readPostgresUrl
 */
export function readPostgres(address: string): PostgresAddress {
  readPostgresUrl(address)
  const [base = '', query = ''] = splitAt(address, '?')
  const parameters = new URLSearchParams(query)
  const own = Object.fromEntries(
    ['schema', 'owner'].flatMap((name) => {
      const value = parameters.get(name)
      parameters.delete(name)
      return value === null ? [] : [[name, value]]
    })
  )
  return { connectionString: parameters.size === 0 ? base : `${base}?${parameters.toString()}`, ...own }
}

/**
 * Parses the address of a PostgreSQL inbox. The host may be missing, for example if the parameter `host` names a Unix
 * socket: `postgres://USER:PASSWORD@/DATABASE?host=/cloudsql/PROJECT:REGION:INSTANCE`. Then it is `localhost`, as for
 * the driver.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS, without any part of the address, which may be part of the password
 */
export function readPostgresUrl(address: string): URL {
  const [base = ''] = splitAt(address, '?')
  const [, authority = ''] = /^[^/]*\/\/([^/]*)/.exec(base) ?? []
  const hosts = authority.slice(authority.lastIndexOf('@') + 1)
  const port = /:([^:\]]*)$/.exec(hosts)?.[1] ?? ''
  if (hosts.includes(','))
    throw unreadable(
      'it has several hosts, and the inbox connects to one. Use a name that always resolves to the primary'
    )
  if (!/^\d*$/.test(port) || Number(port) > 65_535)
    throw unreadable(`the port is not a number up to 65535, or ${escaping}`)
  const url = URL.parse(hosts === '' ? address.replace(`//${authority}`, () => `//${authority}localhost`) : address)
  if (url === null || url.hash !== '' || isMisread(url) || !isEncoded(base)) throw unreadable(escaping)
  return url
}

const escaping =
  'special characters in the user and the password must be written as %XX, for example / as %2F, ? as %3F, # as %23, % as %25 and @ as %40'

function unreadable(reason: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_INBOX_ADDRESS', `The inbox address postgres://... cannot be read: ${reason}`)
}

function splitAt(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/**
 * True if the password may have been parsed as another part: a raw `/`, `?` or `#` ends the user and password, so the
 * rest, up to the `@`, is parsed as a host, path or parameter.
 */
function isMisread({ pathname, search, hash }: URL): boolean {
  return pathname.includes('@') || hash.includes('@') || (search.includes('@') && /^\/?$/.test(pathname))
}

/** True if there is a second `@` after the `?`: the first one, and the text after it, may belong to the password. */
function mayBeMisread({ username, password, search }: URL): boolean {
  return search.includes('@') && (username !== '' || password !== '')
}

/** Returns the beginning of an address if it resembles a kind of address, such as `sqlit:`. It is no password then. */
function findMistypedKind(address: string): string {
  const [kind = ''] = /^[a-z]{1,12}:/.exec(address) ?? []
  return ['sqlite:', 'postgres:', 'postgresql:', 'memory:'].some((known) => distance(kind, known) <= 2) ? kind : ''
}

/**
 * Converts an address to text for messages and logs, without the user, the password and the parameters, which may have
 * secrets too. Returns only its kind if it cannot be parsed. Use this wherever an address is shown.
 */
export function describeAddress(address: string): string {
  if (sqlitePath(address) !== undefined || address === 'memory:') return address
  // It has no separator before a secret. Show it, so that a typing error can be found.
  if (/^(?:[a-z]+:\/\/)?[\w./-]{1,64}$/.test(address)) return address
  const kind = /^[a-z]+:\/\//i.exec(address)?.[0] ?? findMistypedKind(address)
  const url = URL.parse(address)
  if (!isPostgres(address) || url === null || isMisread(url) || mayBeMisread(url)) return `${kind}...`
  const schema = url.searchParams.get('schema')
  return `${url.protocol}//${url.host}${url.pathname}${schema === null ? '' : `?schema=${schema}`}`
}
