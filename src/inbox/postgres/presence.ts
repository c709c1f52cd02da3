import type { Adopted, HandlerRecord, OrderKey } from '../inbox.ts'
import { adopt, beat, continueAdopting, mayHaveMore, leave, promoteBatch, type Replica } from './adopt.ts'
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
  #continuing: Promise<void> | undefined
  /** The last batch of a heartbeat was full: more deliveries may have to be parked or resumed. */
  #adoptionPending = false
  /** The last order key promoted before an error, or before the batch ended. */
  #resumeAfter: OrderKey | undefined
  /** The last order key checked by a heartbeat; undefined starts over. */
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
      // Ignore errors: if the database is down, every other call reports it.
      this.#beating ??= this.#beat()
        .catch(() => undefined)
        .finally(() => {
          this.#beating = undefined
        })
    }, beatMs).unref()
    this.#resumeAfter = await promoteBatch(database, undefined)
    // Check the rest of the keys in the background: due deliveries must not wait for it.
    this.#continueInBackground()
    onDue()
    return result
  }

  /** Best effort: this only notifies the other replicas sooner. They drop a silent replica after a minute anyway. */
  async end(): Promise<void> {
    this.#ended = true
    clearInterval(this.#beats)
    await Promise.all([this.#continuing, this.#beating])
    const { database, replica, times } = this.#options
    await leave(database, replica, times()).catch(() => undefined)
  }

  async #beat(): Promise<void> {
    const { database, replica, times } = this.#options
    const { isKnown, parked } = await beat(database, replica, times())
    const adopted = isKnown ? { parked, resumed: 0 } : await this.adopt(this.#handlers)
    this.#adoptionPending ||= mayHaveMore(adopted)
    this.#continueInBackground()
    // A delivery that was deleted or changed by hand can leave others with its order key waiting.
    this.#checkedTo = await promoteBatch(database, this.#checkedTo)
  }

  #continueInBackground(): void {
    if ((this.#resumeAfter === undefined && !this.#adoptionPending) || this.#ended) return
    this.#continuing ??= this.#continue()
      .catch(() => undefined)
      .finally(() => {
        this.#continuing = undefined
      })
  }

  async #continue(): Promise<void> {
    const { database, times, onDue } = this.#options
    while ((this.#resumeAfter !== undefined || this.#adoptionPending) && !this.#ended) {
      if (this.#adoptionPending) {
        this.#adoptionPending = mayHaveMore(await continueAdopting(database, this.#handlers, times()))
        // Start over: this batch may have resumed deliveries of keys that were already checked.
        this.#resumeAfter = undefined
      }
      this.#resumeAfter = await promoteBatch(database, this.#resumeAfter)
      onDue()
    }
  }
}
