import { ReadTurns, readTooLong } from '../read-turns.ts'
import { Connections, ownPool } from './connections.ts'
import { Database, type Session } from './database.ts'
import { isConnectionDead, isTimeout } from './faults.ts'

/** The most reads for people at a time. */
const mostReads = 2

/**
 * Settings for the transactions of reads, in addition to those of the session. A bitmap would be filled before the
 * first row. The statements are planned for the given values, although planning takes its time.
 */
export const readSettings = 'SET LOCAL enable_bitmapscan = off; SET LOCAL plan_cache_mode = force_custom_plan;'

/** Runs a read of a command: with no limit but that of each statement. */
export function readUnlimited<Result>(
  database: Database,
  read: (session: Session) => Promise<Result>
): Promise<Result> {
  return database.transaction(read, { isRead: true, begin: readSettings })
}

export interface ReaderOptions {
  readonly connectionString: string | undefined
  readonly schema: string
  /** The longest that a read may take, in milliseconds. */
  readonly limitMs: number
  /** As in ConnectionsOptions. A connection on which a read does not begin within half of it is considered dead. */
  readonly connectTimeoutMs: number
  /** The connections of the application's pool. Without them, the reader has two connections of the inbox. */
  readonly shared: Connections | undefined
}

/** The reads for people: lists, details, counts. Long ones leave connections for recording. */
export class Reader {
  readonly #connections: Connections
  readonly #isShared: boolean
  readonly #database: Database
  readonly #turns = new ReadTurns(mostReads)
  readonly #limitMs: number
  readonly #beginLimitMs: number

  constructor({ connectionString, schema, limitMs, connectTimeoutMs, shared }: ReaderOptions) {
    const limits = { connectTimeoutMs, statementTimeoutMs: limitMs }
    this.#isShared = shared !== undefined
    this.#connections =
      shared ??
      new Connections({
        pool: ownPool(connectionString, { max: mostReads, ...limits, name: 'riverhook reader' }),
        isOwn: true,
        ...limits
      })
    this.#database = new Database(this.#connections, schema)
    this.#limitMs = limitMs
    this.#beginLimitMs = Math.min(connectTimeoutMs / 2, limitMs)
  }

  /**
   * Runs a read when it has its turn. Runs it again if its connection was dead: another one may work.
   * @param known an object that has learnt of the same database
   * @throws {RiverhookError} RIVERHOOK_INBOX_READ_LIMIT, RIVERHOOK_INBOX_READS_BUSY
   */
  read<Result>(known: Database, read: (session: Session) => Promise<Result>): Promise<Result> {
    this.#database.learnFrom(known)
    return this.#turns.run(async () => {
      try {
        return await this.#read(read)
      } catch (error) {
        if (!isConnectionDead(error)) throw error
        return this.#read(read)
      }
    })
  }

  /** Waits for the end of all reads, and closes the connections. */
  async end(): Promise<void> {
    await this.#turns.end()
    if (!this.#isShared) await this.#connections.end()
  }

  async #read<Result>(read: (session: Session) => Promise<Result>): Promise<Result> {
    const limitMs = this.#limitMs
    const startedAt = performance.now()
    try {
      return await this.#database.transaction(
        (tx) =>
          read({
            query: async (sql, values) => {
              const leftMs = Math.ceil(limitMs - (performance.now() - startedAt))
              // The limit is for all statements together.
              if (leftMs < limitMs * 0.9) await tx.run(`SET LOCAL statement_timeout = ${Math.max(1, leftMs)}`)
              return tx.query(sql, values)
            }
          }),
        {
          isRead: true,
          begin: readSettings,
          statementTimeoutMs: limitMs,
          beginLimitMs: this.#beginLimitMs
        }
      )
    } catch (error) {
      throw isTimeout(error) ? readTooLong(limitMs, { cause: error }) : error
    }
  }
}
