import { AsyncLocalStorage } from 'node:async_hooks'

import { ownerName } from '../model/owner-name.ts'
import { RiverhookError } from '../model/errors.ts'
import { leaseLost, leaseRanOut } from '../model/lease.ts'
import type { AnyEvent, Outcome } from '../model/event.ts'
import type { ClaimedDelivery, LostRun, SettleResult } from '../inbox/inbox.ts'
import { startAttempt, type Attempt, type Ending } from './attempt.ts'
import { Bell } from './bell.ts'
import type { DispatcherOptions } from './dispatcher-options.ts'
import { Lanes, type Lane, type Want } from './lanes.ts'
import { Leases } from './leases.ts'
import {
  failuresOf,
  saysSo,
  verdictOnFailure,
  verdictOnLoss,
  verdictOnLowered,
  verdictOnUnreadable,
  reasonToEnd,
  type Chance,
  type Verdict
} from './outcomes.ts'
import { Outage } from './outage.ts'
import { Report } from './report.ts'
import { deliveryInfo, isUnderWay, type Run } from './run.ts'
import { Settlements, type Settled } from './settlements.ts'
import { Suspects, suspectsTimes } from './suspects.ts'
import { HandlerTransaction } from './transaction.ts'
import { within } from '../model/time-limit.ts'
import { nextTurn } from './wait.ts'

export type { DispatcherOptions } from './dispatcher-options.ts'
export type { DeadLetter, FailedEvent, Failure, OnDead, OnError } from './report.ts'

/** How long handlers have between the abort of their signal and the moment their deliveries are handed back. */
const lastMomentMs = 500

/** The attempt that the running code belongs to. Identifies the attempt that threw an uncaught error. */
const attempts = new AsyncLocalStorage<{ run: Run | undefined }>()

/**
 * - `new`: nothing has happened. `start()` leads to `adopting`.
 * - `adopting`: the inbox is given the list of handlers, until that succeeds. Leads to `running`.
 * - `running`: deliveries are claimed and run.
 * - `draining`: `stop()` was called. Nothing more is claimed, and what a claim under way still returns is handed back.
 *   Attempts finish, or are aborted after the grace period, or are handed back. Leads to `stopped`.
 * - `stopped`: every outcome is stored, or its loss is logged. The end.
 */
type Mode = 'new' | 'adopting' | 'running' | 'draining' | 'stopped'

/**
 * The only loop: claims due deliveries, runs their handlers, settles them.
 *
 * One claim is under way at a time, and it asks each handler's lane for what there is room for. Attempts end whenever
 * they end; their outcomes are stored in batches beside the claims. A lane is asked only when something may be due
 * for it: after a hint of the inbox (`onDue`), at the time that the last claim named, after a claim that filled its
 * room, after an outcome that frees an order key, and every `pollMs` in any case, since a command in another process
 * may have made a replay.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #clock: () => number
  readonly #leaseMs: number
  readonly #owner: string
  readonly #bell = new Bell()
  readonly #leases: Leases
  readonly #settlements: Settlements
  readonly #report: Report
  readonly #outage: Outage
  /** Made at the start, when the handlers are complete. */
  #lanes: Lanes | undefined
  #suspects: Suspects | undefined
  /** The uncaught error that ends the process. If its attempt is unknown, all running attempts have lost a run. */
  #fault: { isKnown: boolean } | undefined
  readonly #faulted = Promise.withResolvers<undefined>()
  #mode: Mode = 'new'
  #looping: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined
  #unsubscribe: (() => void) | undefined

  constructor(options: DispatcherOptions) {
    this.#options = options
    const { inbox, log, clock = Date.now, leaseMs = 10_000 } = options
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.#owner = options.owner ?? ownerName()
    this.#report = new Report(log, options)
    this.#outage = new Outage(log, 'claiming deliveries')
    this.#settlements = new Settlements({
      inbox,
      log,
      onAnswer: (settled, result) => {
        this.#answered(settled, result)
      }
    })
    this.#leases = new Leases({
      inbox,
      leaseMs,
      log,
      clock,
      onLost: (run) => {
        this.#lose(run)
      }
    })
  }

  /**
   * Starts to deliver. Resolves when the inbox knows the handlers, or when it failed to take note of them for the
   * first time: that is logged and tried until it succeeds, and nothing is delivered before.
   */
  async start(): Promise<void> {
    if (this.#mode !== 'new') return
    this.#enter('adopting')
    const { concurrency, handlers, inbox, log, pollMs = 500, retry } = this.#options
    const lanes = new Lanes({ handlers, retry, concurrency, pollMs, clock: this.#clock })
    this.#lanes = lanes
    const { suspects: times = suspectsTimes } = this.#options
    this.#suspects = new Suspects({
      inbox,
      lanes,
      leases: this.#leases,
      owner: this.#owner,
      leaseMs: this.#leaseMs,
      pollMs,
      concurrency,
      times
    })
    if (concurrency < handlers.all.length) {
      log.warn(
        { concurrency, handlers: handlers.all.length },
        'concurrency is lower than the number of handlers: one that hangs can delay others'
      )
    }
    if (handlers.all.length === 0)
      log.warn(
        'no handlers: events are stored but nothing runs. Register handlers (RIVERHOOK_HANDLERS), restart, then run: riverhook events replay --handler NAME'
      )
    this.#unsubscribe = inbox.onDue(() => {
      lanes.everythingMayBeDue()
      this.#bell.ring()
    })
    this.#leases.start()
    const firstPauseMs = await this.#adopt()
    this.#looping = this.#loop(lanes, firstPauseMs)
  }

  /**
   * Stops to claim, lets the attempts under way finish for `graceMs`, then aborts their signals, and after a last
   * moment (half a second) hands back what is still unfinished: it runs again in the next process. After the abort,
   * what a handler throws is taken for its answer to the abort, and its delivery is handed back too, uncounted; only
   * a PermanentError or a RetryLater still holds.
   *
   * Resolves when every outcome is stored, or its loss is logged: the inbox could not store it within `storeMs`
   * (default 5,000; onError and onDead have as long to finish). Never rejects.
   */
  stop({ graceMs, storeMs = 5_000 }: { readonly graceMs: number; readonly storeMs?: number }): Promise<void> {
    return (this.#stopping ??= this.#drain(graceMs, storeMs))
  }

  /**
   * Ends because of an uncaught error. The attempt that threw it has failed: it is retried after its backoff, or is a
   * dead letter. The others are aborted and handed back, not counted. If the attempt cannot be identified, each running
   * attempt has lost a run. Call this inside the listener of the error: later the attempt cannot be identified.
   *
   * Resolves like `stop`, within about three seconds. Never rejects. May be called again, and during a shutdown.
   */
  fail(error: unknown): Promise<void> {
    const underWay = this.#leases.all.filter((run) => isUnderWay(run) && !run.isCommitted)
    const found = attempts.getStore()?.run
    const culprit = found !== undefined && underWay.includes(found) ? found : undefined
    this.#report.fault(error, culprit, underWay)
    this.#fault = { isKnown: culprit !== undefined && this.#fault?.isKnown !== false }
    this.#leases.accuse()
    const lane = culprit && this.#lanes?.get(culprit.delivery.handler)
    if (culprit !== undefined && lane !== undefined) {
      const cause = new RiverhookError(
        'RIVERHOOK_DELIVER_FAULT',
        `Handler "${lane.handler.name}" threw an error that nothing caught, which ends the process. Await every promise, and catch the errors of timers and streams`,
        { cause: error }
      )
      this.#conclude(culprit, verdictOnFailure(culprit.delivery, lane, this.#chance(), error, cause))
      culprit.attempt?.abort(cause)
    }
    this.#faulted.resolve(undefined)
    return this.stop({ graceMs: 0, storeMs: 2_000 })
  }

  /** The only place where the mode changes. */
  #enter(mode: Mode): void {
    this.#mode = mode
    this.#bell.ring()
  }

  /** Read through a call: the mode changes while something is awaited, which TypeScript does not reckon with. */
  #isIn(mode: Mode): boolean {
    return this.#mode === mode
  }

  /** @returns how long to wait before the next attempt, in milliseconds; 0 if it succeeded */
  async #adopt(): Promise<number> {
    const { inbox, handlers, log } = this.#options
    try {
      const { parked, resumed } = await inbox.adopt(
        handlers.all.map(({ name, source, pattern, orderBy }) => ({
          name,
          source,
          pattern,
          ordered: orderBy !== undefined
        }))
      )
      this.#outage.succeeded()
      if (this.#isIn('adopting')) this.#enter('running')
      log.info({ handlers: handlers.all.length, resumed }, 'delivering')
      if (parked > 0) {
        log.warn(
          { parked },
          `${parked === 1 ? '1 delivery is' : `${parked} deliveries are`} parked: no handler of that name is registered now; they resume when it is again`
        )
      }
      return 0
    } catch (error) {
      return this.#outage.failed(error)
    }
  }

  async #loop(lanes: Lanes, firstPauseMs: number): Promise<void> {
    let pauseMs = firstPauseMs
    while (this.#isIn('adopting') || this.#isIn('running')) {
      if (pauseMs > 0) await this.#pause(pauseMs)
      // Ends and arrivals of one turn of the event loop share a claim, and a long backlog keeps nobody else from the
      // loop.
      await nextTurn()
      if (this.#isIn('adopting')) pauseMs = await this.#adopt()
      else if (this.#isIn('running')) pauseMs = await this.#round(lanes)
    }
  }

  /** Sleeps for `ms`; only `stop()` wakes it early. */
  async #pause(ms: number): Promise<void> {
    const until = performance.now() + ms
    for (let left = ms; left > 0 && !this.#isIn('draining'); left = until - performance.now())
      await this.#bell.wait(left)
  }

  async #round(lanes: Lanes): Promise<number> {
    const { pollMs = 500 } = this.#options
    if (!this.#settlements.isBehind) {
      const pauseMs = await this.#claimSuspects()
      if (pauseMs > 0 || !this.#isIn('running')) return pauseMs
    }
    const isClosed = this.#suspects?.isClosed === true,
      wants = isClosed ? [] : lanes.wants()
    if (wants.length > 0 && !this.#settlements.isBehind) return this.#claim(lanes, wants)
    await this.#bell.wait(isClosed ? pollMs : lanes.waitMs)
    return 0
  }

  async #claimSuspects(): Promise<number> {
    try {
      const claimed = await this.#suspects?.claim()
      for (const delivery of claimed ?? []) this.#take(delivery)
      return 0
    } catch (error) {
      return this.#outage.failed(error)
    }
  }

  async #claim(lanes: Lanes, wants: readonly Want[]): Promise<number> {
    if (this.#leases.isOverdue) {
      const pauseMs = await this.#leases.beat()
      if (pauseMs > 0 || !this.#isIn('running')) return pauseMs
    }
    lanes.asked(wants)
    try {
      const claim = await this.#options.inbox.claim({
        owner: this.#owner,
        leaseMs: this.#leaseMs,
        wants: wants.map(({ lane: { handler }, limit }) => ({ handler: handler.name, source: handler.source, limit })),
        limit: wants.reduce((sum, { limit }) => sum + limit, 0)
      })
      this.#outage.succeeded()
      lanes.answered(wants, claim)
      if (claim.orphans !== undefined) {
        const { length } = claim.orphans
        this.#options.log.warn(
          { removed: length, handlers: [...new Set(claim.orphans.map(({ handler }) => handler))] },
          'removed deliveries whose events were deleted from the store by hand'
        )
      }
      for (const delivery of claim.deliveries) this.#take(delivery)
      return 0
    } catch (error) {
      lanes.failed(wants)
      return this.#outage.failed(error)
    }
  }

  /** Routes a claimed delivery: normally, runs its handler. */
  #take(delivery: ClaimedDelivery): void {
    const own = this.#leases.get(delivery.id)
    if (own !== undefined) {
      // Our lease ran out unnoticed and we got the delivery again while its handler still runs here: that run goes
      // on. Or its outcome has just been stored, is to be tried again at once, and the answer has not been read yet.
      if (own.fate === 'ended') own.again = delivery
      else own.delivery = delivery
      return
    }
    const lane = this.#lanes?.get(delivery.handler)
    const { lost } = delivery
    if (lane === undefined) this.#settle(this.#hold(delivery), { state: 'parked' })
    else if (lost !== undefined) this.#settleLost(this.#hold(delivery, lost.at.getTime()), lane, lost)
    else if (!this.#isIn('running')) this.#settle(this.#hold(delivery), { state: 'released' })
    else if (failuresOf(delivery) > lane.rule.attempts)
      this.#conclude(this.#hold(delivery), verdictOnLowered(delivery, lane))
    else this.#start(delivery, lane)
  }

  /**
   * Settles a run whose process died or stalled. If that process was shutting down, the delivery is due at once, as if
   * handed back.
   */
  #settleLost(run: Run, lane: Lane, { owner, onLoss }: LostRun): void {
    if (onLoss === 'nothing') this.#settle(run, { state: 'released' })
    else
      this.#conclude(
        run,
        verdictOnLoss(
          run.delivery,
          lane,
          this.#chance(),
          onLoss,
          new RiverhookError('RIVERHOOK_DELIVER_LEASE_LOST', leaseRanOut(owner))
        )
      )
  }

  #chance(): Chance {
    return { now: this.#clock(), random: (this.#options.random ?? Math.random)() }
  }

  #start(delivery: ClaimedDelivery, lane: Lane): void {
    let event: AnyEvent
    try {
      event = this.#options.revive(delivery.event)
    } catch (cause) {
      this.#conclude(this.#hold(delivery), verdictOnUnreadable(cause))
      return
    }
    const startedAt = this.#clock()
    let run: Run | undefined = undefined
    const transaction = new HandlerTransaction({
      inbox: this.#options.inbox,
      run: () => run,
      onCommitted: () => {
        this.#keyIsFree(delivery)
      }
    })
    const mark: { run: Run | undefined } = { run: undefined }
    const attempt = attempts.run(mark, startAttempt, {
      handler: lane.handler,
      event,
      attempt: delivery.attempt,
      delivery: deliveryInfo(delivery),
      endpoint: delivery.event.endpoint,
      log: this.#options.log,
      transaction: transaction.make
    })
    lane.running += 1
    const held = (mark.run = run = this.#hold(delivery, startedAt, event, attempt, transaction))
    void attempt.ending.then((ending) => {
      this.#ended(held, lane, ending)
    })
  }

  #hold(
    delivery: ClaimedDelivery,
    startedAt = this.#clock(),
    event?: AnyEvent,
    attempt?: Attempt,
    transaction?: HandlerTransaction
  ): Run {
    const run: Run = {
      delivery,
      event,
      attempt,
      transaction,
      startedAt,
      again: undefined,
      isCommitted: false,
      fate: undefined
    }
    this.#leases.hold(run)
    return run
  }

  #ended(run: Run, lane: Lane, ending: Ending): void {
    lane.running -= 1
    this.#bell.ring()
    if (run.isCommitted)
      this.#answered(
        {
          run,
          outcome: { state: 'done' },
          error: ending.state === 'failed' ? ending.error : undefined,
          endedAt: this.#clock()
        },
        'settled'
      )
    if (run.fate === undefined || run.isCommitted) this.#suspects?.survived(run)
    if (run.isCommitted || run.fate === 'lost' || run.fate === 'ended') return
    if (ending.state === 'done') {
      this.#settle(run, { state: 'done' })
      return
    }
    if (run.fate === 'shutting_down' && !saysSo(ending.error)) this.#handBack(run, lane)
    else this.#conclude(run, verdictOnFailure(run.delivery, lane, this.#chance(), ending.error))
  }

  /**
   * Hands back a run that is unfinished at the end of the process. After an uncaught error of an unknown attempt, the
   * run is lost instead.
   */
  #handBack(run: Run, lane: Lane | undefined): void {
    const cause = new RiverhookError(
      'RIVERHOOK_DELIVER_FAULT',
      'The run was lost: its process ended because of an error that nothing caught'
    )
    if (lane === undefined || this.#fault?.isKnown !== false) this.#settle(run, { state: 'released' })
    else
      this.#conclude(
        run,
        verdictOnLoss(run.delivery, lane, this.#chance(), this.#suspects?.onLoss(run) ?? 'loss', cause)
      )
  }

  #conclude(run: Run, { outcome, error }: Verdict): void {
    this.#settle(run, outcome, error)
  }

  #settle(run: Run, outcome: Outcome, error?: unknown): void {
    run.fate = 'ended'
    run.transaction?.end()
    this.#settlements.add({ run, outcome, error, endedAt: this.#clock() })
  }

  #answered(settled: Settled, result: SettleResult | RiverhookError): void {
    const { run, outcome } = settled
    this.#leases.drop(run)
    // A time limit can strike while the transaction is being committed.
    if (result === 'stale' && run.isCommitted) {
      this.#report.stored({ ...settled, outcome: { state: 'done' } })
    } else if (result === 'stale') {
      this.#report.stale(settled)
    } else if (result instanceof RiverhookError) {
      this.#report.unstorable(settled, result)
    } else {
      if (outcome.state === 'retry') this.#lanes?.dueAt(outcome.dueAt)
      this.#keyIsFree(run.delivery)
      this.#report.stored(settled)
      if (run.again !== undefined) this.#take(run.again)
    }
    this.#bell.ring()
  }

  #keyIsFree({ handler, orderKey }: ClaimedDelivery): void {
    const lane = this.#lanes?.get(handler)
    if (lane === undefined || orderKey === undefined) return
    lane.mayBeDue = true
    this.#bell.ring()
  }

  #lose(run: Run): void {
    run.fate = 'lost'
    run.transaction?.end()
    this.#report.lost(run)
    run.attempt?.abort(leaseLost())
  }

  async #drain(graceMs: number, storeMs: number): Promise<void> {
    this.#enter('draining')
    this.#unsubscribe?.()
    // Runs that end in this turn of the event loop need no excuse.
    void nextTurn().then(() => {
      if (this.#fault === undefined && this.#isIn('draining')) this.#leases.excuse()
    })
    const underWay = (): Promise<unknown> =>
      Promise.all([this.#looping, ...this.#leases.all.filter(isUnderWay).map(({ attempt }) => attempt?.ending)])
    // Await the claim under way too, and hand its deliveries back. An uncaught error cuts the grace period short.
    await within(graceMs, Promise.race([this.#faulted.promise, underWay()]))
    const reason = reasonToEnd(this.#fault !== undefined)
    const running = this.#leases.all.filter(({ fate }) => fate === undefined)
    for (const run of running) {
      run.fate = 'shutting_down'
      run.attempt?.abort(reason)
    }
    if (running.length > 0 || this.#fault !== undefined) await within(lastMomentMs, underWay())
    for (const run of running)
      if (run.fate === 'shutting_down' && !run.isCommitted) this.#handBack(run, this.#lanes?.get(run.delivery.handler))
    const unstored = await this.#settlements.drain(storeMs)
    await this.#report.drain(storeMs)
    this.#leases.stop()
    this.#enter('stopped')
    if (unstored > 0)
      this.#options.log.error(
        { unstored },
        `the inbox could not store ${unstored} ${unstored === 1 ? 'outcome: this delivery runs' : 'outcomes: these deliveries run'} again`
      )
  }
}
