import { publish } from '../model/channels.ts'
import type { RiverhookError } from '../model/errors.ts'
import type { StoredEvent } from '../inbox/inbox.ts'
import type { DeliveryInfo, AnyEvent } from '../model/event.ts'
import type { Log } from '../model/log.ts'
import { errorText, loggedError, stackOf } from '../model/error-text.ts'
import { assertBegun } from '../model/not-begun.ts'
import type { SpanIds } from '../model/tracing.ts'
import { eventKeys, type EventKeys } from '../model/visible.ts'
import { deliveryInfo, type Run } from './run.ts'
import type { PendingOutcome } from './settlements.ts'
import { within } from '../model/time-limit.ts'

/**
 * An event whose handler failed. Id and type are always there; the rest is missing if the stored body cannot be read.
 */
export type FailedEvent = Pick<AnyEvent, 'id' | 'type'> & Partial<AnyEvent>

export interface Failure {
  readonly event: FailedEvent
  readonly delivery: DeliveryInfo
  /** The handler's name. */
  readonly handler: string
  readonly attempt: number
  /** Time of the retry; undefined for a dead letter. */
  readonly retryAt: Date | undefined
}

export interface DeadLetter {
  readonly delivery: DeliveryInfo
  /** The handler's name. */
  readonly handler: string
  readonly attempt: number
  /** The error of the last attempt. */
  readonly error: unknown
}

/**
 * Called after each failed attempt, the last one included, when its outcome is stored. At most once per attempt: a
 * process that is killed in between does not call it. May be async. Its own errors are logged, and change nothing else.
 */
export type OnError = (error: unknown, failure: Failure) => unknown

/** Called when a delivery becomes a dead letter; otherwise like OnError. */
export type OnDead = (event: FailedEvent, letter: DeadLetter) => unknown

export interface DeliveryCallbacks {
  readonly onError?: OnError | undefined
  readonly onDead?: OnDead | undefined
}

/** Returns the text of an error without the personal data of an event. Never throws. */
export type RedactError = (text: string, stored: StoredEvent) => string

/** The most attempts listed in one log line. */
const mostNamed = 64

/** Reports stored outcomes to the log, the diagnostics channel, and the user's `onError` and `onDead`. */
export class Report {
  readonly #log: Log
  readonly #callbacks: DeliveryCallbacks
  readonly #redact: RedactError | undefined
  readonly #pending = new Set<Promise<void>>()

  constructor(log: Log, callbacks: DeliveryCallbacks, redact: RedactError | undefined) {
    this.#log = log
    this.#redact = redact
    this.#callbacks = callbacks
  }

  stored({ run, outcome, error, endedAt }: PendingOutcome): void {
    const duration_ms = endedAt - run.startedAt
    const keys = { ...logKeys(run), duration_ms }
    const { id, type, receivedAt } = run.delivery.event
    const latency_ms = Math.max(0, endedAt - receivedAt.getTime())
    const settled = (): void => {
      publish('settled', {
        ...deliveryKeys(run),
        duration_ms,
        event_id: id,
        event_type: type,
        state: outcome.state,
        latency_ms,
        error
      })
    }
    if (run.span === undefined) settled()
    else run.span.run(settled)
    switch (outcome.state) {
      case 'done':
        if (error === undefined) this.#log.debug(keys, 'handled')
        else
          this.#log.warn(
            { ...keys, error: this.#textOf(error, run), stack: this.#stackOf(error, run) },
            'the handler failed after its transaction was committed; the delivery is done'
          )
        break
      case 'released':
        this.#log.debug(
          keys,
          run.ending === undefined ? 'handed back before it began' : 'handed back unfinished; it runs again'
        )
        break
      case 'parked':
        this.#log.warn(keys, 'no handler of this name is registered; the delivery is parked')
        break
      case 'retry': {
        const next_attempt_at = outcome.dueAt.toISOString()
        this.#log.warn(
          { ...keys, next_attempt_at, error: outcome.error, stack: this.#stackOf(error, run) },
          'the handler failed; it will be retried'
        )
        this.#callOnError(run, error, outcome.dueAt)
        break
      }
      case 'lost': {
        const next_attempt_at = outcome.dueAt.toISOString()
        this.#log.warn(
          { ...keys, next_attempt_at, counted: outcome.counts, error: outcome.error },
          'a run was lost because its process died or stalled; the delivery will be retried'
        )
        if (outcome.counts) this.#callOnError(run, error, outcome.dueAt)
        break
      }
      case 'dead':
        this.#log.error(
          { ...keys, error: outcome.error, stack: this.#stackOf(error, run) },
          'gave up: the delivery is a dead letter; to run it again: riverhook events replay ID --handler NAME'
        )
        this.#callOnError(run, error, undefined)
        this.#callOnDead(run, error)
        break
    }
  }

  /** A late result: the lease had ended and the inbox refused the outcome. Another run of the delivery decides. */
  stale({ run, outcome }: PendingOutcome): void {
    this.#log.warn(
      { ...logKeys(run), state: outcome.state },
      'the lease had ended: the outcome was refused, another run of the delivery decides'
    )
  }

  /** The inbox can never store this outcome. The others of its batch are stored. */
  unstorable({ run, outcome }: PendingOutcome, error: RiverhookError): void {
    this.#log.error(
      { ...logKeys(run), state: outcome.state, err: loggedError(error, (text) => this.#redacted(text, run)) },
      'the outcome cannot be stored; the delivery runs again when its lease ends'
    )
  }

  /** An uncaught error ends the process. `thrower` is the run that threw it, if known. */
  fault(error: unknown, thrower: Run | undefined, underWay: readonly Run[]): void {
    const thrown = { error: this.#textOf(error, thrower), stack: this.#stackOf(error, thrower) }
    const others = { under_way: underWay.slice(0, mostNamed).map(logKeys), count: underWay.length }
    if (thrower === undefined)
      this.#log.fatal({ ...thrown, ...others }, 'ending because of an error that nothing caught')
    else
      this.#log.fatal(
        { ...logKeys(thrower), ...thrown, ...others },
        'ending because of an error that nothing caught, from this attempt of a handler'
      )
  }

  lost(run: Run): void {
    this.#log.warn(
      logKeys(run),
      run.ending === undefined
        ? 'the lease was lost before the handler began: another run of the delivery decides'
        : 'the lease was lost while the handler ran: its result is ignored, another run of the delivery decides'
    )
  }

  /** Waits for running calls of onError and onDead, at most `ms`. */
  async drain(ms: number): Promise<void> {
    if (this.#pending.size > 0) await within(ms, Promise.all(this.#pending))
  }

  /** The text of an error, without the personal data of the event if its run is known. */
  #textOf(error: unknown, run: Run | undefined): string {
    return errorText(error, (message) => this.#redacted(message, run))
  }

  #stackOf(error: unknown, run: Run | undefined): string | undefined {
    return stackOf(error, (text) => this.#redacted(text, run))
  }

  #redacted(text: string, run: Run | undefined): string {
    return (run && this.#redact?.(text, run.delivery.event)) ?? text
  }

  #callOnError(run: Run, error: unknown, retryAt: Date | undefined): void {
    const { onError } = this.#callbacks
    if (onError === undefined) return
    const { handler, attempt } = run.delivery
    const failure = { event: failedEvent(run), delivery: deliveryInfo(run.delivery), handler, attempt, retryAt }
    this.#call('onError', run, () => onError(error, failure))
  }

  #callOnDead(run: Run, error: unknown): void {
    const { onDead } = this.#callbacks
    if (onDead === undefined) return
    const { handler, attempt } = run.delivery
    const letter = { delivery: deliveryInfo(run.delivery), handler, attempt, error }
    this.#call('onDead', run, () => onDead(failedEvent(run), letter))
  }

  #call(name: keyof DeliveryCallbacks, run: Run, callback: () => unknown): void {
    const calling = (async () => {
      assertBegun(await callback())
    })()
      .catch((error: unknown) => {
        this.#log.error(
          { ...logKeys(run), error: this.#textOf(error, run), stack: this.#stackOf(error, run) },
          `${name} failed; the delivery is not affected`
        )
      })
      .finally(() => this.#pending.delete(calling))
    this.#pending.add(calling)
  }
}

function failedEvent({ event, delivery }: Run): FailedEvent {
  return event ?? { id: delivery.event.id, type: delivery.event.type }
}

function logKeys(run: Run): ReturnType<typeof deliveryKeys> & Partial<SpanIds> {
  return { ...deliveryKeys(run), ...run.span?.ids }
}

function deliveryKeys({ delivery }: Pick<Run, 'delivery'>): EventKeys & {
  readonly handler: string
  readonly attempt: number
} {
  const { event, handler, attempt } = delivery
  return { ...eventKeys(event.realm, event), handler, attempt }
}
