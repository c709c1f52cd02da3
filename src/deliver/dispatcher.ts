import { hostname } from 'node:os'

import { isPermanentError, isRetryLater, RiverhookError } from '../errors.ts'
import type { Event, Outcome } from '../event.ts'
import type { Handlers, RetryOptions } from '../handlers/registry.ts'
import type { ClaimedDelivery, Inbox, SettleResult, StoredEvent } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { startAttempt, type Attempt, type Ending } from './attempt.ts'
import { Bell } from './bell.ts'
import { errorText } from '../error-text.ts'
import { Lanes, type Lane, type Want } from './lanes.ts'
import { Leases } from './leases.ts'
import { Outage } from './outage.ts'
import { Report, type Tellers } from './report.ts'
import { nextAttemptAt } from './retry.ts'
import { deliveryInfo, type Run } from './run.ts'
import { Settlements, type Settled } from './settlements.ts'
import { HandlerTransaction } from './transaction.ts'
import { nextTurn, within } from './wait.ts'

export type { DeadLetter, FailedEvent, Failure, OnDead, OnError } from './report.ts'

export interface DispatcherOptions extends Tellers {
  readonly inbox: Inbox
  /** Complete: handlers that are registered after `start()` are not seen. */
  readonly handlers: Handlers
  /** Reads a stored event back. Called for every attempt, so that each has its own copy. Throws when it cannot. */
  readonly revive: (stored: StoredEvent) => Event
  /** For handlers without a `retry` of their own, value by value. */
  readonly retry?: RetryOptions | undefined
  /** How many attempts are under way at a time in this process. */
  readonly concurrency: number
  readonly log: Log
  /** How long a delivery stays ours without a sign of life, in milliseconds; after a crash it comes back so much later. Default 10,000. */
  readonly leaseMs?: number
  /** How often the inbox is asked although nothing hints at something due, in milliseconds. Default 500. */
  readonly pollMs?: number
  /** Names this process in the inbox. Default: process id and host name. */
  readonly owner?: string
  /** Milliseconds since the epoch; given by tests. */
  readonly clock?: () => number
  /** From 0 to below 1; given by tests. */
  readonly random?: () => number
}

/** How long handlers have between the abort of their signal and the moment their deliveries are handed back. */
const lastMomentMs = 500

/**
 * `new`       nothing has happened. start() -> adopting
 * `adopting`  the inbox is being told which handlers exist, until it has understood. -> running
 * `running`   deliveries are claimed and run
 * `draining`  stop() was called, in whatever mode: nothing more is claimed, what a claim under way still brings is handed back;
 *             attempts finish, or are aborted after the grace period, or are handed back. -> stopped
 * `stopped`   every outcome is stored, or its loss is logged. The end.
 */
type Mode = 'new' | 'adopting' | 'running' | 'draining' | 'stopped'

/**
 * The only loop: claims due deliveries, runs their handlers, settles them.
 *
 * One claim is under way at a time, and it asks each handler's lane for what there is room for. Attempts end whenever they
 * end; their outcomes are stored in batches beside the claims. A lane is asked only when something may be due for it: after a hint of
 * the inbox (`onDue`), at the time that the last claim named, after a claim that filled its room, after an outcome that frees an order
 * key, and every `pollMs` in any case, since a command in another process may have made a replay.
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
  #mode: Mode = 'new'
  #looping: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined
  #unsubscribe: (() => void) | undefined

  constructor(options: DispatcherOptions) {
    this.#options = options
    const { inbox, log, clock = Date.now, leaseMs = 10_000 } = options
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.#owner = options.owner ?? `process ${process.pid} on ${hostname()}`
    this.#report = new Report(log, options)
    this.#outage = new Outage(log, 'claiming deliveries')
    this.#settlements = new Settlements({ inbox, log, onAnswer: (settled, result) => { this.#answered(settled, result) } })
    this.#leases = new Leases({ inbox, leaseMs, log, clock, onLost: (run) => { this.#lose(run) } })
  }

  /**
   * Starts to deliver. Resolves when the inbox knows the handlers, or when it failed to take note of them for the first time:
   * that is logged and tried until it succeeds, and nothing is delivered before.
   */
  async start(): Promise<void> {
    if (this.#mode !== 'new') return
    this.#enter('adopting')
    const { concurrency, handlers, inbox, log, pollMs = 500, retry } = this.#options
    const lanes = new Lanes({ handlers, retry, concurrency, pollMs, clock: this.#clock })
    this.#lanes = lanes
    if (concurrency < handlers.all.length) {
      log.warn({ concurrency, handlers: handlers.all.length }, 'Fewer attempts may run at a time than there are handlers: one that hangs can delay others')
    }
    if (handlers.all.length === 0) log.warn('No handlers are registered: events are recorded and nothing else; replay them when there are some')
    this.#unsubscribe = inbox.onDue(() => {
      lanes.everythingMayBeDue()
      this.#bell.ring()
    })
    this.#leases.start()
    const firstPauseMs = await this.#adopt()
    this.#looping = this.#loop(lanes, firstPauseMs)
  }

  /**
   * Stops to claim, lets the attempts under way finish for `graceMs`, then aborts their signals, and after a last moment (half a
   * second) hands back what is still unfinished: it runs again in the next process. After the abort, what a handler throws is taken
   * for its answer to the abort, and its delivery is handed back too, uncounted; only a PermanentError or a RetryLater still holds.
   *
   * Resolves when every outcome is stored, or its loss is logged: the inbox could not store it within `storeMs` (default
   * 5,000; onError and onDead have as long to finish). Never rejects.
   */
  stop({ graceMs, storeMs = 5_000 }: { readonly graceMs: number; readonly storeMs?: number }): Promise<void> {
    this.#stopping ??= this.#drain(graceMs, storeMs)
    return this.#stopping
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

  /** @returns how long to wait before the next try, in milliseconds; 0 when it succeeded */
  async #adopt(): Promise<number> {
    const { inbox, handlers, log } = this.#options
    try {
      const { parked, resumed } = await inbox.adopt(handlers.all.map(({ name, pattern, orderBy }) => ({ name, pattern, ordered: orderBy !== undefined })))
      this.#outage.succeeded()
      if (this.#isIn('adopting')) this.#enter('running')
      log.info({ handlers: handlers.all.length, resumed }, 'Delivering')
      if (parked > 0) {
        log.warn({ parked }, `${parked} deliveries are parked: their handlers are no longer registered; they resume when handlers of these names are`)
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
      // Ends and arrivals of one turn of the event loop share a claim, and a long backlog keeps nobody else from the loop.
      await nextTurn()
      if (this.#isIn('adopting')) pauseMs = await this.#adopt()
      else if (this.#isIn('running')) pauseMs = await this.#round(lanes)
    }
  }

  /** Waits whatever rings, a stop excepted. */
  async #pause(ms: number): Promise<void> {
    const until = performance.now() + ms
    for (let left = ms; left > 0 && !this.#isIn('draining'); left = until - performance.now()) await this.#bell.wait(left)
  }

  async #round(lanes: Lanes): Promise<number> {
    const wants = lanes.wants()
    if (wants.length > 0 && !this.#settlements.isBehind) return this.#claim(lanes, wants)
    await this.#bell.wait(lanes.waitMs)
    return 0
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
        wants: wants.map(({ lane, limit }) => ({ handler: lane.handler.name, limit })),
        limit: wants.reduce((sum, { limit }) => sum + limit, 0)
      })
      this.#outage.succeeded()
      lanes.answered(wants, claim)
      if (claim.orphans !== undefined) {
        const { length } = claim.orphans
        this.#options.log.warn({ removed: length, handlers: [...new Set(claim.orphans.map(({ handler }) => handler))] }, 'deliveries removed: their events were deleted from the store by hand')
      }
      for (const delivery of claim.deliveries) this.#take(delivery)
      return 0
    } catch (error) {
      lanes.failed(wants)
      return this.#outage.failed(error)
    }
  }

  /** Decides what becomes of a claimed delivery: mostly, that its handler runs. */
  #take(delivery: ClaimedDelivery): void {
    const own = this.#leases.get(delivery.id)
    if (own !== undefined) {
      // Our lease ran out unnoticed and we got the delivery again while its handler still runs here: that run goes on. Or its outcome
      // has just been stored, is to be tried again at once, and the answer has not been read yet.
      if (own.fate === 'ended') own.again = delivery
      else own.delivery = delivery
      return
    }
    const lane = this.#lanes?.get(delivery.handler)
    if (!this.#isIn('running')) this.#settle(this.#hold(delivery), { state: 'released' })
    else if (lane === undefined) this.#settle(this.#hold(delivery), { state: 'parked' })
    else if (delivery.attempt > lane.rule.attempts) this.#bury(this.#hold(delivery), leaseLost(delivery, lane))
    else this.#start(delivery, lane)
  }

  #start(delivery: ClaimedDelivery, lane: Lane): void {
    let event: Event
    try {
      event = this.#options.revive(delivery.event)
    } catch (cause) {
      const message = `The stored event cannot be read back: ${cause instanceof Error ? cause.message : 'unknown reason'}`
      this.#bury(this.#hold(delivery), new RiverhookError('RIVERHOOK_DELIVER_UNREADABLE', message, { cause }))
      return
    }
    if (delivery.takenOverFrom !== undefined) this.#report.takenOver(delivery)
    const startedAt = this.#clock()
    let run: Run | undefined = undefined
    const transaction = new HandlerTransaction({ inbox: this.#options.inbox, run: () => run, onCommitted: () => { this.#keyIsFree(delivery) } })
    const attempt = startAttempt({
      handler: lane.handler,
      event,
      attempt: delivery.attempt,
      delivery: deliveryInfo(delivery),
      endpoint: delivery.event.endpoint,
      log: this.#options.log,
      transaction: transaction.make
    })
    lane.running += 1
    const held = run = this.#hold(delivery, startedAt, event, attempt, transaction)
    void attempt.ending.then((ending) => { this.#ended(held, lane, ending) })
  }

  #hold(delivery: ClaimedDelivery, startedAt = this.#clock(), event?: Event, attempt?: Attempt, transaction?: HandlerTransaction): Run {
    const run: Run = { delivery, event, attempt, transaction, startedAt, again: undefined, isCommitted: false, fate: undefined }
    this.#leases.hold(run)
    return run
  }

  #ended(run: Run, lane: Lane, ending: Ending): void {
    lane.running -= 1
    this.#bell.ring()
    if (run.isCommitted) this.#answered({ run, outcome: { state: 'done' }, error: ending.state === 'failed' ? ending.error : undefined, endedAt: this.#clock() }, 'settled')
    if (run.isCommitted || run.fate === 'lost' || run.fate === 'ended') return
    if (ending.state === 'done') {
      this.#settle(run, { state: 'done' })
      return
    }
    let { error } = ending
    let outcome: Outcome
    try {
      outcome = this.#outcomeOf(run, lane, error)
    } catch {
      // What was thrown cannot even be looked at: a revoked proxy, for example.
      error = new TypeError('Something was thrown that cannot be examined')
      outcome = this.#outcomeOf(run, lane, error)
    }
    this.#settle(run, outcome, error)
  }

  #outcomeOf(run: Run, { handler, rule }: Lane, error: unknown): Outcome {
    const saysSo = isPermanentError(error) || isRetryLater(error)
    if (run.fate === 'shutting_down' && !saysSo) return { state: 'released' }
    const { random = Math.random } = this.#options
    const dueAt = nextAttemptAt(run.delivery.attempt, error, rule, this.#clock(), random())
    if (dueAt === undefined) return { state: 'dead', error: errorText(error) }
    return { state: 'retry', dueAt, error: errorText(error), releaseKey: handler.onFailure === 'skip' }
  }

  #bury(run: Run, error: RiverhookError): void {
    this.#settle(run, { state: 'dead', error: errorText(error) }, error)
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
    run.attempt?.abort(new RiverhookError('RIVERHOOK_DELIVER_LEASE_LOST', 'The lease of this delivery was lost: another process may run it now'))
  }

  async #drain(graceMs: number, storeMs: number): Promise<void> {
    this.#enter('draining')
    this.#unsubscribe?.()
    const underWay = (): Promise<unknown> => Promise.all(this.#leases.all.flatMap(({ attempt }) => attempt?.ending ?? []))
    // A claim under way is waited for too: what it brings is handed back.
    await within(graceMs, Promise.all([this.#looping, underWay()]))
    const reason = new RiverhookError('RIVERHOOK_DELIVER_SHUTDOWN', 'The process is shutting down; the delivery runs again in the next one')
    const running = this.#leases.all.filter(({ fate }) => fate === undefined)
    for (const run of running) {
      run.fate = 'shutting_down'
      run.attempt?.abort(reason)
    }
    if (running.length > 0) await within(lastMomentMs, underWay())
    for (const run of running) if (run.fate === 'shutting_down' && !run.isCommitted) this.#settle(run, { state: 'released' })
    const unstored = await this.#settlements.drain(storeMs)
    await this.#report.drain(storeMs)
    this.#leases.stop()
    this.#enter('stopped')
    if (unstored > 0) this.#options.log.error({ unstored }, `The inbox could not store ${unstored} outcomes: these deliveries run again`)
  }
}

function leaseLost({ attempt }: ClaimedDelivery, { rule }: Lane): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_DELIVER_LEASE_LOST',
    `Attempt ${attempt} is not made, for the handler may have ${rule.attempts}: a process died or stalled while it ran an earlier one, or its attempts were lowered meanwhile`
  )
}
