import type { Adopted, HandlerRecord, OrderKey } from '../inbox.ts'
import { adopt, beat, leave, promoteBatch, type Replica } from './adopt.ts'
import type { Times } from './claim.ts'
import type { Database } from './database.ts'
import { clearInterval, setInterval } from '../../model/timers.ts'

export interface PresenceOptions {
  readonly database: Database
  readonly replica: Replica
  readonly times: () => Times
  /** Called when deliveries may have become due. */
  readonly onDue: () => void
  /** Called at every heartbeat. */
  readonly onBeat: () => void
  readonly beatMs: number
}

/** Announces this replica and its handlers to the others: at start-up, at every heartbeat, and on shutdown. */
export class Presence {
  readonly #options: PresenceOptions
  #handlers: readonly HandlerRecord[] = []
  #beats: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #adoptingAgain: Promise<void> | undefined
  /** The last call of `adopt` failed, or left more for the next one: its caller calls again. */
  #isAdopting = false
  /** A heartbeat found more than it does itself: `adopt` must be called again. */
  #mustAdoptAgain = false
  /** The last order key whose line `adopt` has checked; undefined starts over. */
  #linedUpTo: OrderKey | undefined
  /** The last order key checked by a heartbeat; undefined starts over. */
  #checkedTo: OrderKey | undefined
  #ended = false

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  /** Parks and resumes a batch, and checks the lines of a batch of order keys. */
  async adopt(handlers: readonly HandlerRecord[]): Promise<Adopted> {
    const { database, replica, times, onDue, beatMs } = this.#options
    this.#isAdopting = true
    const { hasMore: isBatchFull, ...batch } = await adopt(database, replica, handlers, times())
    this.#handlers = handlers
    this.#beats ??= setInterval(() => {
      this.#options.onBeat()
      // Ignore errors: if the database is down, every other call reports it.
      this.#beating ??= this.#beat()
        .catch(() => undefined)
        .finally(() => {
          this.#beating = undefined
        })
    }, beatMs).unref()
    // The batch may have changed lines that were already checked.
    if (batch.parked > 0 || batch.resumed > 0) this.#linedUpTo = undefined
    this.#linedUpTo = await promoteBatch(database, this.#linedUpTo)
    onDue()
    this.#isAdopting = isBatchFull === true || this.#linedUpTo !== undefined
    return this.#isAdopting ? { ...batch, hasMore: true } : batch
  }

  /** Best effort: this only notifies the other replicas sooner. They drop a silent replica after a minute anyway. */
  async end(): Promise<void> {
    this.#ended = true
    clearInterval(this.#beats)
    await Promise.all([this.#adoptingAgain, this.#beating])
    const { database, replica, times } = this.#options
    await leave(database, replica, times()).catch(() => undefined)
  }

  async #beat(): Promise<void> {
    const { database, replica, times } = this.#options
    // Nothing is parked or lined up beside `adopt`, which counts all of it for its caller.
    const isAlone = !this.#isAdopting
    const { isKnown, hasMore } = await beat(database, replica, times(), isAlone)
    this.#mustAdoptAgain ||= !isKnown || hasMore
    if (!isAlone) return
    if (this.#mustAdoptAgain)
      this.#adoptingAgain = this.#adoptAgain()
        // Another call reports the error, and the next heartbeat continues.
        .catch(() => undefined)
        .finally(() => {
          this.#adoptingAgain = undefined
          this.#isAdopting = false
        })
    // A delivery that was deleted or changed by hand can leave others with its order key waiting.
    else this.#checkedTo = await promoteBatch(database, this.#checkedTo)
  }

  /** Adopts until nothing is left. */
  async #adoptAgain(): Promise<void> {
    let hasMore: boolean | undefined = true
    while (hasMore === true && !this.#ended) ({ hasMore } = await this.adopt(this.#handlers))
    this.#mustAdoptAgain = false
  }
}
