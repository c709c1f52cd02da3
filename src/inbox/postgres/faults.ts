import { RiverhookError } from '../../model/errors.ts'

/**
 * The five letters and digits by which the server tells what is wrong. The error may come from another copy of pg: it
 * is told by its fields.
 */
export function serverCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** pg's words for a statement that was not answered in time: the server, or the way to it, is silent. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout'
}

/**
 * True where the connection cannot be used any more, or will not serve: lost or silent, the server is ending (57P0x),
 * it stayed behind on a primary that has become a standby (25006), or what we had prepared on it is gone (26000).
 */
export function isLost(error: unknown): boolean {
  const code = serverCode(error)
  if (code === undefined) return isOfDatabase(error)
  return /^(?:08...|57P0.|25006|25P03|26000)$/.test(code)
}

/** What does not pass by waiting: a wrong name or password, and a right that the role has not been given. */
export function isPermanent(error: unknown): boolean {
  return /^(?:28...|42501)$/.test(serverCode(error) ?? '')
}

/**
 * True where one row may be the cause, and the others of its batch could be stored: a value that cannot be stored
 * (22), a constraint (23, 44), a limit (54), an exception of a trigger (P0).
 */
export function isOfOneRow(error: unknown): error is RiverhookError {
  return error instanceof RiverhookError && /^(?:22|23|44|54|P0)/.test(serverCode(error.cause) ?? '')
}

/**
 * What a start does not wait for: `isPermanent`, a connection that cannot be trusted, and a file of the address that
 * is not there.
 */
export function isPermanentAtStart(error: unknown): boolean {
  return (
    isPermanent(error) || isOfTls(error) || (error instanceof Error && 'syscall' in error && error.syscall === 'open')
  )
}

/** pg's own words where the server has no TLS at all. */
const noTls = 'The server does not support SSL connections'

/** The codes of Node and OpenSSL for a certificate that does not hold, and for a conversation that comes to nothing. */
const tlsCodes =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERROR_IN_C|INVALID_|PATH_LENGTH_|HOSTNAME_MISMATCH)/

function isOfTls(error: unknown): error is Error {
  return (
    error instanceof Error &&
    serverCode(error) === undefined &&
    (error.message === noTls || tlsCodes.test(codeOf(error)))
  )
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** What to do about a fault of TLS; undefined for another one. */
export function tlsAdvice(error: unknown): string | undefined {
  if (!isOfTls(error)) return undefined
  if (error.message === noTls)
    return 'Turn TLS on in the server, or leave sslmode out where the network to it is trusted'
  if (codeOf(error) === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return "Write the host name that the server's certificate is for into the inbox address"
  if (/EXPIRED|NOT_YET_VALID|REVOKED/.test(codeOf(error)))
    return "Renew the server's certificate, and check the clock of this machine"
  return "Give the file of the authority that signed the server's certificate, which the provider of the database publishes: ?sslmode=verify-full&sslrootcert=PATH in the inbox address"
}

/** True for what pg throws: the server's errors, those of the network, and its own of the pool. */
export function isOfDatabase(error: unknown): boolean {
  if (error instanceof RiverhookError) return false
  if (serverCode(error) !== undefined || isOfTls(error)) return true
  if (!(error instanceof Error)) return false
  return (
    'syscall' in error ||
    'errno' in error ||
    error instanceof AggregateError ||
    /timeout|terminated|Connection|connection|not queryable|Cannot use a pool/.test(error.message)
  )
}

/**
 * The message names no value and no password: pg's messages have neither; its `detail`, which has, is left out.
 * @param place the server's host and port, for what is not the server's own answer
 */
export function unavailable(error: unknown, place = ''): RiverhookError {
  const { code } = error as Error & { code?: string }
  const where = place === '' || serverCode(error) !== undefined ? '' : ` at ${place}`
  return new RiverhookError(
    'RIVERHOOK_INBOX_UNAVAILABLE',
    `PostgreSQL${where}: ${reasonOf(error as Error)}${code === undefined ? '' : ` (${code})`}`,
    { cause: error }
  )
}

function reasonOf(error: Error): string {
  if (isUnanswered(error)) return 'no answer in time: the server, or the network to it, is silent'
  // A host name with several addresses: each was tried.
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.map((part: Error) => part.message).join('; ')
  if (serverCode(error) === '25006')
    return `${error.message}: the server is a standby, or default_transaction_read_only is on`
  if (serverCode(error) === '42501') return `${error.message}: the role of the inbox has not been granted that`
  return error.message === '' ? codeOf(error) || 'no connection' : error.message
}
