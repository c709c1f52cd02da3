import type pg from 'pg'

import type { Connections } from './connections.ts'
import { backoffMs } from '../../model/backoff.ts'
import { clearTimeout, setTimeout } from '../../model/timers.ts'

export interface ListenerOptions {
  readonly connections: Connections
  readonly channel: string
  /** Identifies this process, so that it ignores its own notifications. */
  readonly instance: string
  readonly onNotification: () => void
}

/** Delay before a notification is sent, so that one covers several calls. */
const notifyDelayMs = 10
const answerMs = 2_000
const minRetryMs = 250
const maxRetryMs = 10_000

/**
 * Sends and receives notifications between replicas that deliveries may be due, on a dedicated connection. They are
 * only hints: while the connection is lost, replicas poll. It reconnects automatically.
 */
export class Listener {
  readonly #options: ListenerOptions
  #client: pg.PoolClient | undefined
  #notifyTimer: NodeJS.Timeout | undefined
  #retryTimer: NodeJS.Timeout | undefined
  /** In a row. */
  #failures = 0
  #isSending = false
  #next: pg.QueryConfig | undefined
  #wasDisconnected = false
  #connecting: Promise<void> | undefined
  #ended = false

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#ended || this.#client !== undefined) return
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
  }

  /** Notifies the other replicas after a short delay. Calls during the delay are merged. */
  notify(): void {
    if (this.#client === undefined || this.#notifyTimer !== undefined) return
    this.#notifyTimer = setTimeout(() => {
      this.#notifyTimer = undefined
      const { channel, instance } = this.#options
      // A lost notification only delays the other replicas until their next poll.
      this.#send({ text: 'SELECT pg_catalog.pg_notify($1, $2)', values: [channel, instance] })
    }, notifyDelayMs)
  }

  /** Pings the server. A connection that only listens never notices that it is dead. */
  ping(): void {
    if (!this.#isSending) this.#send({ text: 'SELECT 1' })
  }

  /** Sends one statement at a time. While one is running, only the latest next one is kept. */
  #send(statement: pg.QueryConfig): void {
    const client = this.#client
    if (client === undefined) return
    if (this.#isSending) {
      this.#next = statement
      return
    }
    this.#isSending = true
    client
      .query({ ...statement, query_timeout: answerMs } as pg.QueryConfig)
      .catch((error: unknown) => {
        if (client === this.#client) this.#disconnect(error)
      })
      .finally(() => {
        this.#isSending = false
        const next = this.#next
        this.#next = undefined
        if (next !== undefined) this.#send(next)
      })
  }

  async end(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#notifyTimer)
    clearTimeout(this.#retryTimer)
    await this.#connecting
    if (this.#client !== undefined) this.#options.connections.release(this.#client, 'the inbox is closed')
    this.#client = undefined
  }

  async #connect(): Promise<void> {
    const { connections, channel, instance, onNotification } = this.#options
    let client: pg.PoolClient | undefined
    try {
      client = await connections.connect()
      client.on('error', (error) => {
        this.#disconnect(error)
      })
      client.on('end', () => {
        this.#disconnect(new Error('the connection ended'))
      })
      client.on('notification', ({ payload }) => {
        if (payload !== instance) onNotification()
      })
      await client.query({
        text: `${connections.setUp} LISTEN "${channel}"`,
        query_timeout: answerMs
      } as pg.QueryConfig)
      this.#client = client
      this.#failures = 0
      // Notifications may have been missed while disconnected.
      if (this.#wasDisconnected) onNotification()
      this.#wasDisconnected = false
    } catch (error) {
      // Retry silently: every other call reports what is wrong with the database.
      if (client !== undefined) connections.release(client, error)
      this.#scheduleRetry()
    }
  }

  #disconnect(error: unknown): void {
    const client = this.#client
    if (client === undefined) return
    this.#client = undefined
    this.#options.connections.release(client, error)
    this.#scheduleRetry()
  }

  #scheduleRetry(): void {
    if (this.#ended) return
    this.#wasDisconnected = true
    this.#failures += 1
    this.#retryTimer = setTimeout(
      () => {
        this.start()
      },
      backoffMs(this.#failures, minRetryMs, maxRetryMs)
    )
    this.#retryTimer.unref()
  }
}
