import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

import type pg from 'pg'

import { RiverhookError } from '../../model/errors.ts'
import { isUnanswered } from './faults.ts'
import { assertSessionPooling, backendOf, processOf } from './pooler.ts'
import { beginSql, livenessSql, renewSql, settingsSql } from './session.ts'
import { clearTimeout, setTimeout } from '../../model/timers.ts'

const require = createRequire(import.meta.url)

/** How much longer than the server's own limit an answer is waited for: then nobody is there. */
const silenceMs = 250
/** For connecting, and for waiting until a connection is free. */
const connectTimeoutMs = 2_000
export interface ConnectionsOptions {
  readonly pool: pg.Pool
  /** Made for the inbox alone: its sessions are set up once, and closed with it. */
  readonly isOwn: boolean
  /** The longest that one of our statements may take on the server. */
  readonly statementTimeoutMs: number
}

/**
 * A pool of connections, and what is known of them. Every statement of ours is answered within a limit, by the server
 * or, when that is silent (a network that is cut off, a machine that is gone), by us: then the connection is
 * destroyed, and all that lie idle with it.
 */
export class Connections {
  readonly pool: pg.Pool
  readonly isOwn: boolean
  readonly statementTimeoutMs: number
  readonly #idle = new Set<pg.PoolClient>()
  #place: string | undefined
  readonly #onIdle = (_error: unknown, client: pg.PoolClient): void => {
    this.#idle.add(client)
  }
  readonly #onBusy = (client: pg.PoolClient): void => {
    this.#idle.delete(client)
  }

  constructor({ pool, isOwn, statementTimeoutMs }: ConnectionsOptions) {
    this.pool = pool
    this.isOwn = isOwn
    this.statementTimeoutMs = statementTimeoutMs
    // A connection that is lost while nobody uses it: the pool makes another, and whoever needs it is told when that
    // fails. Without this, it would end the process. It stays when the inbox is closed: connections may still be
    // ending then.
    pool.on('error', () => undefined)
    pool.on('release', this.#onIdle)
    pool.on('acquire', this.#onBusy)
    pool.on('remove', this.#onBusy)
  }

  /**
   * For our own statements. A merchant's pool may let one wait for ever: then nothing of ours would go on when the
   * database is back.
   */
  async connect(): Promise<pg.PoolClient> {
    const connecting = this.pool.connect()
    if (this.isOwn) return connecting
    const { promise: late, reject } = Promise.withResolvers<never>()
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      reject(
        new Error(
          "timeout exceeded when trying to connect: no connection of the merchant's own pool is free, or can be made"
        )
      )
    }, connectTimeoutMs)
    connecting.then(
      (client) => {
        if (isLate) client.release()
      },
      () => undefined
    )
    return Promise.race([connecting, late]).finally(() => {
      clearTimeout(timer)
    })
  }

  /** The server's host and port, for messages; empty where they cannot be told. */
  get place(): string {
    this.#place ??= placeOf(this.pool.options)
    return this.#place
  }

  /**
   * For a pool of the merchant's. The sessions of an own one are looked at as they are made.
   * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS where a pooler gives each transaction another session
   */
  async assertSessions(): Promise<void> {
    if (this.isOwn) return
    const one = await this.connect()
    let fault: unknown
    const onError = (error: Error): void => {
      fault = error
    }
    one.on('error', onError)
    try {
      if ((await backendOf(one, connectTimeoutMs)) === processOf(one)) return
      const other = await this.connect()
      try {
        await assertSessionPooling(one, other, connectTimeoutMs)
      } finally {
        this.release(other, undefined)
      }
    } catch (error) {
      fault = error
      throw error
    } finally {
      one.off('error', onError)
      this.release(one, fault)
    }
  }

  /**
   * Statements that a session begins with which is ours until its end, though the pool is not: it is never given back
   * to others.
   */
  get setUp(): string {
    return this.isOwn ? '' : `SELECT ${settingsSql({ statementTimeoutMs: this.statementTimeoutMs, isLocal: false })};`
  }

  /** BEGIN, with our settings where the session is not ours. One text, so that it costs one way to the server. */
  begin(statementTimeoutMs: number): string {
    if (!this.isOwn) return `${beginSql} SELECT ${settingsSql({ statementTimeoutMs, isLocal: true })};`
    return statementTimeoutMs === this.statementTimeoutMs
      ? beginSql
      : `${beginSql} SET LOCAL statement_timeout = ${statementTimeoutMs};`
  }

  /**
   * BEGIN for a merchant's statements, in a session as the database and the role have it. What the handler before has
   * left in an own one is gone before the transaction begins, which may be read-only by it; a pool of the merchant's
   * is his.
   */
  get beginWork(): string {
    return `${this.isOwn ? `BEGIN; ${renewSql} COMMIT;` : ''} ${beginSql} ${livenessSql}`
  }

  /** Gives a connection back. @param fault what shows that it cannot be used again */
  release(client: pg.PoolClient, fault: unknown): void {
    if (fault !== undefined) destroy(client)
    client.release(fault !== undefined)
  }

  /** After a statement that was not answered, nobody knows which of the connections of before still lead somewhere. */
  noteFault(error: unknown): void {
    if (!isUnanswered(error)) return
    for (const client of this.#idle) destroy(client)
    this.#idle.clear()
  }

  async end(): Promise<void> {
    if (this.isOwn) await this.pool.end()
    // One that leads nowhere never hears the goodbye: the process need not wait for it.
    if (this.isOwn) for (const client of this.#idle) streamOf(client)?.unref()
    this.pool.off('release', this.#onIdle)
    this.pool.off('acquire', this.#onBusy)
    this.pool.off('remove', this.#onBusy)
  }
}

/**
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for a pool of the merchant's on which nothing of ours could work
 */
export function checkPool({ options }: pg.Pool): void {
  const { max, binary = false } = options as pg.PoolOptions & { readonly binary?: boolean }
  if (max < 2) throw unusable(`has ${max} connection at most: one is kept to listen, so give it at least 10`)
  // pg has no way to ask for text again in a single query.
  if (binary) throw unusable('has binary: true, and the inbox reads values as text: leave that out')
}

function unusable(why: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `postgresInbox: option "pool" ${why}`)
}

/** As pg reads its options, the address and the variables of libpq. */
function placeOf(options: pg.PoolConfig): string {
  const { Client } = require('pg') as typeof pg
  try {
    const { host, port } = new Client(options)
    return host.startsWith('/') ? host : `${host}:${port}`
  } catch {
    // A file that the options name is not there: the error says which.
    return ''
  }
}

/** How long an answer is waited for. */
export function answerTimeout(statementTimeoutMs: number): number {
  return statementTimeoutMs + silenceMs
}

export interface OwnPoolOptions {
  readonly max: number
  /** Given where the sessions are for our own statements. */
  readonly statementTimeoutMs?: number
}

export function ownPool(connectionString: string | undefined, { max, statementTimeoutMs }: OwnPoolOptions): pg.Pool {
  // Loaded here: most processes have another inbox.
  const { Pool } = require('pg') as typeof pg
  const settings: pg.ClientConfig = {
    ...(connectionString === undefined ? {} : { connectionString }),
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'riverhook'
  }
  return new Pool({
    ...settings,
    max,
    idleTimeoutMillis: 30_000,
    ...(statementTimeoutMs === undefined ? {} : { verify: verifier(settings, statementTimeoutMs) })
  })
}

type Verify = (client: pg.PoolClient, done: (error?: Error) => void) => void

/** Sets up each new session of a pool. */
function verifier(settings: pg.ClientConfig, statementTimeoutMs: number): Verify {
  // Found out once: a pooler does not change its mode while it runs.
  let pooling: Promise<void> | undefined
  const setUp = async (client: pg.PoolClient): Promise<void> => {
    // Nobody has the client yet, who would hear that it is lost.
    const onError = (): void => undefined
    client.on('error', onError)
    try {
      const set = `SELECT ${settingsSql({ statementTimeoutMs, isLocal: false })}`
      const query = (text: string): Promise<pg.QueryResult> =>
        client.query({ text, query_timeout: connectTimeoutMs } as pg.QueryConfig)
      // Through a pooler the session may be shared: nothing is set in it before that is known.
      const { rows } = await query(
        `${set} WHERE pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) ${Number(processOf(client))}`
      )
      if (rows.length > 0) return
      pooling ??= assertOwnSession(client, settings).catch((error: unknown) => {
        pooling = undefined
        throw error
      })
      await pooling
      await query(set)
    } finally {
      client.off('error', onError)
    }
  }
  return (client, done) => {
    setUp(client).then(() => {
      done()
    }, done)
  }
}

async function assertOwnSession(client: pg.PoolClient, settings: pg.ClientConfig): Promise<void> {
  const { Client } = require('pg') as typeof pg
  const other = new Client(settings)
  other.on('error', () => undefined)
  await other.connect()
  try {
    await assertSessionPooling(client, other, connectTimeoutMs)
  } finally {
    await other.end()
  }
}

/** At once, and without a word to a server that may not be there. */
function destroy(client: pg.PoolClient): void {
  streamOf(client)?.destroy()
}

function streamOf(client: pg.PoolClient): Socket | undefined {
  return (client as unknown as { readonly connection?: { readonly stream?: Socket } }).connection?.stream
}
