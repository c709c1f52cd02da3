import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

import type pg from 'pg'

import { isUnanswered } from './faults.ts'

const require = createRequire(import.meta.url)

/** How much longer than the server's own limit an answer is waited for: then nobody is there. */
const silenceMs = 250
/** For connecting, and for waiting until a connection is free. */
const connectTimeoutMs = 2_000
/** A process that is frozen, or cut off, in a transaction keeps its locks no longer than this: about a lease. */
const idleInTransactionMs = 10_000

type Setting = readonly [name: string, value: string]

const liveness: readonly Setting[] = [
  ['idle_in_transaction_session_timeout', String(idleInTransactionMs)],
  // Dead connections are noticed by the server in seconds, where it can: elsewhere these do nothing.
  ['tcp_keepalives_idle', '5'],
  ['tcp_keepalives_interval', '2'],
  ['tcp_keepalives_count', '3'],
  ['tcp_user_timeout', '10000']
]

/** What our statements need of a session, whatever the database, the role or a merchant has set. */
const ownSettings: readonly Setting[] = [
  ...liveness,
  ['datestyle', 'ISO'],
  ['timezone', 'UTC'],
  ['bytea_output', 'hex'],
  // Every statement of ours has its index. On tables that were empty a moment ago, the planner would read them from end to end, and keep to that
  // plan until they are analysed: recording was half as fast.
  ['enable_seqscan', 'off']
]

export interface ConnectionsOptions {
  readonly pool: pg.Pool
  /** Made for the inbox alone: its sessions are set up once, and closed with it. */
  readonly isOwn: boolean
  /** The longest that one of our statements may take on the server. */
  readonly statementTimeoutMs: number
}

/**
 * A pool of connections, and what is known of them. Every statement of ours is answered within a limit, by the server or, when that is
 * silent (a network that is cut off, a machine that is gone), by us: then the connection is destroyed, and all that lie idle with it.
 */
export class Connections {
  readonly pool: pg.Pool
  readonly isOwn: boolean
  readonly statementTimeoutMs: number
  readonly #idle = new Set<pg.PoolClient>()
  readonly #onIdle = (_error: unknown, client: pg.PoolClient): void => { this.#idle.add(client) }
  readonly #onBusy = (client: pg.PoolClient): void => { this.#idle.delete(client) }

  constructor({ pool, isOwn, statementTimeoutMs }: ConnectionsOptions) {
    this.pool = pool
    this.isOwn = isOwn
    this.statementTimeoutMs = statementTimeoutMs
    // A connection that is lost while nobody uses it: the pool makes another, and whoever needs it is told when that fails. Without this, it
    // would end the process. It stays when the inbox is closed: connections may still be ending then.
    pool.on('error', () => undefined)
    pool.on('release', this.#onIdle)
    pool.on('acquire', this.#onBusy)
    pool.on('remove', this.#onBusy)
  }

  /** For our own statements. A merchant's pool may let one wait for ever: then nothing of ours would go on when the database is back. */
  async connect(): Promise<pg.PoolClient> {
    const connecting = this.pool.connect()
    if (this.isOwn) return connecting
    const { promise: late, reject } = Promise.withResolvers<never>()
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      reject(new Error("timeout exceeded when trying to connect: no connection of the merchant's own pool is free, or can be made"))
    }, connectTimeoutMs)
    connecting.then((client) => { if (isLate) client.release() }, () => undefined)
    return Promise.race([connecting, late]).finally(() => { clearTimeout(timer) })
  }

  /** BEGIN, with our settings where the session is not ours. One text, so that it costs one way to the server. */
  begin(statementTimeoutMs: number): string {
    const limit: readonly Setting[] = this.isOwn && statementTimeoutMs === this.statementTimeoutMs ? [] : [['statement_timeout', String(statementTimeoutMs)]]
    return `${beginSql} ${textOf('SET LOCAL', [...limit, ...(this.isOwn ? [] : ownSettings)])}`
  }

  /**
   * BEGIN for a merchant's statements, in a session as the database and the role have it. What the handler before has left in an own one is
   * gone; a pool of the merchant's is his.
   */
  get beginWork(): string {
    const renewed = this.isOwn ? 'CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; UNLISTEN *; DISCARD TEMP;' : ''
    return `${renewed} ${beginSql} ${textOf('SET LOCAL', liveness)} ${this.isOwn ? 'SELECT pg_advisory_unlock_all();' : ''}`
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

/** The order of a key relies on it: a statement must see what was committed while it waited for the key's lock. */
const beginSql = 'BEGIN ISOLATION LEVEL READ COMMITTED;'

function textOf(set: 'SET' | 'SET LOCAL', settings: readonly Setting[]): string {
  return settings.map(([name, value]) => `${set} ${name} = '${value}';`).join(' ')
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
  return new Pool({
    ...(connectionString === undefined ? {} : { connectionString }),
    max,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'riverhook',
    ...(statementTimeoutMs === undefined ? {} : { verify: (client: pg.PoolClient, done: (error?: Error) => void) => { setUp(client, statementTimeoutMs).then(() => { done() }, done) } })
  })
}

async function setUp(client: pg.PoolClient, statementTimeoutMs: number): Promise<void> {
  // Nobody has the client yet, who would hear that it is lost.
  const onError = (): void => undefined
  client.on('error', onError)
  try {
    const settings: readonly Setting[] = [['statement_timeout', String(statementTimeoutMs)], ['default_transaction_isolation', 'read committed'], ...ownSettings]
    await client.query({ text: textOf('SET', settings), query_timeout: connectTimeoutMs } as pg.QueryConfig)
  } finally {
    client.off('error', onError)
  }
}

/** At once, and without a word to a server that may not be there. */
function destroy(client: pg.PoolClient): void {
  streamOf(client)?.destroy()
}

function streamOf(client: pg.PoolClient): Socket | undefined {
  return (client as unknown as { readonly connection?: { readonly stream?: Socket } }).connection?.stream
}
