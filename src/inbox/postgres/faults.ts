import { RiverhookError } from '../../errors.ts'

/** The five letters and digits by which the server tells what is wrong. The error may come from another copy of pg: it is told by its fields. */
export function serverCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** pg's words for a statement that was not answered in time: the server, or the way to it, is silent. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout'
}

/**
 * True where the connection cannot be used any more, or will not serve: lost or silent, the server is ending (57P0x), it stayed behind on a
 * primary that has become a standby (25006), or what we had prepared on it is gone (26000).
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
 * True where one row may be the cause, and the others of its batch could be stored: a value that cannot be stored (22), a constraint (23, 44),
 * a limit (54), an exception of a trigger (P0).
 */
export function isOfOneRow(error: unknown): error is RiverhookError {
  return error instanceof RiverhookError && /^(?:22|23|44|54|P0)/.test(serverCode(error.cause) ?? '')
}

/** True for what pg throws: the server's errors, those of the network, and its own of the pool. */
export function isOfDatabase(error: unknown): boolean {
  if (error instanceof RiverhookError) return false
  if (serverCode(error) !== undefined) return true
  if (!(error instanceof Error)) return false
  return 'syscall' in error || 'errno' in error || error instanceof AggregateError ||
    /timeout|terminated|Connection|connection|not queryable|Cannot use a pool/.test(error.message)
}

/** The message names no value and no password: pg's messages have neither; its `detail`, which has, is left out. */
export function unavailable(error: unknown): RiverhookError {
  const { message, code } = error as Error & { code?: string }
  const reason = isUnanswered(error) ? 'no answer in time: the server, or the network to it, is silent' : message === '' ? (code ?? 'no connection') : message
  return new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', `PostgreSQL: ${reason}${code === undefined ? '' : ` (${code})`}`, { cause: error })
}
