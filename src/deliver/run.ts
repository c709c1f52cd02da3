import { AsyncLocalStorage } from 'node:async_hooks'

import type { RiverhookError } from '../model/errors.ts'
import type { AnyEvent, DeliveryInfo } from '../model/event.ts'
import { leaseLost } from '../model/lease.ts'
import type { Log } from '../model/log.ts'
import type { AttemptSpan, Tracing } from '../model/tracing.ts'
import type { ClaimedDelivery, Inbox } from '../inbox/inbox.ts'
import { Attempt, type Ending } from './attempt.ts'
import { Fate } from './fate.ts'
import type { Lane } from './lane.ts'
import { HandlerTransaction, type TransactionOwner } from './transaction.ts'

/** The run that the executing code belongs to. */
const running = new AsyncLocalStorage<Run>()

/** The run whose handler started the executing code, if any: for an uncaught error, the run that threw it. */
export function currentRun(): Run | undefined {
  return running.getStore()
}

export interface RunInput {
  readonly inbox: Inbox
  /** This attempt's own copy. */
  readonly event: AnyEvent
  readonly lane: Lane
  readonly log: Log
  readonly tracing: Tracing | undefined
  /** Called when the handler's transaction is committed. */
  readonly onCommitted: () => void
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

/**
 * A claimed delivery in this process, from the claim until its outcome is stored or its lease is lost. Made first, and
 * the owner of its lease, its attempt, its transaction and its fate. Many runs have no attempt: their handler is not
 * registered, their event cannot be read, or the process that ran them died.
 */
export class Run implements TransactionOwner {
  /** Undefined if no handler of this name is registered. */
  readonly lane: Lane | undefined
  readonly fate = new Fate()
  #startedAt: number
  #delivery: ClaimedDelivery
  #claimedAgain: ClaimedDelivery | undefined
  #event: AnyEvent | undefined
  #attempt: Attempt | undefined
  #transaction: HandlerTransaction | undefined
  #onCommitted: (() => void) | undefined
  #isReported = false
  #span: AttemptSpan | undefined

  constructor(delivery: ClaimedDelivery, lane: Lane | undefined, startedAt: number) {
    this.#delivery = delivery
    this.lane = lane
    this.#startedAt = startedAt
  }

  /** The start of the handler, or of the run if none was started. Milliseconds since the epoch. */
  get startedAt(): number {
    return this.#startedAt
  }

  /** The delivery with the token of its latest claim. */
  get delivery(): ClaimedDelivery {
    return this.#delivery
  }

  /** The same delivery, claimed again by this process after the outcome was decided but before it was stored. */
  get claimedAgain(): ClaimedDelivery | undefined {
    return this.#claimedAgain
  }

  /** Undefined if the stored event could not be read, or was not read. */
  get event(): AnyEvent | undefined {
    return this.#event
  }

  /** Undefined without tracing, and if no handler was started. */
  get span(): AttemptSpan | undefined {
    return this.#span
  }

  get isOver(): boolean {
    return this.fate.isOver
  }

  /** True while the handler runs and the outcome is open. */
  get isUnderWay(): boolean {
    return this.#attempt !== undefined && !this.fate.isOver
  }

  /** How the handler ended; undefined if none was started. Never rejects. */
  get ending(): Promise<Ending> | undefined {
    return this.#attempt?.ending
  }

  /** Call before a delivery that waited for a slot is handed back: the wait is no part of the run. */
  handBackAt(at: number): void {
    this.#startedAt = at
  }

  /** Calls the handler. @returns how it ended; never rejects */
  start({ inbox, event, lane, log, tracing, onCommitted, startedAt }: RunInput): Promise<Ending> {
    this.#startedAt = startedAt
    const delivery = this.#delivery
    const transaction = new HandlerTransaction(inbox, this)
    const span = tracing?.process(delivery, startedAt)
    const attempt = new Attempt({
      handler: lane.handler,
      event,
      attempt: delivery.attempt,
      delivery: deliveryInfo(delivery),
      stored: delivery.event,
      log,
      ids: span?.ids,
      transaction: transaction.run
    })
    this.#event = event
    this.#transaction = transaction
    this.#onCommitted = onCommitted
    this.#attempt = attempt
    this.#span = span
    const call = (): void => {
      running.run(this, () => {
        attempt.start()
      })
    }
    if (span === undefined) call()
    else span.run(call)
    return attempt.ending
  }

  /**
   * Guard: our lease ran out unnoticed and this process claimed the delivery again, so no second run may start beside
   * this one. A run under way continues with the new token. If the outcome is already decided, the new claim is kept
   * until the inbox has answered: see `claimedAgain` and `useNewClaim()`.
   */
  claimAgain(delivery: ClaimedDelivery): void {
    if (this.fate.isDecided) this.#claimedAgain = delivery
    else this.#delivery = delivery
  }

  /**
   * Guard: the inbox refused the outcome because its token is no longer valid. If this process has claimed the delivery
   * again in the meantime, the outcome can be stored with the new token.
   *
   * @returns true if there is a new token
   */
  useNewClaim(): boolean {
    if (this.#claimedAgain === undefined) return false
    this.#delivery = this.#claimedAgain
    this.#claimedAgain = undefined
    return true
  }

  /**
   * Guard: the handler's transaction is committed, so the delivery is done in the database. A later error, abort or
   * refused outcome does not change that.
   */
  commit(): void {
    this.fate.commit()
    this.#onCommitted?.()
  }

  /**
   * Closes the run to any other outcome, and ends its transaction.
   * @returns false if the run was over before: then the new outcome must not be stored
   */
  decide(): boolean {
    const isDecided = this.fate.decide()
    if (isDecided) this.#transaction?.cancel()
    return isDecided
  }

  /** @returns false if the stored outcome was reported before */
  report(): boolean {
    const isFirst = !this.#isReported
    this.#isReported = true
    return isFirst
  }

  /** Guard: the lease was lost during the attempt. The handler's result is ignored, its transaction rolled back. */
  loseLease(): void {
    if (!this.fate.loseLease()) return
    this.#transaction?.cancel()
    this.#attempt?.abort(leaseLost())
  }

  /** Guard: the process ends during the attempt. The handler is asked to stop, and may still decide the outcome. */
  stop(reason: RiverhookError): void {
    this.fate.stop()
    this.abort(reason)
  }

  /** Aborts the handler's signal. */
  abort(reason: RiverhookError): void {
    this.#attempt?.abort(reason)
  }
}

/** A delivery as handlers and the merchant's onError and onDead see it. */
export function deliveryInfo({ id, handler, orderKey, event }: ClaimedDelivery): DeliveryInfo {
  const { realm, receivedAt } = event
  return orderKey === undefined ? { realm, id, handler, receivedAt } : { realm, id, handler, orderKey, receivedAt }
}
