import { createHash } from 'node:crypto'

import type pg from 'pg'

import { RiverhookError } from '../../model/errors.ts'
import { answerTimeout, type Connections } from './connections.ts'
import { isLost, isOfDatabase, serverCode, unavailable } from './faults.ts'
import { ownTypes } from './read-value.ts'
import { schemaText } from './schema-name.ts'
import { storable } from './text.ts'

export type Row = Readonly<Record<string, unknown>>

/** Runs statements: each by itself, or all of one transaction. */
export interface Session {
  /** @param values a Date goes as an instant, a Buffer as bytes, an array as an array */
  query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

export interface Transaction extends Session {
  /** Runs a text of several statements. */
  run(sql: string): Promise<void>
}

export interface TransactionOptions {
  /** Statements without values that are sent together with BEGIN. */
  readonly begin?: string
  /** For each statement, where it may take longer than the others. */
  readonly statementTimeoutMs?: number
}

/**
 * In a statement's result: what it writes is on disk when it is answered, even where the server was told not to wait
 * for that.
 */
export const durable =
  "CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END AS durable"

/** For what looks at very much at once: a start, a count of everything, a move. */
export const longTimeoutMs = 60_000

/**
 * What others can do to our transaction at any time: it was rolled back, and may be made again at once. 26000: what
 * we had prepared on a connection was discarded by whoever had it before; the next try has another one.
 */
const clashes = new Set(['40001', '40P01', '26000'])
const mostTries = 5

/** The connections, and what is said of their errors. */
export class Database {
  readonly #connections: Connections
  readonly #schema: string
  /** Whether the database's encoding is UTF8. Until it was asked, only ASCII is taken for storable. */
  #isUnicode = false

  constructor(connections: Connections, schema: string) {
    this.#connections = connections
    this.#schema = schema
  }

  /**
   * Asks the server what statements need to know of it. @throws {RiverhookError} RIVERHOOK_INBOX_VERSION for a server
   * that is too old
   */
  async learn(): Promise<void> {
    const [row] = await this.query(
      "SELECT getdatabaseencoding()::text = 'UTF8' AS is_unicode, current_setting('server_version_num')::integer AS version"
    )
    assertServerVersion(Number(row?.['version']))
    this.#isUnicode = row?.['is_unicode'] === true
  }

  /** One statement, which is its own transaction. @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE */
  query(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const { pool, isOwn, statementTimeoutMs } = this.#connections
    // Not every session of a merchant's pool is as our statements need it.
    if (!isOwn) return this.transaction((tx) => tx.query(sql, values))
    return this.#retried(async () => rowsOf(await pool.query(this.prepared(sql, values, statementTimeoutMs))))
  }

  /**
   * Runs `work` in one transaction. It may be run again after a clash with another one, so it must change nothing
   * outside.
   * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE, or what `work` throws of its own
   */
  transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    { begin = '', statementTimeoutMs = this.#connections.statementTimeoutMs }: TransactionOptions = {}
  ): Promise<Result> {
    return this.#retried(async () => {
      const client = await this.#connections.connect()
      let fault: unknown
      // Without a listener, a connection that is lost meanwhile would end the process.
      const onError = (error: Error): void => {
        fault = error
      }
      client.on('error', onError)
      const run = async (sql: string): Promise<void> => {
        await client.query(this.plain(sql, statementTimeoutMs))
      }
      try {
        await run(`${this.#connections.begin(statementTimeoutMs)} ${begin}`)
        const result = await work({
          run,
          query: async (sql, values = []) => rowsOf(await client.query(this.prepared(sql, values, statementTimeoutMs)))
        })
        await run('COMMIT')
        return result
      } catch (error) {
        if (isLost(error)) fault ??= error
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

  /** A statement as pg takes it: parsed and planned once for each connection. */
  prepared(sql: string, values: readonly unknown[], statementTimeoutMs: number): pg.QueryConfig {
    const text = schemaText(sql, this.#schema)
    return {
      name: nameOf(text),
      text,
      values: values.map((value) => this.#storable(value)),
      types: ownTypes,
      query_timeout: answerTimeout(statementTimeoutMs)
    } as pg.QueryConfig
  }

  /** A text of one or several statements without values. */
  plain(sql: string, statementTimeoutMs: number): pg.QueryConfig {
    return {
      text: schemaText(sql, this.#schema),
      types: ownTypes,
      query_timeout: answerTimeout(statementTimeoutMs)
    } as pg.QueryConfig
  }

  #storable(value: unknown): unknown {
    if (typeof value === 'string') return storable(value, this.#isUnicode)
    return Array.isArray(value) ? value.map((part) => this.#storable(part)) : value
  }

  async #retried<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work()
      } catch (error) {
        this.#connections.noteFault(error)
        if (clashes.has(serverCode(error) ?? '') && tries < mostTries) continue
        throw isOfDatabase(error) ? unavailable(error, this.#connections.place) : error
      }
    }
  }
}

/** @param version as PostgreSQL numbers itself: 130004 for 13.4 */
export function assertServerVersion(version: number): void {
  if (version >= 130_000) return
  throw new RiverhookError(
    'RIVERHOOK_INBOX_VERSION',
    `PostgreSQL ${Math.floor(version / 10_000)} is too old for the inbox: it needs 13 or newer`
  )
}

const names = new Map<string, string>()

function nameOf(text: string): string {
  const known = names.get(text)
  if (known !== undefined) return known
  const name = `riverhook_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
  names.set(text, name)
  return name
}

function rowsOf({ rows }: pg.QueryResult<Record<string, unknown>>): readonly Row[] {
  return rows
}
