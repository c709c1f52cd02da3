import { messageOf } from './error-text.ts'
import { RiverhookError } from './errors.ts'

/**
 * Creates the error of a call that the inbox could not carry out.
 * @param what failed: the file, the database, or the action
 * @param reason the message of the cause, unless the engine knows better
 */
export function inboxUnavailable(what: string, cause: unknown, reason = messageOf(cause)): RiverhookError {
  return new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', `${what}: ${reason}`, { cause })
}

/** True for an error that a later call may not have: the store is away, full, or too slow. */
export function isUnavailable(error: unknown): error is RiverhookError {
  return error instanceof RiverhookError && error.statusCode === 503
}
