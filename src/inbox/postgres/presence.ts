import type { HandlerRecord } from '../inbox.ts'
import { adopt, beat, goOn, isPortionFull, leave, promoteSome, type Adopted, type Replica } from './adopt.ts'
import type { Times } from './claim.ts'
import type { Database } from './database.ts'
import type { OrderKey } from './order.ts'
import { clearInterval, setInterval } from '../../model/timers.ts'

export interface PresenceOptions {
  readonly database: Database
  readonly replica: Replica
  readonly times: () => Times
  /** Deliveries may have become due. */
  readonly onDue: () => void
  /** Called at every sign of life. */
  readonly onBeat: () => void
  readonly beatMs: number
}

/**
 * That this replica is there, with its handlers: told to the others at its start, every few seconds, and at its end.
 */
export class Presence {
  readonly #options: PresenceOptions
  #handlers: readonly HandlerRecord[] = []
  #beats: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #promoting: Promise<void> | undefined
  /** There is more to be parked, or made due again, than was done at once. */
  #isMore = false
  /** Where the promoting was cut off by a fault. */
  #rest: OrderKey | undefined
  /** The last order key that a sign of life has checked; undefined starts over. */
  #checkedTo: OrderKey | undefined
  #ended = false

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  async adopt(handlers: readonly HandlerRecord[]): Promise<Adopted> {
    const { database, replica, times, onDue, beatMs } = this.#options
    const result = await adopt(database, replica, handlers, times())
    this.#handlers = handlers
    this.#beats ??= setInterval(() => {
      this.#options.onBeat()
      // Where it fails, every other call says so.
      this.#beating ??= this.#beat()
        .catch(() => undefined)
        .finally(() => {
          this.#beating = undefined
        })
    }, beatMs).unref()
    this.#isMore = isPortionFull(result)
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
    const { isKnown, parked } = await beat(database, replica, times())
    if (!isKnown) await this.adopt(this.#handlers)
    this.#isMore ||= isPortionFull({ parked, resumed: 0 })
    this.#promoteRest()
    // Deliveries that were deleted or changed by hand leave others of their keys waiting.
    this.#checkedTo = await promoteSome(database, this.#checkedTo)
  }

  #promoteRest(): void {
    if ((this.#rest === undefined && !this.#isMore) || this.#ended) return
    this.#promoting ??= this.#promote()
      .catch(() => undefined)
      .finally(() => {
        this.#promoting = undefined
      })
  }

  async #promote(): Promise<void> {
    const { database, times, onDue } = this.#options
    while ((this.#rest !== undefined || this.#isMore) && !this.#ended) {
      if (this.#isMore) {
        this.#isMore = isPortionFull(await goOn(database, this.#handlers, times()))
        // Keys that came back with this portion are found from the beginning on.
        this.#rest = undefined
      }
      this.#rest = await promoteSome(database, this.#rest)
      onDue()
    }
  }
}
