import { createHash } from 'node:crypto'

import type pg from 'pg'

import { RiverhookError } from '../../model/errors.ts'
import { arrayText, dateText } from './array-text.ts'
import { answerTimeout, type Connections } from './connections.ts'
import { isConnectionLost, isDatabaseError, serverCode, unavailable } from './faults.ts'
import { ownTypes } from './read-value.ts'
import { schemaText } from './schema-name.ts'
import { storable } from './text.ts'

export type Row = Readonly<Record<string, unknown>>

/** Runs statements, separately or in one transaction. */
export interface Session {
  /** @param values a Date is sent as a timestamp, a Buffer as bytes, an array as an array */
  query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

export interface Transaction extends Session {
  /** Runs several statements given as one text. */
  run(sql: string): Promise<void>
}

export interface TransactionOptions {
  /** True for a transaction that writes nothing: all its statements see the same rows. */
  readonly isRead?: boolean
  /** Statements without values, sent together with BEGIN. */
  readonly begin?: string
  /** The time limit of each statement, if it may take longer than usual. */
  readonly statementTimeoutMs?: number
  /** The longest that the server may take to begin. Default as for each statement. */
  readonly beginLimitMs?: number
}

/** A result column that makes a statement's writes durable even if the server's `synchronous_commit` is off. */
export const durable =
  "CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END AS durable"

/** The time limit of statements over very many rows: adoption, statistics, restoring. */
export const longTimeoutMs = 60_000

/**
 * Errors caused by other transactions. The transaction was rolled back and can be retried at once. 26000: the
 * connection's previous user discarded the prepared statements; the retry uses another connection.
 */
const retryableCodes = new Set(['40001', '40P01', '26000'])
const maxTries = 5

/** Runs statements on the connections, retries clashes, and converts the errors. */
export class Database {
  readonly #connections: Connections
  readonly #schema: string
  /** Whether the database's encoding is UTF8. Until `learn` was called, everything but ASCII is escaped. */
  #isUnicode = false

  constructor(connections: Connections, schema: string) {
    this.#connections = connections
    this.#schema = schema
  }

  /**
   * Reads the server's version and encoding.
   * @throws {RiverhookError} RIVERHOOK_INBOX_VERSION if the server is too old
   */
  async learn(): Promise<void> {
    const [row] = await this.query(
      "SELECT getdatabaseencoding()::text = 'UTF8' AS is_unicode, current_setting('server_version_num')::integer AS version"
    )
    assertServerVersion(Number(row?.['version']))
    this.#isUnicode = row?.['is_unicode'] === true
  }

  /** Takes over what another object has learnt of the same database. */
  learnFrom(other: Database): void {
    this.#isUnicode = other.#isUnicode
  }

  /**
   * Runs one statement as its own transaction.
   * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE
   */
  query(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const { pool, isOwn, statementTimeoutMs } = this.#connections
    // A session of the application's pool may lack the settings that our statements need.
    if (!isOwn) return this.transaction((tx) => tx.query(sql, values))
    return this.#withRetries(async () => getRows(await pool.query(this.prepared(sql, values, statementTimeoutMs))))
  }

  /**
   * Runs `work` in one transaction. Retries it after a clash with another transaction, so `work` must have no side
   * effects outside the transaction.
   * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE, or any other error that `work` throws
   */
  transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    {
      isRead = false,
      begin = '',
      statementTimeoutMs = this.#connections.statementTimeoutMs,
      beginLimitMs = statementTimeoutMs
    }: TransactionOptions = {}
  ): Promise<Result> {
    return this.#withRetries(async () => {
      const client = await this.#connections.connect()
      let fault: unknown
      // Without a listener, the loss of the connection would end the process.
      const onError = (error: Error): void => {
        fault = error
      }
      client.on('error', onError)
      const run = async (sql: string): Promise<void> => {
        await client.query(this.plain(sql, statementTimeoutMs))
      }
      try {
        await client.query(
          this.plain(`${this.#connections.begin({ statementTimeoutMs, isRead })} ${begin}`, beginLimitMs)
        )
        const result = await work({
          run,
          query: async (sql, values = []) => getRows(await client.query(this.prepared(sql, values, statementTimeoutMs)))
        })
        await run('COMMIT')
        return result
      } catch (error) {
        if (isConnectionLost(error)) fault ??= error
        else
          await run('ROLLBACK').catch((cause: unknown) => {
            fault ??= cause
          })
        throw error
      } finally {
        client.off('error', onError)
        this.#connections.release(client, fault)
      }
    })
  }

  /** A statement for pg that is parsed and planned once per connection. */
  prepared(sql: string, values: readonly unknown[], statementTimeoutMs: number): pg.QueryConfig {
    const text = schemaText(sql, this.#schema)
    return {
      name: statementName(text),
      text,
      values: values.map((value) => this.#storable(value)),
      types: ownTypes,
      query_timeout: answerTimeout(statementTimeoutMs)
    } as pg.QueryConfig
  }

  /** One or several statements without values, as one text for pg. */
  plain(sql: string, statementTimeoutMs: number): pg.QueryConfig {
    return {
      text: schemaText(sql, this.#schema),
      types: ownTypes,
      query_timeout: answerTimeout(statementTimeoutMs)
    } as pg.QueryConfig
  }

  #storable(value: unknown): unknown {
    if (typeof value === 'string') return storable(value, this.#isUnicode)
    if (value instanceof Date) return dateText(value) ?? value
    if (!Array.isArray(value)) return value
    return arrayText(value, this.#isUnicode) ?? value.map((part) => this.#storable(part))
  }

  async #withRetries<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work()
      } catch (error) {
        this.#connections.discardIdleIfSilent(error)
        if (retryableCodes.has(serverCode(error) ?? '') && tries < maxTries) continue
        throw isDatabaseError(error) ? unavailable(error, this.#connections.place) : error
      }
    }
  }
}

/** @param version PostgreSQL's version number, such as 130004 for 13.4 */
export function assertServerVersion(version: number): void {
  if (version >= 130_000) return
  throw new RiverhookError(
    'RIVERHOOK_INBOX_VERSION',
    `PostgreSQL ${Math.floor(version / 10_000)} is too old for the inbox: it needs 13 or newer`
  )
}

const statementNames = new Map<string, string>()

function statementName(text: string): string {
  const known = statementNames.get(text)
  if (known !== undefined) return known
  const name = `riverhook_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
  statementNames.set(text, name)
  return name
}

function getRows({ rows }: pg.QueryResult<Record<string, unknown>>): readonly Row[] {
  return rows
}
