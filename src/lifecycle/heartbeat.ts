import { Poster } from '../forward/post.ts'
import { loggedError } from '../model/error-text.ts'
import type { Log } from '../model/log.ts'
import { clearInterval, setInterval } from '../model/timers.ts'

export interface HeartbeatOptions {
  readonly url: string
  readonly isReady: () => Promise<boolean>
  readonly log: Pick<Log, 'warn' | 'info'>
  /** Default: a minute. */
  readonly everyMs?: number
}

const timeoutMs = 10_000

/**
 * Fetches a URL at intervals while this process is ready. The service behind it notices when that ends: a process
 * that is gone can raise no alarm.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #poster: Poster
  readonly #ending = new AbortController()
  readonly #timer: NodeJS.Timeout
  #beat: Promise<void> | undefined
  #isFailing = false

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#poster = new Poster(new URL(options.url))
    this.#timer = setInterval(() => {
      this.#start()
    }, options.everyMs ?? 60_000).unref()
    this.#start()
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    this.#ending.abort()
    await this.#beat
  }

  #start(): void {
    this.#beat ??= this.#send().finally(() => {
      this.#beat = undefined
    })
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    const { isReady, log } = this.#options
    try {
      if (!(await isReady())) return
      const { status } = await this.#poster.send({
        method: 'GET',
        headers: { 'user-agent': 'riverhook' },
        body: Buffer.alloc(0),
        timeoutMs,
        signal: this.#ending.signal
      })
      if (status < 200 || status > 299) throw new Error(`it answered ${status}`)
      if (this.#isFailing) log.info('heartbeat: its URL answers again')
      this.#isFailing = false
    } catch (error) {
      if (this.#ending.signal.aborted) return
      if (!this.#isFailing)
        log.warn({ err: loggedError(error) }, 'heartbeat: its URL could not be fetched; trying again')
      this.#isFailing = true
    }
  }
}
