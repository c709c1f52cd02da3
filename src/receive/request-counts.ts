import { loggedError } from '../model/error-text.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import { inOwnContext } from '../model/own-context.ts'
import { isRequestNote, toMinute, type CountedRequests } from '../model/tally.ts'
import { clearTimeout, setTimeout } from '../model/timers.ts'

export interface RequestCountsOptions {
  readonly inbox: Pick<Inbox, 'countRequests'>
  readonly log: Log
  /** How often counts are stored. Default 5,000 ms. */
  readonly everyMs?: number
}

/**
 * The most minutes that are kept for one endpoint and outcome while the inbox is unavailable. Later requests are added
 * to the last one: their time is less exact, but they are counted.
 */
const mostMinutes = 1_440

/** The requests of one minute, with one endpoint and outcome. */
interface Minute {
  readonly minute: number
  /** The time of the first one, in milliseconds since the epoch. */
  readonly at: number
  count: number
}

/** The most counts in one transaction of the inbox. */
const batchSize = 500

/**
 * Counts requests by endpoint and outcome, which no sender chooses, so that the memory is bounded. Stores the
 * counts in the tally of the inbox at intervals: no answer waits for that. A crash loses the counts of a few seconds.
 */
export class RequestCounts {
  readonly #options: RequestCountsOptions
  /** The unsaved counts by endpoint and outcome, one for each minute, in order. */
  readonly #unsaved = new Map<string, Map<string, Minute[]>>()
  #timer: NodeJS.Timeout | undefined
  #storing: Promise<void> | undefined
  #isEnded = false

  constructor(options: RequestCountsOptions) {
    this.#options = options
  }

  count(endpoint: string, outcome: string, at = Date.now()): void {
    this.#add(endpoint, outcome, at, 1)
    this.#schedule()
  }

  /** Stores the rest. If the inbox is unavailable, logs how many refused requests are not counted. */
  async end(): Promise<void> {
    this.#isEnded = true
    clearTimeout(this.#timer)
    await this.#storing
    await this.#store()
    const lost = this.#take().reduce((sum, { outcome, count }) => (isRequestNote(outcome) ? sum : sum + count), 0)
    if (lost > 0) this.#options.log.warn({ requests: lost }, 'refused requests could not be counted in the inbox')
  }

  /** @param at in milliseconds since the epoch */
  #add(endpoint: string, outcome: string, at: number, count: number): void {
    const minute = toMinute(at)
    const minutes = this.#minutesOf(endpoint, outcome)
    const last = minutes.at(-1)
    if (last !== undefined && (last.minute === minute || minutes.length >= mostMinutes)) last.count += count
    else minutes.push({ minute, at, count })
  }

  #minutesOf(endpoint: string, outcome: string): Minute[] {
    let outcomes = this.#unsaved.get(endpoint)
    if (outcomes === undefined) this.#unsaved.set(endpoint, (outcomes = new Map<string, Minute[]>()))
    let minutes = outcomes.get(outcome)
    if (minutes === undefined) outcomes.set(outcome, (minutes = []))
    return minutes
  }

  /** Takes all counts. */
  #take(): CountedRequests[] {
    const taken = [...this.#unsaved].flatMap(([endpoint, outcomes]) =>
      [...outcomes].flatMap(([outcome, minutes]) =>
        minutes.map(({ at, count }) => ({ endpoint, outcome, at: new Date(at), count }))
      )
    )
    this.#unsaved.clear()
    return taken
  }

  #schedule(): void {
    // The inbox is closed by then, and a timer would keep the process alive.
    if (this.#isEnded) return
    const store = (): void => {
      this.#timer = undefined
      this.#storing = this.#store().finally(() => {
        this.#storing = undefined
        if (this.#unsaved.size > 0) this.#schedule()
      })
    }
    this.#timer ??= inOwnContext(() => setTimeout(store, this.#options.everyMs ?? 5_000).unref())
  }

  /** Stores all counts. Keeps them if the inbox is unavailable. Never rejects. */
  async #store(): Promise<void> {
    const { inbox, log } = this.#options
    const unsaved = this.#take()
    while (unsaved.length > 0) {
      const batch = unsaved.slice(0, batchSize)
      try {
        await inbox.countRequests(batch)
        unsaved.splice(0, batch.length)
      } catch (error) {
        for (const { endpoint, outcome, at, count } of [...unsaved, ...this.#take()])
          this.#add(endpoint, outcome, at.getTime(), count)
        log.debug({ err: loggedError(error) }, 'counts of refused requests could not be stored; retrying')
        return
      }
    }
  }
}
