import type { RiverhookError } from '../model/errors.ts'
import type { Outcome } from '../model/event.ts'
import type { ClaimedDelivery, Inbox, SettleResult } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import { Bell } from './bell.ts'
import { Outage } from './outage.ts'
import type { Run } from './run.ts'
import { nextTurn, within } from './wait.ts'

/** The most outcomes in one transaction: more make the commit longer without making it cheaper. */
const maxBatch = 512
/** So many outcomes may wait before nothing more is claimed: what is not stored yet would run again after a crash. */
const maxWaiting = 2 * maxBatch

/** How an attempt ended, on its way into the inbox. */
export interface Settled {
  readonly run: Run
  readonly outcome: Outcome
  /** What the handler threw; undefined where nothing was. */
  readonly error: unknown
  readonly endedAt: number
}

export interface SettlementsOptions {
  readonly inbox: Inbox
  readonly log: Log
  /** Called for each outcome when the inbox has answered. */
  readonly onAnswer: (settled: Settled, result: SettleResult | RiverhookError) => void
}

/**
 * Outcomes on their way into the inbox: one `settle()` at a time, and what ends meanwhile goes together in the next
 * one. While the inbox fails they are kept and tried again: an outcome is not lost while the process lives.
 */
export class Settlements {
  readonly #options: SettlementsOptions
  readonly #outage: Outage
  readonly #hurry = new Bell()
  #waiting: Settled[] = []
  #inFlight = 0
  #flushing: Promise<void> | undefined
  #abandoned = false

  constructor(options: SettlementsOptions) {
    this.#options = options
    this.#outage = new Outage(options.log, 'storing outcomes')
  }

  get size(): number {
    return this.#waiting.length + this.#inFlight
  }

  /** True while nothing more should be claimed, since outcomes cannot be stored as fast as they arise, or at all. */
  get isBehind(): boolean {
    return this.#outage.isOn || this.size >= maxWaiting
  }

  add(settled: Settled): void {
    this.#waiting.push(settled)
    this.#flushing ??= this.#flush()
  }

  /**
   * Waits until all outcomes are stored, `ms` at most.
   * @returns how many are not stored; they are given up, and their deliveries run again when their leases end
   */
  async drain(ms: number): Promise<number> {
    this.#hurry.ring()
    if (this.#flushing !== undefined) await within(ms, this.#flushing)
    this.#abandoned = true
    return this.size
  }

  async #flush(): Promise<void> {
    // What ends in this turn of the event loop goes together.
    await nextTurn()
    while (this.#waiting.length > 0 && !this.#abandoned) {
      const batch = this.#waiting.splice(0, maxBatch)
      this.#inFlight = batch.length
      const pauseMs = await this.#settle(batch)
      this.#inFlight = 0
      if (pauseMs > 0) {
        this.#waiting = [...batch, ...this.#waiting]
        await this.#hurry.wait(pauseMs)
      }
    }
    this.#flushing = undefined
  }

  async #settle(batch: readonly Settled[]): Promise<number> {
    const sent = batch.map(({ run, outcome, endedAt }) => ({
      id: run.delivery.id,
      token: run.delivery.token,
      outcome,
      startedAt: new Date(run.startedAt),
      endedAt: new Date(endedAt)
    }))
    let results: readonly (SettleResult | RiverhookError)[]
    try {
      results = await this.#options.inbox.settle(sent)
    } catch (error) {
      return this.#outage.failed(error)
    }
    this.#outage.succeeded()
    batch.forEach((settled, index) => {
      const result = results[index] ?? 'stale'
      if (result === 'stale' && settled.run.again !== undefined) this.#settleAgain(settled, settled.run.again)
      else this.#options.onAnswer(settled, result)
    })
    return 0
  }

  /** Our lease had run out, and our own claim gave the delivery out again: the outcome stands, under the new token. */
  #settleAgain(settled: Settled, again: ClaimedDelivery): void {
    settled.run.delivery = again
    settled.run.again = undefined
    this.#waiting.push(settled)
  }
}
