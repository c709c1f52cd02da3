import type { RiverhookError } from '../model/errors.ts'
import type { EventKey } from '../model/event.ts'
import type { ClaimedDelivery, Inbox, OrderKey, SettleResult } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import { inOwnContext } from '../model/own-context.ts'
import { Bell } from './bell.ts'
import type { Decision } from './outcomes.ts'
import { Outage } from './outage.ts'
import type { Run } from './run.ts'
import { within } from '../model/time-limit.ts'
import { nextTurn } from '../model/timers.ts'

/** The most outcomes in one transaction: a larger batch takes longer and saves nothing. */
const maxBatch = 512
/** Stop claiming while this many outcomes are not stored: after a crash each of them would run again. */
const maxWaiting = 2 * maxBatch

/** A run whose outcome is not stored yet. */
export interface PendingOutcome extends Decision {
  readonly run: Run
  /** Milliseconds since the epoch. */
  readonly endedAt: number
}

export interface SettlementsOptions {
  readonly inbox: Inbox
  readonly log: Log
  /** Called for each outcome when the inbox has answered. */
  readonly onAnswer: (pending: PendingOutcome, result: SettleResult | RiverhookError) => void
}

/**
 * Stores outcomes in batches: one `settle()` at a time, and attempts that end in the meantime share the next one. Keeps
 * and retries outcomes while the inbox fails: none is lost while the process lives.
 *
 * The engine refuses the late result of a run whose lease has ended: `settle()` answers `stale`.
 */
export class Settlements {
  readonly #options: SettlementsOptions
  readonly #outage: Outage
  readonly #hurry = new Bell()
  #waiting: PendingOutcome[] = []
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

  /** True while nothing should be claimed: outcomes cannot be stored, or not fast enough. */
  get isBehind(): boolean {
    return this.#outage.isOn || this.size >= maxWaiting
  }

  add(pending: PendingOutcome): void {
    this.#waiting.push(pending)
    this.#flushing ??= inOwnContext(() => this.#flush())
  }

  /**
   * Waits until all outcomes are stored, at most `ms`.
   * @returns how many are not stored; they are given up, and their deliveries run again when their leases end
   */
  async drain(ms: number): Promise<number> {
    this.#hurry.ring()
    if (this.#flushing !== undefined) await within(ms, this.#flushing)
    this.#abandoned = true
    return this.size
  }

  async #flush(): Promise<void> {
    // Put all attempts that end in this turn of the event loop into one batch.
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

  async #settle(batch: readonly PendingOutcome[]): Promise<number> {
    const sent = batch.map(({ run, outcome, endedAt }) => ({
      id: run.delivery.id,
      token: run.delivery.token,
      orderKey: orderKeyOf(run.delivery),
      event: 'error' in outcome ? keyOf(run.delivery) : undefined,
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
    batch.forEach((pending, index) => {
      const result = results[index] ?? 'stale'
      // Guard: our lease ended, and we claimed the delivery again: store the outcome with the new token.
      if (result === 'stale' && pending.run.useNewClaim()) this.#waiting.push(pending)
      else this.#options.onAnswer(pending, result)
    })
    return 0
  }
}

function keyOf({ event: { realm, id } }: ClaimedDelivery): EventKey {
  return { realm, id }
}

function orderKeyOf({ handler, orderKey, event: { realm } }: ClaimedDelivery): OrderKey | null {
  return orderKey === undefined ? null : { handler, realm, orderKey }
}
