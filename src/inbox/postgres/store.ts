import { randomUUID } from 'node:crypto'

import type pg from 'pg'

import { RiverhookError } from '../../model/errors.ts'
import { ownerName } from '../../model/owner-name.ts'
import type { HeldDelivery } from '../inbox.ts'
import { defaultReadLimitMs } from '../read-turns.ts'
import { Semaphore } from '../semaphore.ts'
import type { Times } from './claim.ts'
import { Connections, ownPool } from './connections.ts'
import { Database, longTimeoutMs, type Session } from './database.ts'
import { isPermanentAtStart } from './faults.ts'
import { Listener } from './listener.ts'
import type { PostgresInboxOptions } from './options.ts'
import { prepare } from './prepare.ts'
import { Presence } from './presence.ts'
import { Reader, readUnlimited } from './reader.ts'
import { Transactions } from './transactions.ts'

/** Shorter than the time in which a request must be answered. */
const defaultLimitMs = 2_000

/** The parts that all calls of an inbox share: its connections, its clock, and whether it is open. */
export class Store {
  readonly role: 'server' | 'command'
  /** Identifies this object among the replicas. */
  readonly instance = randomUUID()
  readonly presence: Presence
  readonly schema: string
  readonly #owner: string | undefined
  readonly #clock: (() => number) | undefined
  readonly #connections: Connections
  /** Separate connections for handlers' transactions, so that long ones leave connections for recording. */
  readonly #workConnections: Connections
  /** Not for a command, which reads on its other connections. */
  readonly #reader: Reader | undefined
  readonly #transactions: Transactions
  readonly #database: Database
  readonly #listener: Listener
  readonly #wakers = new Set<() => void>()
  #state: 'new' | 'open' | 'closed' = 'new'
  #ready: Promise<void> | undefined
  #isReady = false

  constructor({
    connectionString,
    pool,
    schema = 'riverhook',
    owner,
    role = 'server',
    maxConnections = 10,
    readLimitMs = defaultReadLimitMs,
    clock,
    presenceMs = 15_000,
    limitMs = defaultLimitMs
  }: PostgresInboxOptions) {
    this.schema = schema
    this.#owner = owner
    this.role = role
    this.#clock = clock
    const isOwn = pool === undefined
    const limits = { connectTimeoutMs: limitMs, statementTimeoutMs: role === 'server' ? limitMs : longTimeoutMs }
    const mainPool = pool ?? ownPool(connectionString, { max: maxConnections + 1, ...limits })
    this.#connections = new Connections({ pool: mainPool, isOwn, ...limits })
    this.#workConnections = isOwn
      ? new Connections({
          pool: ownPool(connectionString, { max: maxConnections, connectTimeoutMs: limitMs }),
          isOwn,
          ...limits
        })
      : this.#connections
    this.#transactions = new Transactions({
      connections: this.#workConnections,
      // Leave half of the application's pool for requests and heartbeats: they must not wait for handlers.
      semaphore: new Semaphore(isOwn ? maxConnections : Math.max(1, Math.floor(pool.options.max / 2))),
      times: () => this.times
    })
    this.#database = new Database(this.#connections, schema)
    this.#reader =
      role === 'server'
        ? new Reader({
            connectionString,
            schema,
            limitMs: readLimitMs,
            connectTimeoutMs: limitMs,
            shared: isOwn ? undefined : this.#connections
          })
        : undefined
    const { instance } = this
    this.#listener = new Listener({
      connections: this.#connections,
      channel: `${schema}_due`,
      instance,
      onNotification: () => {
        this.#wake()
      }
    })
    this.presence = new Presence({
      database: this.#database,
      replica: { instance, owner: ownerName() },
      times: () => this.times,
      onDue: () => {
        this.announceDue()
      },
      onBeat: () => {
        this.#listener.ping()
      },
      beatMs: presenceMs
    })
  }

  async open(): Promise<void> {
    if (this.#state === 'open') return
    if (this.#state === 'closed')
      throw new RiverhookError(
        'RIVERHOOK_INBOX_CLOSED',
        'The inbox was closed with its connections, and cannot be opened again: pass its address, or make another one'
      )
    this.#state = 'open'
    try {
      await this.#prepareOnce()
    } catch (error) {
      // A server starts without its database, and answers 503 until the database is back. A command fails at once, and
      // so does any error that waiting cannot fix.
      const mayPass =
        error instanceof RiverhookError &&
        error.code === 'RIVERHOOK_INBOX_UNAVAILABLE' &&
        this.role === 'server' &&
        !isPermanentAtStart(error.cause)
      if (!mayPass) throw error
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#transactions.abort()
    await this.#listener.end()
    await this.#reader?.end()
    if (this.#isReady && this.role === 'server') await this.presence.end()
    await Promise.all([...new Set([this.#connections, this.#workConnections])].map((each) => each.end()))
  }

  /** Runs a read for people. */
  async read<Result>(read: (session: Session) => Promise<Result>): Promise<Result> {
    const database = await this.opened()
    return this.#reader === undefined ? readUnlimited(database, read) : this.#reader.read(database, read)
  }

  /** The time, of this process and in tests. */
  get times(): Times {
    const now = this.#clock?.()
    return { now: now ?? Date.now(), fixed: now === undefined ? undefined : new Date(now) }
  }

  /** Calls `wake` when deliveries may be due. @returns a function that ends this */
  onDue(wake: () => void): () => void {
    this.#wakers.add(wake)
    return () => this.#wakers.delete(wake)
  }

  /** Runs a handler's `work` in the transaction that settles the delivery. */
  async transact<Result>(
    held: HeldDelivery,
    work: (client: pg.PoolClient) => Promise<Result>,
    signal: AbortSignal | undefined
  ): Promise<Result> {
    const database = await this.opened()
    try {
      return await this.#transactions.run(database, held, work, signal)
    } finally {
      this.announceDue()
    }
  }

  /** The database, when its schema is prepared. */
  async opened(): Promise<Database> {
    if (this.#state !== 'open')
      throw new RiverhookError(
        'RIVERHOOK_INBOX_CLOSED',
        `The inbox is ${this.#state === 'new' ? 'not open yet' : 'closed'}`
      )
    if (!this.#isReady) await this.#prepareOnce()
    return this.#database
  }

  /** Prepares the schema: at start-up, or at the first call after the database is reachable. */
  #prepareOnce(): Promise<void> {
    const options = { connections: this.#connections, schema: this.schema, owner: this.#owner, role: this.role }
    this.#ready ??= prepare({ ...options, database: this.#database })
      .then(() => {
        this.#isReady = true
        if (this.role === 'server') this.#listener.start()
      })
      .finally(() => {
        this.#ready = undefined
      })
    return this.#ready
  }

  /** Wakes this process and the other replicas: deliveries may be due. */
  announceDue(): void {
    this.#wake()
    this.#listener.notify()
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }
}
