import type { Inbox, OnLoss } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import { HeldRuns } from './held-runs.ts'
import { Outage } from './outage.ts'
import type { Run } from './run.ts'
import { clearTimeout, setTimeout } from '../model/timers.ts'

export interface LeasesOptions {
  readonly inbox: Inbox
  readonly leaseMs: number
  readonly log: Log
  /** Milliseconds since the epoch, by the clock with which the inbox measures leases. */
  readonly clock: () => number
  /** Called when a lease is lost: another process may have the delivery now. */
  readonly onLost: (run: Run) => void
}

/**
 * The deliveries that this process holds, and the heartbeat that extends their leases, three times per lease.
 *
 * The engine, and not this class, refuses the late result of a zombie (a process that was frozen for longer than its
 * lease): the run's token is no longer valid, so `settle()` answers `stale` (`settle.ts` of each
 * engine). `Report.stale()` logs it.
 */
export class Leases {
  readonly #options: LeasesOptions
  readonly #held = new HeldRuns()
  readonly #outage: Outage
  #beatAt: number
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<number> | undefined
  #stopped = false
  /** Stored with every heartbeat; undefined until shutdown. */
  #onLoss: OnLoss | undefined

  constructor(options: LeasesOptions) {
    this.#options = options
    this.#outage = new Outage(options.log, 'extending leases')
    this.#beatAt = options.clock()
  }

  start(): void {
    this.#schedule(0)
  }

  /** Stops the heartbeat, so that the remaining leases run out. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /**
   * Call at shutdown: runs that are lost from now on are not counted, because a kill during shutdown says nothing about
   * the deliveries. Sends this to the inbox at once, without waiting for the result.
   */
  ignoreLosses(): void {
    this.#onLoss = 'nothing'
    // A heartbeat in progress was sent without it: send another one.
    void (this.#beating ?? Promise.resolve()).then(() => this.beat())
  }

  /** Undoes `ignoreLosses()` after an uncaught error: runs that are lost from now on are counted as lost. */
  countLosses(): void {
    this.#onLoss = undefined
  }

  get all(): readonly Run[] {
    return this.#held.all
  }

  get(id: number): Run | undefined {
    return this.#held.get(id)
  }

  hold(run: Run): void {
    this.#held.add(run)
  }

  drop(run: Run): void {
    this.#held.delete(run)
  }

  /**
   * True after a stall of the event loop or a jump of the clock: leases may have ended, or end soon. Guard: send a
   * heartbeat before the next claim, which could otherwise return deliveries that this process still runs.
   */
  get isOverdue(): boolean {
    return this.#held.size > 0 && this.#options.clock() - this.#beatAt > this.#options.leaseMs / 2
  }

  /** Extends all leases. @returns how long to wait before the next attempt, in milliseconds; 0 if it succeeded */
  beat(): Promise<number> {
    this.#beating ??= this.#extend().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }

  async #extend(): Promise<number> {
    const { inbox, leaseMs, clock, onLost } = this.#options
    const at = clock()
    const sent = this.all
      .filter(({ fate }) => !fate.isCommitted)
      .map((run) => ({ run, id: run.delivery.id, token: run.delivery.token }))
    try {
      const lost =
        sent.length === 0
          ? []
          : await inbox.extend(
              sent.map(({ id, token }) => ({ id, token })),
              leaseMs,
              this.#onLoss
            )
      this.#outage.succeeded()
      this.#beatAt = at
      if (lost.length === 0) return 0
      const lostIds = new Set(lost)
      for (const { run, id, token } of sent) {
        // Guard: in the meantime the run may have ended (its settlement decides) or been claimed again (new token).
        if (!lostIds.has(id) || run.fate.isDecided || run.delivery.token !== token || this.get(id) !== run) continue
        this.drop(run)
        onLost(run)
      }
      return 0
    } catch (error) {
      return this.#outage.failed(error)
    }
  }

  #schedule(ms: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      const everyMs = this.#options.leaseMs / 3
      void this.beat().then((pauseMs) => {
        this.#schedule(pauseMs === 0 ? everyMs : Math.min(pauseMs, everyMs))
      })
    }, ms)
    this.#timer.unref()
  }
}
