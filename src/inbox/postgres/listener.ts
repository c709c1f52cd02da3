import type pg from 'pg'

import type { Connections } from './connections.ts'
import { clearTimeout, setTimeout } from '../../model/timers.ts'

export interface ListenerOptions {
  readonly connections: Connections
  readonly channel: string
  /** Names this process, whose own notes tell it nothing new. */
  readonly instance: string
  readonly onNote: () => void
}

/** How long notes are gathered before one is sent for all. */
const gatherMs = 10
const answerMs = 2_000
const firstPauseMs = 250
const longestPauseMs = 10_000

/**
 * Tells the other replicas that something is due, and hears it from them, on a connection of its own. Only a hint:
 * while the connection is lost nobody is told, and everybody polls. It comes back by itself.
 */
export class Listener {
  readonly #options: ListenerOptions
  #client: pg.PoolClient | undefined
  #note: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #pauseMs = firstPauseMs
  #isSaying = false
  #next: pg.QueryConfig | undefined
  #wasAway = false
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

  /** Sent after a moment, once for all that comes meanwhile. */
  tell(): void {
    if (this.#client === undefined || this.#note !== undefined) return
    this.#note = setTimeout(() => {
      this.#note = undefined
      const { channel, instance } = this.#options
      // A hint that is lost costs the others one poll.
      this.#say({ text: 'SELECT pg_catalog.pg_notify($1, $2)', values: [channel, instance] })
    }, gatherMs)
  }

  /** Sees whether the connection still leads somewhere: who only hears would not notice. */
  check(): void {
    if (!this.#isSaying) this.#say({ text: 'SELECT 1' })
  }

  /** One statement at a time: where one is under way, the next is sent when that has been answered. */
  #say(statement: pg.QueryConfig): void {
    const client = this.#client
    if (client === undefined) return
    if (this.#isSaying) {
      this.#next = statement
      return
    }
    this.#isSaying = true
    client
      .query({ ...statement, query_timeout: answerMs } as pg.QueryConfig)
      .catch((error: unknown) => {
        if (client === this.#client) this.#lose(error)
      })
      .finally(() => {
        this.#isSaying = false
        const next = this.#next
        this.#next = undefined
        if (next !== undefined) this.#say(next)
      })
  }

  async end(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#note)
    clearTimeout(this.#retry)
    await this.#connecting
    if (this.#client !== undefined) this.#options.connections.release(this.#client, 'the inbox is closed')
    this.#client = undefined
  }

  async #connect(): Promise<void> {
    const { connections, channel, instance, onNote } = this.#options
    let client: pg.PoolClient | undefined
    try {
      client = await connections.connect()
      client.on('error', (error) => {
        this.#lose(error)
      })
      client.on('end', () => {
        this.#lose(new Error('the connection ended'))
      })
      client.on('notification', ({ payload }) => {
        if (payload !== instance) onNote()
      })
      await client.query({
        text: `${connections.setUp} LISTEN "${channel}"`,
        query_timeout: answerMs
      } as pg.QueryConfig)
      this.#client = client
      this.#pauseMs = firstPauseMs
      // What was told while it was away was not heard.
      if (this.#wasAway) onNote()
      this.#wasAway = false
    } catch (error) {
      // Whatever is wrong with the database, every call says it; here it only means to try again.
      if (client !== undefined) connections.release(client, error)
      this.#again()
    }
  }

  #lose(error: unknown): void {
    const client = this.#client
    if (client === undefined) return
    this.#client = undefined
    this.#options.connections.release(client, error)
    this.#again()
  }

  #again(): void {
    if (this.#ended) return
    this.#wasAway = true
    this.#retry = setTimeout(() => {
      this.start()
    }, this.#pauseMs)
    this.#retry.unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs)
  }
}
