import type { HandlerRecord } from '../inbox.ts'
import { adopt, beat, leave, promoteSome, type Replica } from './adopt.ts'
import type { Times } from './claim.ts'
import type { Database } from './database.ts'
import type { OrderKey } from './order-keys.ts'

export interface PresenceOptions {
  readonly database: Database
  readonly replica: Replica
  readonly times: () => Times
  /** Deliveries may have become due. */
  readonly onDue: () => void
  /** Called at every sign of life. */
  readonly onBeat: () => void
}

const beatMs = 15_000

/** That this replica is there, with its handlers: told to the others at its start, every few seconds, and at its end. */
export class Presence {
  readonly #options: PresenceOptions
  #handlers: readonly HandlerRecord[] = []
  #beats: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #promoting: Promise<void> | undefined
  /** Where the promoting was cut off by a fault. */
  #rest: OrderKey | undefined
  #ended = false

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  async adopt(handlers: readonly HandlerRecord[]): Promise<{ readonly parked: number; readonly resumed: number }> {
    const { database, replica, times, onDue } = this.#options
    const result = await adopt(database, replica, handlers, times())
    this.#handlers = handlers
    this.#beats ??= setInterval(() => {
      this.#options.onBeat()
      // Where it fails, every other call says so.
      this.#beating ??= this.#beat().catch(() => undefined).finally(() => { this.#beating = undefined })
    }, beatMs).unref()
    this.#rest = await promoteSome(database, undefined)
    // With very many keys, what is due already need not wait for the others.
    this.#promoteRest()
    onDue()
    return result
  }

  /** Only so that the others know sooner: what is not seen for a minute is taken for gone anyway. */
  async end(): Promise<void> {
    this.#ended = true
    clearInterval(this.#beats)
    await Promise.all([this.#promoting, this.#beating])
    const { database, replica, times } = this.#options
    await leave(database, replica, times()).catch(() => undefined)
  }

  async #beat(): Promise<void> {
    const { database, replica, times } = this.#options
    if (!(await beat(database, replica, times()))) await this.adopt(this.#handlers)
    this.#promoteRest()
  }

  #promoteRest(): void {
    if (this.#rest === undefined || this.#ended) return
    this.#promoting ??= this.#promote().catch(() => undefined).finally(() => { this.#promoting = undefined })
  }

  async #promote(): Promise<void> {
    while (this.#rest !== undefined && !this.#ended) {
      this.#rest = await promoteSome(this.#options.database, this.#rest)
      this.#options.onDue()
    }
  }
}
