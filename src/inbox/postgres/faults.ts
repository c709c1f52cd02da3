import { RiverhookError } from '../../model/errors.ts'
import { inboxUnavailable } from '../../model/inbox-unavailable.ts'

/**
 * The SQLSTATE code of a server error. Recognises the error by its fields, because it may come from another copy of
 * pg.
 */
export function serverCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** True if a statement was not answered in time: the server, or the network to it, is silent. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout'
}

/**
 * True if the connection must not be used again: it is lost or silent, the server is shutting down (57P0x), its server
 * has become a standby (25006), or its prepared statements are gone (26000).
 */
export function isConnectionLost(error: unknown): boolean {
  const code = serverCode(error)
  if (code === undefined) return isDatabaseError(error)
  return /^(?:08...|57P0.|25006|25P03|26000)$/.test(code)
}

/** True if an open connection was lost, or is silent: another one may work. */
export function isConnectionDead(error: unknown): boolean {
  if (!(error instanceof RiverhookError) || error.code !== 'RIVERHOOK_INBOX_UNAVAILABLE') return false
  const { cause } = error
  const isConnecting =
    cause instanceof AggregateError ||
    (cause instanceof Error && 'syscall' in cause && cause.syscall === 'connect') ||
    (cause instanceof Error && /timeout exceeded when trying|connection timeout/.test(cause.message))
  return isConnectionLost(cause) && !isConnecting
}

/** True if the server ended a statement at its time limit. */
export function isTimeout(error: unknown): boolean {
  return error instanceof RiverhookError && serverCode(error.cause) === '57014'
}

/** True for errors that waiting does not fix: a wrong user or password, or a missing privilege. */
export function isPermanent(error: unknown): boolean {
  return /^(?:28...|42501)$/.test(serverCode(error) ?? '')
}

/**
 * True if a single row may be the cause, so that the rest of its batch can be stored: an unusable value (22), a
 * constraint (23, 44), a limit (54), an exception in a trigger (P0).
 */
export function isRowError(error: unknown): error is RiverhookError {
  return error instanceof RiverhookError && /^(?:22|23|44|54|P0)/.test(serverCode(error.cause) ?? '')
}

/** True for errors that make start-up fail: `isPermanent`, TLS errors, and a missing file named in the address. */
export function isPermanentAtStart(error: unknown): boolean {
  return (
    isPermanent(error) ||
    isTlsError(error) ||
    (error instanceof Error && 'syscall' in error && error.syscall === 'open')
  )
}

/** pg's message if the server has no TLS. */
const noTls = 'The server does not support SSL connections'

/** Error codes of Node and OpenSSL for an invalid certificate or a failed TLS handshake. */
const tlsCodes =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERROR_IN_C|INVALID_|PATH_LENGTH_|HOSTNAME_MISMATCH)/

function isTlsError(error: unknown): error is Error {
  return (
    error instanceof Error &&
    serverCode(error) === undefined &&
    (error.message === noTls || tlsCodes.test(errorCode(error)))
  )
}

function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Advice for a TLS error; undefined for other errors. */
export function tlsAdvice(error: unknown): string | undefined {
  if (!isTlsError(error)) return undefined
  if (error.message === noTls) return 'Turn TLS on in the server, or remove sslmode if the network to it is trusted'
  if (errorCode(error) === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return "Write the host name that the server's certificate is for into the inbox address"
  if (/EXPIRED|NOT_YET_VALID|REVOKED/.test(errorCode(error)))
    return "Renew the server's certificate, and check the clock of this machine"
  return 'Add the CA certificate of the server, which the provider of the database publishes: ?sslmode=verify-full&sslrootcert=PATH in the inbox address'
}

/** True for errors thrown by pg: from the server, the network, or the pool. */
export function isDatabaseError(error: unknown): boolean {
  if (error instanceof RiverhookError) return false
  if (serverCode(error) !== undefined || isTlsError(error)) return true
  if (!(error instanceof Error)) return false
  return (
    'syscall' in error ||
    'errno' in error ||
    error instanceof AggregateError ||
    /timeout|terminated|Connection|connection|not queryable|Cannot use a pool/.test(error.message)
  )
}

/**
 * Converts an error of pg. The message contains no values and no password: pg's messages have neither, and its
 * `detail`, which has values, is left out.
 * @param place the server's host and port, named in errors that do not come from the server itself
 */
export function unavailable(error: unknown, place = ''): RiverhookError {
  const { code } = error as Error & { code?: string }
  const where = place === '' || serverCode(error) !== undefined ? '' : ` at ${place}`
  return inboxUnavailable(
    `PostgreSQL${where}`,
    error,
    `${describeError(error as Error)}${code === undefined ? '' : ` (${code})`}`
  )
}

function describeError(error: Error): string {
  if (isUnanswered(error)) return 'no answer in time: the server, or the network to it, is silent'
  // The host name has several addresses. All of them failed.
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.map((part: Error) => part.message).join('; ')
  if (serverCode(error) === '25006')
    return `${error.message}: the server is a standby, or default_transaction_read_only is on`
  if (serverCode(error) === '42501') return `${error.message}: the role of the inbox has not been granted that`
  return error.message === '' ? errorCode(error) || 'no connection' : error.message
}
