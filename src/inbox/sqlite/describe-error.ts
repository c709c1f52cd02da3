import { messageOf } from '../../model/error-text.ts'
import { RiverhookError } from '../../model/errors.ts'
import { inboxUnavailable } from '../../model/inbox-unavailable.ts'
import type { ErrorMessage } from './protocol.ts'
import { isSqliteError, primaryCode, sqlite } from './sqlite-error.ts'

/** Converts an error of a thread to a message that says what to do. */
export function describeError(path: string, error: unknown): ErrorMessage {
  const known =
    error instanceof RiverhookError ? error : inboxUnavailable(path, error, `${messageOf(error)}${advice(error)}`)
  return { code: known.code, message: known.message }
}

function advice(error: unknown): string {
  if (!isSqliteError(error)) return ''
  switch (primaryCode(error)) {
    case sqlite.FULL:
      return '. Free disk space, or raise the size limit. Writing then resumes automatically'
    case sqlite.BUSY:
      return '. Another program holds a write lock on the file. Writing resumes when it releases the lock'
    case sqlite.CORRUPT:
    case sqlite.NOTADB:
      return '. To use a backup, stop the server and run: riverhook inbox restore BACKUP (it keeps the damaged file). To start with a new inbox, stop the server and move the file away with its -wal and -shm'
    case sqlite.CANTOPEN:
    case sqlite.READONLY:
      return '. Check that the folder exists, and that this user may write to it and to the file with its -wal and -shm'
    default:
      return ''
  }
}
