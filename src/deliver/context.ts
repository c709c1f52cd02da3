import type { DeliveryInfo, AnyEvent } from '../model/event.ts'
import type { Handler, HandlerContext } from '../handlers/registry.ts'
import type { StoredEvent } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import type { SpanIds } from '../model/tracing.ts'
import { eventKeys } from '../model/visible.ts'
import type { LazyAbort } from './lazy-abort.ts'

export interface AttemptInput {
  readonly handler: Handler
  /** This attempt's own copy: a handler may change it without affecting others. */
  readonly event: AnyEvent
  /** Counted from 1. */
  readonly attempt: number
  readonly delivery: DeliveryInfo
  /** The event as it is stored. */
  readonly stored: Pick<StoredEvent, 'endpoint' | 'body' | 'headers'>
  readonly log: Log
  /** Those of its span, for the log. */
  readonly ids?: SpanIds | undefined
  readonly transaction: HandlerContext['transaction']
}

/**
 * The second argument of a handler, for one attempt. Creates what is costly on first use: most handlers use one of
 * signal, child logger and body, or none.
 *
 * Each context has these three as properties, so that a copy (`{ ...context }`) has them. All contexts share the
 * functions of their getters. V8 creates a pair of accessors in the old generation, and the functions of an object
 * literal hold its event: the next full garbage collection would be the first to free it.
 */
export class AttemptContext implements HandlerContext {
  readonly event: AnyEvent
  readonly attempt: number
  readonly delivery: DeliveryInfo
  readonly endpoint: string
  readonly source: string
  readonly headers: HandlerContext['headers']
  readonly idempotencyKey: string
  readonly transaction: HandlerContext['transaction']
  declare readonly body: Uint8Array
  declare readonly signal: AbortSignal
  declare readonly log: Log
  readonly #input: AttemptInput
  readonly #abortable: LazyAbort
  #body: Uint8Array | undefined
  #log: Log | undefined

  constructor(input: AttemptInput, abortable: LazyAbort) {
    const { handler, event, attempt, delivery, stored, transaction } = input
    this.event = event
    this.attempt = attempt
    this.delivery = delivery
    this.endpoint = stored.endpoint
    this.source = handler.source
    this.headers = stored.headers
    this.idempotencyKey = `${encode(delivery.realm)}:${encode(event.id)}:${encode(handler.name)}`
    this.transaction = transaction
    this.#input = input
    this.#abortable = abortable
    Object.defineProperty(this, 'body', AttemptContext.#bodyProperty)
    Object.defineProperty(this, 'signal', AttemptContext.#signalProperty)
    Object.defineProperty(this, 'log', AttemptContext.#logProperty)
  }

  static readonly #bodyProperty = property((context) => (context.#body ??= Uint8Array.from(context.#input.stored.body)))
  static readonly #signalProperty = property((context) => context.#abortable.signal)
  static readonly #logProperty = property((context) => (context.#log ??= context.#child()))

  #child(): Log {
    const { handler, event, attempt, delivery, log, ids } = this.#input
    return log.child({ ...eventKeys(delivery.realm, event), handler: handler.name, attempt, ...ids })
  }
}

/** A property that is computed when it is read. */
function property(read: (context: AttemptContext) => unknown): PropertyDescriptor & ThisType<AttemptContext> {
  return {
    enumerable: true,
    configurable: true,
    get() {
      return read(this)
    }
  }
}

/** Percent-encodes as in a URL, so that each key is unique and fits into an HTTP header. */
function encode(part: string): string {
  // Encode a lone surrogate, which encodeURIComponent refuses, as a text that no other input produces.
  return part.isWellFormed()
    ? encodeURIComponent(part)
    : Array.from(part)
        .map((char) => (char.isWellFormed() ? encodeURIComponent(char) : `%u${char.charCodeAt(0).toString(16)}`))
        .join('')
}
