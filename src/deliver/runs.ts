import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import { leaseLost, leaseRanOut } from '../model/lease.ts'
import { setImmediate } from '../model/timers.ts'
import type { ClaimedDelivery, LostRun, SettleResult } from '../inbox/inbox.ts'
import type { Ending } from './attempt.ts'
import type { Bell } from './bell.ts'
import type { DispatcherOptions } from './dispatcher-options.ts'
import type { Lane } from './lane.ts'
import type { Lanes } from './lanes.ts'
import { Leases } from './leases.ts'
import {
  abortReason,
  choosesOutcome,
  decideAfterFailure,
  decideAfterLoss,
  decideOnLoweredLimit,
  decideOnUnreadable,
  type BackoffInput,
  type FailureInput,
  type Decision
} from './outcomes.ts'
import { Prefetched } from './prefetched.ts'
import { Report } from './report.ts'
import { currentRun, Run } from './run.ts'
import { Settlements, type PendingOutcome } from './settlements.ts'
import type { Suspects } from './suspects.ts'

/**
 * The longest that a claimed delivery waits for a slot, in milliseconds: less than a quarter of its lease, so that it
 * cannot begin when another process may have it.
 */
const longestWaitMs = (leaseMs: number): number => Math.min(1_000, leaseMs / 4)
/**
 * For how long waiting deliveries may begin one after the other in one turn of the event loop, in milliseconds.
 * Requests are not answered meanwhile if their handlers wait for nothing.
 */
const turnMs = 5

export interface RunsOptions
  extends Pick<DispatcherOptions, 'inbox' | 'log' | 'revive' | 'redact' | 'random' | 'onError' | 'onDead' | 'tracing'> {
  readonly clock: () => number
  readonly leaseMs: number
  /** Wakes the loop: something may be claimed that could not be claimed before. */
  readonly bell: Bell
  /** Called with a delivery that this process claimed again while the outcome of the earlier run was being stored. */
  readonly route: (delivery: ClaimedDelivery) => void
}

/**
 * The runs of this process, from the claim until the outcome is stored: starts them, decides what becomes of them when
 * they end, and has their outcomes stored and reported.
 */
export class Runs {
  readonly leases: Leases
  readonly #options: RunsOptions
  readonly #settlements: Settlements
  readonly #report: Report
  readonly #prefetched: Prefetched
  /** The first start of a waiting delivery in this turn of the event loop, if any. Milliseconds since the epoch. */
  #turnSince: number | undefined
  /** Undefined until the dispatcher starts. */
  #lanes: Lanes | undefined
  #suspects: Suspects | undefined
  /** The uncaught error that ends the process. If its attempt is unknown, all running attempts have lost a run. */
  #fault: { isKnown: boolean } | undefined

  constructor(options: RunsOptions) {
    const { inbox, leaseMs, log, clock, redact } = (this.#options = options)
    this.#report = new Report(log, options, redact)
    this.#prefetched = new Prefetched(clock, longestWaitMs(leaseMs))
    this.#settlements = new Settlements({
      inbox,
      log,
      onAnswer: (pending, result) => {
        this.#answered(pending, result)
      }
    })
    this.leases = new Leases({
      inbox,
      leaseMs,
      log,
      clock,
      onLost: (run) => {
        this.#report.lost(run)
        run.loseLease()
        const error = leaseLost()
        run.span?.end({ outcome: 'lease_lost', error, message: error.message })
      }
    })
  }

  /** Call at the start, when the handlers are complete. */
  begin(lanes: Lanes, suspects: Suspects): void {
    this.#lanes = lanes
    this.#suspects = suspects
  }

  /** True while nothing should be claimed: outcomes cannot be stored, or not fast enough. */
  get isBehind(): boolean {
    return this.#settlements.isBehind
  }

  /** True after an uncaught error. */
  get hasFault(): boolean {
    return this.#fault !== undefined
  }

  /**
   * Runs the handler of a delivery, when a slot is free.
   * @param read the event, if it was read just now and nothing else uses it
   */
  start(delivery: ClaimedDelivery, lane: Lane, read?: AnyEvent): void {
    const run = this.#hold(delivery, lane)
    // Those that wait have been claimed before.
    if (lane.running < lane.handler.concurrency && lane.prefetched === 0) this.#begin(run, lane, read)
    else this.#prefetched.add(run, lane, read)
  }

  /** Hands back the deliveries that have waited for a slot for too long: their handler has become slow. */
  handBackOverdue(): void {
    for (const run of this.#prefetched.takeOverdue()) {
      run.lane?.pace.stalled(run.lane.handler.concurrency)
      this.#handBackWaiting(run)
    }
  }

  /** Hands back the deliveries that wait for a slot. */
  handBackPrefetched(): void {
    for (const run of this.#prefetched.takeAll()) this.#handBackWaiting(run)
  }

  /**
   * Calls the handler. An event that cannot be read is a dead letter; so is a delivery whose handler now allows fewer
   * attempts than were made.
   */
  #begin(run: Run, lane: Lane, read: AnyEvent | undefined): void {
    const { delivery } = run
    const lowered = decideOnLoweredLimit(delivery, lane)
    if (lowered !== undefined) {
      this.#settle(run, lowered)
      return
    }
    const { inbox, log, revive, tracing, clock } = this.#options
    let event: AnyEvent
    try {
      if (delivery.event.unreadable !== undefined) throw delivery.event.unreadable
      event = read ?? revive(delivery.event)
    } catch (cause) {
      const input = this.#failureInput(run)
      // The key may be given to the process later.
      const isWithoutKey = cause instanceof RiverhookError && cause.code === 'RIVERHOOK_INBOX_KEY'
      this.#settle(
        run,
        isWithoutKey ? decideAfterFailure(delivery, lane, input, cause) : decideOnUnreadable(cause, input.redact)
      )
      return
    }
    lane.running += 1
    const onCommitted = (): void => {
      this.#freeKey(run)
    }
    void run.start({ inbox, event, lane, log, tracing, onCommitted, startedAt: clock() }).then((ending) => {
      this.#ended(run, lane, ending)
    })
  }

  /** Parks a delivery whose handler is not registered. */
  park(delivery: ClaimedDelivery): void {
    this.#settle(this.#hold(delivery, undefined), { outcome: { state: 'parked' } })
  }

  /** Hands a delivery back without a run: it is due at once. */
  handBack(delivery: ClaimedDelivery, lane: Lane): void {
    this.#settle(this.#hold(delivery, lane), { outcome: { state: 'released' } })
  }

  /**
   * Settles a run whose process died or stalled. If that process was shutting down, the delivery is due at once, as if
   * handed back.
   */
  settleLost(delivery: ClaimedDelivery, lane: Lane, { owner, at, onLoss }: LostRun): void {
    const run = this.#hold(delivery, lane, at.getTime())
    const cause = new RiverhookError('RIVERHOOK_DELIVER_LEASE_LOST', leaseRanOut(owner))
    this.#settle(
      run,
      onLoss === 'nothing'
        ? { outcome: { state: 'released' } }
        : decideAfterLoss(delivery, lane, this.#backoffInput(), onLoss, cause)
    )
  }

  /** Guard: a claim can return a delivery that still runs here. @returns false if it does not */
  claimAgain(delivery: ClaimedDelivery): boolean {
    const run = this.leases.get(delivery.id)
    // Guard: claims of the same delivery can be routed in another order than they were made.
    if (run !== undefined && delivery.token > run.delivery.token) run.claimAgain(delivery)
    return run !== undefined
  }

  /** Resolves when every handler that runs now has ended. */
  async untilEnded(): Promise<void> {
    await Promise.all(
      this.leases.all.flatMap((run) => (run.isUnderWay && run.ending !== undefined ? [run.ending] : []))
    )
  }

  /**
   * An uncaught error ends the process. The attempt that threw it has failed, and is decided at once: its handler may
   * never end. If the attempt cannot be identified, each run that does not end in time is lost.
   */
  fail(error: unknown): void {
    const underWay = this.leases.all.filter((run) => run.isUnderWay && !run.fate.isCommitted)
    const found = currentRun()
    const thrower = found !== undefined && underWay.includes(found) ? found : undefined
    this.#report.fault(error, thrower, underWay)
    this.#fault = { isKnown: thrower !== undefined && this.#fault?.isKnown !== false }
    this.leases.countLosses()
    if (thrower?.lane === undefined) return
    const { lane } = thrower
    const cause = new RiverhookError(
      'RIVERHOOK_DELIVER_FAULT',
      `Handler "${lane.handler.name}" threw an error that nothing caught, which ends the process. Await every promise, and catch the errors of timers and streams`,
      { cause: error }
    )
    this.#settle(thrower, decideAfterFailure(thrower.delivery, lane, this.#failureInput(thrower), error, cause))
    thrower.abort(cause)
  }

  /** Asks all running handlers to stop. @returns their runs */
  stop(): readonly Run[] {
    const reason = abortReason(this.hasFault)
    const open = this.leases.all.filter(({ fate }) => fate.isOpen)
    for (const run of open) run.stop(reason)
    return open
  }

  /** Hands back the runs of `stop()` that still have no outcome. */
  handBackUnfinished(runs: readonly Run[]): void {
    for (const run of runs) if (run.fate.isStopping && !run.fate.isCommitted) this.#handBackRun(run)
  }

  /**
   * Waits until all outcomes are stored, and then until onError and onDead have finished; each for at most `storeMs`.
   * @returns how many outcomes are not stored
   */
  async drain(storeMs: number): Promise<number> {
    const unstored = await this.#settlements.drain(storeMs)
    await this.#report.drain(storeMs)
    this.leases.stop()
    return unstored
  }

  #hold(delivery: ClaimedDelivery, lane: Lane | undefined, startedAt = this.#options.clock()): Run {
    const run = new Run(delivery, lane, startedAt)
    this.leases.hold(run)
    return run
  }

  #backoffInput(): BackoffInput {
    const { clock, random = Math.random } = this.#options
    return { now: clock(), random: random() }
  }

  #failureInput({ delivery }: Run): FailureInput {
    const { redact } = this.#options
    return { ...this.#backoffInput(), redact: (message) => redact?.(message, delivery.event) ?? message }
  }

  #handBackWaiting(run: Run): void {
    run.handBackAt(this.#options.clock())
    this.#settle(run, { outcome: { state: 'released' } })
  }

  /** Begins what waits for the slots of a handler, now or in the next turn of the event loop: see `turnMs`. */
  #beginWaiting(lane: Lane): void {
    const now = this.#options.clock()
    if (this.#turnSince === undefined) {
      this.#turnSince = now
      setImmediate(() => {
        this.#turnSince = undefined
        for (const each of this.#lanes?.all ?? []) this.#beginNext(each)
      })
    }
    if (now - this.#turnSince < turnMs) this.#beginNext(lane)
  }

  #beginNext(lane: Lane): void {
    while (lane.running < lane.handler.concurrency) {
      const next = this.#prefetched.next(lane)
      if (next === undefined) return
      // Guard: the lease was lost while it waited.
      if (!next.run.isOver) this.#begin(next.run, lane, next.read)
    }
  }

  #ended(run: Run, lane: Lane, ending: Ending): void {
    const { fate } = run
    lane.running -= 1
    lane.pace.ended(this.#options.clock() - run.startedAt)
    if (lane.prefetched > 0) this.#beginWaiting(lane)
    this.#options.bell.ring()
    if (fate.isOpen || fate.isCommitted) this.#suspects?.survived(run)
    const error = ending.state === 'failed' ? ending.error : undefined
    // Guard: the transaction has settled the delivery. There is nothing to store, even if the handler failed after it.
    if (fate.isCommitted) {
      run.span?.end({ outcome: 'done' })
      this.#answered({ run, outcome: { state: 'done' }, error, endedAt: this.#options.clock() }, 'settled')
    } else if (fate.isOver) return
    else if (ending.state === 'done') this.#settle(run, { outcome: { state: 'done' } })
    // After the abort, an error is the handler's way to stop, unless it names the outcome itself.
    else if (fate.isStopping && !choosesOutcome(error)) this.#handBackRun(run)
    else this.#settle(run, decideAfterFailure(run.delivery, lane, this.#failureInput(run), error))
  }

  /**
   * Hands back a run that is unfinished at the end of the process. After an uncaught error of an unknown attempt, the
   * run is lost instead.
   */
  #handBackRun(run: Run): void {
    const { lane, delivery } = run
    if (lane === undefined || this.#fault?.isKnown !== false) {
      this.#settle(run, { outcome: { state: 'released' } })
      return
    }
    const cause = new RiverhookError(
      'RIVERHOOK_DELIVER_FAULT',
      'The run was lost: its process ended because of an error that nothing caught'
    )
    const onLoss = this.#suspects?.onLoss(run) ?? 'loss'
    this.#settle(run, decideAfterLoss(delivery, lane, this.#backoffInput(), onLoss, cause))
  }

  #settle(run: Run, decision: Decision): void {
    if (!run.decide()) return
    const { outcome, error } = decision
    run.span?.end({ outcome: outcome.state, error, message: 'error' in outcome ? outcome.error : undefined })
    this.#settlements.add({ run, ...decision, endedAt: this.#options.clock() })
  }

  #answered(pending: PendingOutcome, result: SettleResult | RiverhookError): void {
    const { run, outcome } = pending
    this.leases.drop(run)
    if (result instanceof RiverhookError) {
      this.#report.unstorable(pending, result)
    } else if (result === 'settled') {
      if (outcome.state === 'retry') this.#lanes?.dueAt(outcome.dueAt)
      this.#freeKey(run)
      this.#stored(pending)
      // Guard: the outcome was stored, and the delivery claimed again, before this process had read the answer.
      if (run.claimedAgain !== undefined) this.#options.route(run.claimedAgain)
    } else if (run.fate.isCommitted) {
      // Guard: a time limit struck while the transaction was being committed.
      this.#stored({ ...pending, outcome: { state: 'done' } })
    } else {
      // Guard: the lease was lost before the outcome arrived (a zombie's late result).
      this.#report.stale(pending)
    }
    this.#options.bell.ring()
  }

  /** Guard: a commit and the outcome of a shutdown can both be answered. The run is reported once. */
  #stored(pending: PendingOutcome): void {
    if (pending.run.report()) this.#report.stored(pending)
  }

  /** The next delivery of the same order key may be due now. */
  #freeKey({ lane, delivery }: Run): void {
    if (lane === undefined || delivery.orderKey === undefined) return
    lane.mayBeDue = true
    this.#options.bell.ring()
  }
}
