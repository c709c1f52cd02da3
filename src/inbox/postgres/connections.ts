import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

import type pg from 'pg'

import { isUnanswered } from './faults.ts'
import { assertSessionPooling, serverProcessId, clientProcessId } from './pooler.ts'
import { beginReadSql, beginSql, livenessSql, plannedByCost, resetSql, settingsSql } from './session.ts'
import { withLimit } from '../../model/time-limit.ts'

const require = createRequire(import.meta.url)

/** Added to the server's own timeout: with no answer by then, the server is considered unreachable. */
const silenceMs = 250

export interface ConnectionsOptions {
  readonly pool: pg.Pool
  /** True for a pool created by the inbox: its sessions are set up once, and closed with the inbox. */
  readonly isOwn: boolean
  /** The limit for connecting, and for waiting until a connection is free. */
  readonly connectTimeoutMs: number
  /** The server-side time limit of each of the inbox's statements. */
  readonly statementTimeoutMs: number
}

/**
 * A pool of connections. Every statement of the inbox ends within a time limit, enforced by the server. If the server
 * is silent (the network is cut, the machine is gone), the client enforces it, and destroys the connection and all idle
 * ones.
 */
export class Connections {
  readonly pool: pg.Pool
  readonly isOwn: boolean
  readonly statementTimeoutMs: number
  readonly #connectTimeoutMs: number
  readonly #idle = new Set<pg.PoolClient>()
  #place: string | undefined
  readonly #onIdle = (_error: unknown, client: pg.PoolClient): void => {
    this.#idle.add(client)
  }
  readonly #onBusy = (client: pg.PoolClient): void => {
    this.#idle.delete(client)
  }

  constructor({ pool, isOwn, connectTimeoutMs, statementTimeoutMs }: ConnectionsOptions) {
    this.pool = pool
    this.isOwn = isOwn
    this.statementTimeoutMs = statementTimeoutMs
    this.#connectTimeoutMs = connectTimeoutMs
    // Without a listener, the loss of an idle connection would end the process. The pool replaces the connection, and
    // reports a failure to the next caller. The listener stays after the inbox is closed, while connections are ending.
    pool.on('error', () => undefined)
    pool.on('release', this.#onIdle)
    pool.on('acquire', this.#onBusy)
    pool.on('remove', this.#onBusy)
  }

  /**
   * Acquires a connection for the inbox's own statements. Limits the wait, since a pool passed by the application may
   * have no limit: the inbox would then stay stuck after the database is back.
   */
  async connect(): Promise<pg.PoolClient> {
    const connecting = this.pool.connect()
    if (this.isOwn) return connecting
    let isLate = false
    connecting.then(
      (client) => {
        if (isLate) client.release()
      },
      () => undefined
    )
    return withLimit(this.#connectTimeoutMs, connecting, () => {
      isLate = true
      return new Error(
        "timeout exceeded when trying to connect: no free connection in the application's own pool, and none could be opened"
      )
    })
  }

  /** The server's host and port, for messages; empty if they cannot be determined. */
  get place(): string {
    this.#place ??= resolvePlace(this.pool.options)
    return this.#place
  }

  /**
   * Checks a pool passed by the application. The sessions of the inbox's own pool are checked when they are created.
   * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS if a pooler gives each transaction another session
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
      if ((await serverProcessId(one, this.#connectTimeoutMs)) === clientProcessId(one)) return
      const other = await this.connect()
      try {
        await assertSessionPooling(one, other, this.#connectTimeoutMs)
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
   * Statements that set up a session from the application's pool that the inbox keeps: it is never returned to that
   * pool.
   */
  get setUp(): string {
    return this.isOwn ? '' : `SELECT ${settingsSql({ statementTimeoutMs: this.statementTimeoutMs, isLocal: false })};`
  }

  /** BEGIN, with the inbox's settings if the session is the application's. One text, so one round trip. */
  begin({ statementTimeoutMs, isRead }: { readonly statementTimeoutMs: number; readonly isRead: boolean }): string {
    const begin = isRead ? beginReadSql : beginSql
    const isLong = statementTimeoutMs > this.statementTimeoutMs
    const planned = isLong ? plannedByCost : ''
    if (!this.isOwn) return `${begin} SELECT ${settingsSql({ statementTimeoutMs, isLocal: true })}; ${planned}`
    if (statementTimeoutMs === this.statementTimeoutMs) return begin
    return `${begin} SET LOCAL statement_timeout = ${statementTimeoutMs}; ${planned}`
  }

  /**
   * BEGIN for a handler's statements, with the default settings of the database and the role. In the inbox's own pool,
   * first resets what the previous handler left in the session: that could make the transaction read-only. Sessions of
   * the application's pool are left as they are.
   */
  get beginHandler(): string {
    return `${this.isOwn ? `BEGIN; ${resetSql} COMMIT;` : ''} ${beginSql} ${livenessSql}`
  }

  /**
   * Releases a connection.
   * @param fault the reason why it cannot be used again; undefined returns it to the pool
   */
  release(client: pg.PoolClient, fault: unknown): void {
    if (fault !== undefined) destroy(client)
    client.release(fault !== undefined)
  }

  /** Destroys the idle connections after a statement was not answered: any of them may be dead too. */
  discardIdleIfSilent(error: unknown): void {
    if (!isUnanswered(error)) return
    for (const client of this.#idle) destroy(client)
    this.#idle.clear()
  }

  async end(): Promise<void> {
    if (this.isOwn) await this.pool.end()
    // A dead server never answers the goodbye: do not keep the process alive for it.
    if (this.isOwn) for (const client of this.#idle) getSocket(client)?.unref()
    this.pool.off('release', this.#onIdle)
    this.pool.off('acquire', this.#onBusy)
    this.pool.off('remove', this.#onBusy)
  }
}

/** Lets pg resolve its options, the address and the libpq variables. */
function resolvePlace(options: pg.PoolConfig): string {
  const { Client } = require('pg') as typeof pg
  try {
    const { host, port } = new Client(options)
    return host.startsWith('/') ? host : `${host}:${port}`
  } catch {
    // A file named in the options is missing. The connection error names it.
    return ''
  }
}

/** The client-side time limit of a statement. */
export function answerTimeout(statementTimeoutMs: number): number {
  return statementTimeoutMs + silenceMs
}

export interface OwnPoolOptions {
  readonly max: number
  /** As in ConnectionsOptions. */
  readonly connectTimeoutMs: number
  /** Set for sessions that run the inbox's own statements; omitted for handlers' sessions. */
  readonly statementTimeoutMs?: number
  /** The name of the sessions in the server's statistics. Default `riverhook`. */
  readonly name?: string
}

export function ownPool(
  connectionString: string | undefined,
  { max, connectTimeoutMs, statementTimeoutMs, name = 'riverhook' }: OwnPoolOptions
): pg.Pool {
  // Load lazily: most processes use another engine.
  const { Pool } = require('pg') as typeof pg
  const settings: SessionConfig = {
    ...(connectionString === undefined ? {} : { connectionString }),
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: name
  }
  return new Pool({
    ...settings,
    max,
    idleTimeoutMillis: 30_000,
    ...(statementTimeoutMs === undefined ? {} : { verify: verifier(settings, statementTimeoutMs) })
  })
}

interface SessionConfig extends pg.ClientConfig {
  readonly connectionTimeoutMillis: number
}

type Verify = (client: pg.PoolClient, done: (error?: Error) => void) => void

/** Sets up each new session of a pool. */
function verifier(settings: SessionConfig, statementTimeoutMs: number): Verify {
  // Check once: a pooler does not change its mode while it runs.
  let pooling: Promise<void> | undefined
  const setUp = async (client: pg.PoolClient): Promise<void> => {
    // The client has no other error listener yet.
    const onError = (): void => undefined
    client.on('error', onError)
    try {
      const set = `SELECT ${settingsSql({ statementTimeoutMs, isLocal: false })}`
      const query = (text: string): Promise<pg.QueryResult> =>
        client.query({ text, query_timeout: settings.connectionTimeoutMillis } as pg.QueryConfig)
      // A pooler may share the session: change nothing in it until that is ruled out.
      const { rows } = await query(
        `${set} WHERE pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) ${Number(clientProcessId(client))}`
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

async function assertOwnSession(client: pg.PoolClient, settings: SessionConfig): Promise<void> {
  const { Client } = require('pg') as typeof pg
  const other = new Client(settings)
  other.on('error', () => undefined)
  await other.connect()
  try {
    await assertSessionPooling(client, other, settings.connectionTimeoutMillis)
  } finally {
    await other.end()
  }
}

/** Destroys the socket without the protocol goodbye, which a dead server would never answer. */
function destroy(client: pg.PoolClient): void {
  getSocket(client)?.destroy()
}

function getSocket(client: pg.PoolClient): Socket | undefined {
  return (client as unknown as { readonly connection?: { readonly stream?: Socket } }).connection?.stream
}
