import { createHash } from 'node:crypto'

import pg from 'pg'

import { RiverhookError } from '../../errors.ts'
import { schemaText } from './schema-name.ts'

export type Row = Readonly<Record<string, unknown>>

/** Runs statements: each by itself, or all of one transaction. */
export interface Session {
  /** @param values a Date goes as an instant, a Buffer as bytes, an array as an array */
  query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

export interface Transaction extends Session {
  readonly client: pg.PoolClient
}

/** In a statement's result: what it writes is on disk when it is answered, even where the server was told not to wait for that. */
export const durable = "CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END AS durable"

/** What another transaction can do to ours at any time: it was rolled back, and may be made again at once. */
const clashes = new Set(['40001', '40P01'])
const mostTries = 5

/** The pool, and what is said of its errors. */
export class Database {
  readonly #pool: pg.Pool
  readonly #schema: string

  constructor(pool: pg.Pool, schema: string) {
    this.#pool = pool
    this.#schema = schema
  }

  /** One statement, which is its own transaction. @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE */
  query(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.#retried(async () => rowsOf(await this.#pool.query(this.prepared(sql, values))))
  }

  /**
   * Runs `work` in one transaction. It may be run again after a clash with another one, so it must change nothing outside.
   * @param begin a statement without values that is sent together with BEGIN
   * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE, or what `work` throws of its own
   */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>, begin = ''): Promise<Result> {
    return this.#retried(async () => {
      const client = await this.#pool.connect()
      let broken: Error | undefined
      // Without a listener, a connection that is lost meanwhile would end the process.
      const onError = (error: Error): void => { broken = error }
      client.on('error', onError)
      try {
        await client.query(`BEGIN; ${schemaText(begin, this.#schema)}`)
        const result = await work({ client, query: async (sql, values = []) => rowsOf(await client.query(this.prepared(sql, values))) })
        await client.query('COMMIT')
        return result
      } catch (error) {
        await client.query('ROLLBACK').catch((cause: unknown) => { broken ??= cause as Error })
        throw error
      } finally {
        client.off('error', onError)
        client.release(broken)
      }
    })
  }

  /** A statement as pg takes it: parsed and planned once for each connection. */
  prepared(sql: string, values: readonly unknown[]): pg.QueryConfig {
    const text = schemaText(sql, this.#schema)
    return { name: nameOf(text), text, values: values.map(storable) }
  }

  async #retried<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work()
      } catch (error) {
        if (error instanceof pg.DatabaseError && clashes.has(error.code ?? '') && tries < mostTries) continue
        throw isOfDatabase(error) ? unavailable(error) : error
      }
    }
  }
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

/** PostgreSQL's text cannot hold the character NUL, which a JSON string and the message of an error can: its picture stands for it. */
function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\u2400') : value
  return Array.isArray(value) ? value.map(storable) : value
}

/** True for what pg throws: the server's errors, those of the network, and its own of the pool. */
export function isOfDatabase(error: unknown): boolean {
  if (error instanceof RiverhookError) return false
  if (error instanceof pg.DatabaseError) return true
  if (!(error instanceof Error)) return false
  return 'syscall' in error || 'errno' in error || error instanceof AggregateError ||
    /timeout|terminated|Connection|connection|not queryable|Cannot use a pool/.test(error.message)
}

/** The message names no value and no password: pg's messages have neither; its `detail`, which has, is left out. */
export function unavailable(error: unknown): RiverhookError {
  const { message, code } = error as Error & { code?: string }
  const reason = message === '' ? (code ?? 'no connection') : message
  return new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', `PostgreSQL: ${reason}${code === undefined ? '' : ` (${code})`}`, { cause: error })
}
