import { ownerName } from '../model/owner-name.ts'
import { within } from '../model/time-limit.ts'
import { nextTurn, setImmediate } from '../model/timers.ts'
import type { Adopted, Arrival, Claim, ClaimedDelivery, ClaimRequest, HandlerRecord } from '../inbox/inbox.ts'
import type { Claimer, Reservation } from '../inbox/claimer.ts'
import type { AnyEvent } from '../model/event.ts'
import { Bell } from './bell.ts'
import type { DispatcherOptions } from './dispatcher-options.ts'
import { halfOf, type Want } from './lane.ts'
import { Lanes } from './lanes.ts'
import { Outage } from './outage.ts'
import { Runs } from './runs.ts'
import { Suspects, suspectsTimes } from './suspects.ts'

export type { DispatcherOptions } from './dispatcher-options.ts'
export type { DeadLetter, FailedEvent, Failure, OnDead, OnError } from './report.ts'

/** Milliseconds from the abort of a handler's signal until its delivery is handed back. */
const abortGraceMs = 500
/** The fewest deliveries of a claim beside another one: each statement costs something, too. */
const leastBeside = 32

/**
 * - `new`: nothing has happened. `start()` leads to `adopting`.
 * - `adopting`: the inbox is given the list of handlers, until that succeeds. Leads to `running`.
 * - `running`: deliveries are claimed and run.
 * - `draining`: `stop()` was called. Nothing more is claimed, and the deliveries of a claim under way are handed back.
 *   Attempts finish; after the grace period they are aborted, and then handed back. Leads to `stopped`.
 * - `stopped`: every outcome is stored, or its loss is logged. Final.
 */
type Mode = 'new' | 'adopting' | 'running' | 'draining' | 'stopped'

interface Routing {
  readonly read?: AnyEvent | undefined
  readonly mayStart?: boolean
}

/**
 * The only loop: claims due deliveries, and routes each to its run (`runs.ts`).
 *
 * One claim is under way at a time, or two of a long backlog (`#mayOverlap`). It asks for as many deliveries of each
 * handler as there are free slots, and for some that wait for a slot if its attempts are quick (`share-claims.ts`).
 * Beside it, the recorder claims while it records (`reserve`): mostly, a new event is leased when it is stored.
 * Outcomes are stored in batches, independently of the claims. A handler is included only when something may be due for
 * it: after a hint from the inbox (`onDue`), at the time that the last claim returned, after a claim that filled its
 * slots, after an outcome that frees an order key, and every `pollMs`, because a command in another process may have
 * replayed something.
 */
export class Dispatcher implements Claimer {
  readonly #options: DispatcherOptions
  readonly #clock: () => number
  readonly #leaseMs: number
  readonly #owner: string
  readonly #bell = new Bell()
  readonly #runs: Runs
  readonly #outage: Outage
  /** Made at the start, when the handlers are complete. */
  #lanes: Lanes | undefined
  #suspects: Suspects | undefined
  readonly #faulted = Promise.withResolvers<undefined>()
  /** Resolves when the dispatcher begins to stop. */
  readonly #draining = Promise.withResolvers<undefined>()
  /** Each ends with a reservation. */
  readonly #reservations = new Set<Promise<undefined>>()
  /** A claim beside which the next one is made, until it succeeds or the loop has waited for it. Never rejects. */
  #underWay: Promise<number> | undefined
  #mode: Mode = 'new'
  #looping: Promise<void> = Promise.resolve()
  #adoptingRest: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined
  #unsubscribe: (() => void) | undefined

  constructor(options: DispatcherOptions) {
    this.#options = options
    const { log, clock = Date.now, leaseMs = 10_000 } = options
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.#owner = options.owner ?? ownerName()
    this.#outage = new Outage(log, 'claiming deliveries')
    this.#runs = new Runs({
      ...options,
      clock,
      leaseMs,
      bell: this.#bell,
      route: (delivery) => {
        this.#route(delivery)
      }
    })
  }

  /** How many attempts of each handler run now. */
  get running(): ReadonlyMap<string, number> {
    return new Map(this.#lanes?.all.map(({ handler, running }) => [handler.name, running]))
  }

  /**
   * Starts to deliver. Resolves when the inbox has stored the list of handlers, or has failed to store it once. A
   * failure is logged and retried until it succeeds; nothing is delivered before.
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
      leases: this.#runs.leases,
      owner: this.#owner,
      leaseMs: this.#leaseMs,
      pollMs,
      concurrency,
      times,
      clock: this.#clock,
      route: (delivery, how) => {
        this.#route(delivery, how)
      }
    })
    this.#runs.begin(lanes, this.#suspects)
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
    this.#runs.leases.start()
    const firstPauseMs = await this.#adopt()
    this.#looping = this.#loop(lanes, firstPauseMs)
  }

  /**
   * Reserves slots for a claim in the transaction that records arrivals, unless nothing may be claimed now.
   *
   * Its deliveries start in a later turn of the event loop, because the senders wait for their answers. Until then they
   * keep their slots.
   */
  reserve(arrivals: readonly Arrival[]): Reservation | undefined {
    const lanes = this.#lanes
    const isOpen = this.#isIn('running') && !this.#outage.isOn && !this.#runs.isBehind && !this.#runs.leases.isOverdue
    if (lanes === undefined || !isOpen || this.#suspects?.isClosed === true) return undefined
    const wants = lanes.wants(countDeliveries(arrivals))
    if (wants.length === 0) return undefined
    lanes.asked(wants)
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#reservations.add(promise)
    const leasedUntil = this.#clock() + this.#leaseMs
    return {
      request: this.#request(wants),
      end: (claim, claimed) => {
        const kept =
          claim === undefined ? [] : lanes.keep([...claim.deliveries, ...claimed.map(({ delivery }) => delivery)])
        if (claim === undefined) lanes.failed(wants)
        else lanes.answered(wants, claim)
        setImmediate(() => {
          lanes.release(kept)
          // Guard: the process was frozen meanwhile, and another claim may have the deliveries.
          const isOver = this.#clock() >= leasedUntil
          if (claim !== undefined) this.#take(claim, { mayStart: !isOver })
          // The sender of a late one got an error, so it is due, as after any late commit.
          for (const { delivery, event, isLate } of claimed)
            this.#route(delivery, { read: event, mayStart: !isOver && !isLate })
          this.#reservations.delete(promise)
          resolve(undefined)
          this.#bell.ring()
        })
      }
    }
  }

  /**
   * Stops claiming, and lets running attempts finish for `graceMs`. Then aborts their signals, waits half a second and
   * hands back what is still unfinished: it runs again in the next process. A handler that throws after the abort has
   * reacted to it: its delivery is handed back too, and the attempt does not count. Only a PermanentError or a
   * RetryLater still decides the outcome.
   *
   * Resolves when every outcome is stored. An outcome that the inbox cannot store within `storeMs` (default 5,000) is
   * lost, and this is logged. onError and onDead have the same time to finish. Never rejects.
   */
  stop({ graceMs, storeMs = 5_000 }: { readonly graceMs: number; readonly storeMs?: number }): Promise<void> {
    return (this.#stopping ??= this.#drain(graceMs, storeMs))
  }

  /**
   * Ends because of an uncaught error. The attempt that threw it has failed: it is retried after its backoff, or is a
   * dead letter. The others are aborted and handed back, and do not count. If the attempt cannot be identified, each
   * running attempt has lost a run. Call this inside the listener of the error: later the attempt cannot be identified.
   *
   * Resolves like `stop`, within about three seconds. Never rejects. May be called again, and during a shutdown.
   */
  fail(error: unknown): Promise<void> {
    this.#runs.fail(error)
    this.#faulted.resolve(undefined)
    return this.stop({ graceMs: 0, storeMs: 2_000 })
  }

  /** The only place where the mode changes. */
  #enter(mode: Mode): void {
    this.#mode = mode
    this.#bell.ring()
  }

  /** A method, because TypeScript assumes that a field keeps its value across an `await`. */
  #isIn(mode: Mode): boolean {
    return this.#mode === mode
  }

  /**
   * Gives the inbox the list of handlers. Continues in the background if many deliveries are to be parked or resumed.
   * @returns how long to wait before the next attempt, in milliseconds; 0 if it succeeded
   */
  async #adopt(): Promise<number> {
    const { inbox, handlers, log } = this.#options
    const records = handlers.all.map(({ name, source, pattern, orderBy }) => ({
      name,
      source,
      pattern,
      ordered: orderBy !== undefined
    }))
    try {
      const adopted = await inbox.adopt(records)
      this.#outage.succeeded()
      if (this.#isIn('adopting')) this.#enter('running')
      log.info({ handlers: handlers.all.length, resumed: adopted.resumed }, 'delivering')
      if (adopted.hasMore === true) this.#adoptingRest = this.#adoptRest(records, adopted)
      else this.#reportParked(adopted.parked)
      for (const { handler, since } of await inbox.pauses())
        log.warn({ handler, since }, 'the handler is paused; to resume it, run: riverhook handlers resume NAME')
      return 0
    } catch (error) {
      return this.#outage.failed(error)
    }
  }

  /** Parks and resumes the rest of the deliveries. After a stop, the next start continues. */
  async #adoptRest(handlers: readonly HandlerRecord[], first: Adopted): Promise<void> {
    const { inbox, log } = this.#options
    const outage = new Outage(log, 'parking and resuming deliveries')
    let { parked, resumed } = first
    let hasMore = true
    while (hasMore && this.#isIn('running')) {
      await nextTurn()
      try {
        const batch = await inbox.adopt(handlers)
        outage.succeeded()
        parked += batch.parked
        resumed += batch.resumed
        hasMore = batch.hasMore === true
      } catch (error) {
        await within(outage.failed(error), this.#draining.promise)
      }
    }
    if (resumed > first.resumed) log.info({ resumed }, 'parked deliveries are due again')
    this.#reportParked(parked)
  }

  #reportParked(parked: number): void {
    if (parked === 0) return
    this.#options.log.warn(
      { parked },
      `${parked === 1 ? '1 delivery is' : `${parked} deliveries are`} parked: their handlers are not registered; they resume when a handler of the same name is registered again`
    )
  }

  async #loop(lanes: Lanes, firstPauseMs: number): Promise<void> {
    let pauseMs = firstPauseMs
    while (this.#isIn('adopting') || this.#isIn('running')) {
      if (pauseMs > 0) await this.#pause(pauseMs)
      // Share one claim among all ends and arrivals of this turn of the event loop, and let other code run during a
      // long backlog.
      await nextTurn()
      if (this.#isIn('adopting')) pauseMs = await this.#adopt()
      else if (this.#isIn('running')) pauseMs = await this.#round(lanes)
    }
    await this.#underWay
  }

  /** Sleeps for `ms`; only `stop()` wakes it early. */
  async #pause(ms: number): Promise<void> {
    const until = performance.now() + ms
    for (let left = ms; left > 0 && !this.#isIn('draining'); left = until - performance.now())
      await this.#bell.wait(left)
  }

  async #round(lanes: Lanes): Promise<number> {
    const { pollMs = 500 } = this.#options
    this.#runs.handBackOverdue()
    if (!this.#runs.isBehind) {
      const pauseMs = await this.#claimSuspects()
      if (pauseMs > 0 || !this.#isIn('running')) return pauseMs
    }
    const isClosed = this.#suspects?.isClosed === true,
      wants = isClosed ? [] : lanes.wants()
    const mayClaim = wants.length > 0 && !this.#runs.isBehind
    const earlier = this.#underWay
    if (mayClaim && this.#mayOverlap(lanes, wants)) {
      // The first of the two leaves half of the room to the second.
      this.#claimBeside(lanes, earlier === undefined ? halfOf(wants) : wants)
      return earlier ?? 0
    }
    this.#underWay = undefined
    if (earlier !== undefined) return earlier
    if (mayClaim) return this.#claim(lanes, wants)
    await this.#bell.wait(isClosed ? pollMs : lanes.waitMs)
    return 0
  }

  async #claimSuspects(): Promise<number> {
    try {
      await this.#suspects?.claim()
      return 0
    } catch (error) {
      return this.#outage.failed(error)
    }
  }

  /**
   * True if two claims may be under way: the store is a database of several servers, which claim beside each other
   * anyway, the last claim was full, and there is room for much. Deliveries with an order key are claimed one by one.
   */
  #mayOverlap(lanes: Lanes, wants: readonly Want[]): boolean {
    const least = this.#underWay === undefined ? 2 * leastBeside : leastBeside
    return (
      this.#options.inbox.servers !== undefined &&
      lanes.haveBacklog(wants) &&
      wants.reduce((sum, { limit }) => sum + limit, 0) >= least &&
      wants.every(({ lane: { handler } }) => handler.orderBy === undefined) &&
      !this.#runs.leases.isOverdue
    )
  }

  /** Makes a claim without waiting for it. */
  #claimBeside(lanes: Lanes, wants: readonly Want[]): void {
    const claim = this.#claim(lanes, wants)
    lanes.moreMayBeDue(wants)
    this.#underWay = claim
    void claim.then((pauseMs) => {
      if (pauseMs === 0 && this.#underWay === claim) this.#underWay = undefined
    })
  }

  async #claim(lanes: Lanes, wants: readonly Want[]): Promise<number> {
    if (this.#runs.leases.isOverdue) {
      const pauseMs = await this.#runs.leases.beat()
      if (pauseMs > 0 || !this.#isIn('running')) return pauseMs
    }
    lanes.asked(wants)
    const leasedUntil = this.#clock() + this.#leaseMs
    try {
      const claim = await this.#options.inbox.claim(this.#request(wants))
      this.#outage.succeeded()
      lanes.answered(wants, claim)
      // Guard: the process was frozen meanwhile, and another claim may have the deliveries.
      this.#take(claim, { mayStart: this.#clock() < leasedUntil })
      return 0
    } catch (error) {
      lanes.failed(wants)
      return this.#outage.failed(error)
    }
  }

  /** Routes the deliveries of a claim. */
  #take({ deliveries, orphans }: Claim, how: Routing): void {
    if (orphans !== undefined) {
      this.#options.log.warn(
        { removed: orphans.length, handlers: [...new Set(orphans.map(({ handler }) => handler))] },
        'removed deliveries whose events were deleted from the store by hand'
      )
    }
    for (const delivery of deliveries) this.#route(delivery, how)
  }

  #request(wants: readonly Want[]): ClaimRequest {
    return {
      owner: this.#owner,
      leaseMs: this.#leaseMs,
      wants: wants.map(({ lane: { handler }, limit }) => ({ handler: handler.name, source: handler.source, limit })),
      limit: wants.reduce((sum, { limit }) => sum + limit, 0)
    }
  }

  /**
   * Routes a claimed delivery: normally, runs its handler.
   * @param how.read the event, if it was read just now
   * @param how.mayStart false: hand it back
   */
  #route(delivery: ClaimedDelivery, { read, mayStart = true }: Routing = {}): void {
    if (this.#runs.claimAgain(delivery)) return
    const lane = this.#lanes?.get(delivery.handler)
    if (lane === undefined) this.#runs.park(delivery)
    else if (delivery.lost !== undefined) this.#runs.settleLost(delivery, lane, delivery.lost)
    // Guard: a claim that was under way when `stop()` was called.
    else if (!mayStart || !this.#isIn('running')) this.#runs.handBack(delivery, lane)
    else this.#runs.start(delivery, lane, read)
  }

  async #drain(graceMs: number, storeMs: number): Promise<void> {
    this.#enter('draining')
    this.#draining.resolve(undefined)
    this.#unsubscribe?.()
    this.#runs.handBackPrefetched()
    // Runs that end in this turn of the event loop need no heartbeat.
    void nextTurn().then(() => {
      if (!this.#runs.hasFault && this.#isIn('draining')) this.#runs.leases.ignoreLosses()
    })
    // Guard: await the claims under way too, and give their deliveries back.
    const underWay = (): Promise<unknown> =>
      Promise.all([this.#looping, this.#adoptingRest, ...this.#reservations, this.#runs.untilEnded()])
    // An uncaught error cuts the grace period short.
    await within(graceMs, Promise.race([this.#faulted.promise, underWay()]))
    const stopping = this.#runs.stop()
    if (stopping.length > 0 || this.#reservations.size > 0 || this.#runs.hasFault)
      await within(abortGraceMs, underWay())
    this.#runs.handBackUnfinished(stopping)
    const unstored = await this.#runs.drain(storeMs)
    this.#enter('stopped')
    if (unstored > 0)
      this.#options.log.error(
        { unstored },
        `the inbox could not store ${unstored} ${unstored === 1 ? 'outcome: this delivery runs' : 'outcomes: these deliveries run'} again`
      )
  }
}

/** Counts the new deliveries of arrivals that have no order key, by handler. */
function countDeliveries(arrivals: readonly Arrival[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const arrival of arrivals) {
    if (arrival.state !== 'accepted') continue
    for (const { handler, orderKey } of arrival.deliveries)
      if (orderKey === undefined) counts.set(handler, (counts.get(handler) ?? 0) + 1)
  }
  return counts
}
