import { readTooLong } from '../read-turns.ts'
import type { Database, Session } from './database.ts'
import { isTimeout } from './faults.ts'

/**
 * Runs a read in a transaction that can write nothing.
 * @param limitMs the time limit of all statements together
 * @throws {RiverhookError} RIVERHOOK_INBOX_READ_LIMIT
 */
export async function readInTime<Result>(
  database: Database,
  limitMs: number,
  read: (session: Session) => Promise<Result>
): Promise<Result> {
  const startedAt = performance.now()
  try {
    return await database.transaction(
      (tx) =>
        read({
          query: async (sql, values) => {
            const leftMs = Math.ceil(limitMs - (performance.now() - startedAt))
            if (leftMs < limitMs * 0.9) await tx.run(`SET LOCAL statement_timeout = ${Math.max(1, leftMs)}`)
            return tx.query(sql, values)
          }
        }),
      { begin: 'SET TRANSACTION READ ONLY;', statementTimeoutMs: limitMs }
    )
  } catch (error) {
    throw isTimeout(error) ? readTooLong(limitMs, { cause: error }) : error
  }
}
