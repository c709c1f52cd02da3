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

/** The key of what the getters of a context read. Not enumerable: a copy (`{ ...context }`) has the values instead. */
const lazy = Symbol('lazy')

type Context = { -readonly [Name in keyof HandlerContext]: HandlerContext[Name] } & { readonly [lazy]: Lazy }

/** Creates what is costly on first use: most handlers use one of signal, child logger and body, or none. */
class Lazy {
  readonly #input: AttemptInput
  readonly #abortable: LazyAbort
  #body: Uint8Array | undefined
  #log: Log | undefined

  constructor(input: AttemptInput, abortable: LazyAbort) {
    this.#input = input
    this.#abortable = abortable
  }

  get body(): Uint8Array {
    return (this.#body ??= Uint8Array.from(this.#input.stored.body))
  }

  get signal(): AbortSignal {
    return this.#abortable.signal
  }

  get log(): Log {
    return (this.#log ??= this.#child())
  }

  #child(): Log {
    const { handler, event, attempt, delivery, log, ids } = this.#input
    return log.child({ ...eventKeys(delivery.realm, event), handler: handler.name, attempt, ...ids })
  }
}

const bodyProperty = property('body')
const signalProperty = property('signal')
const logProperty = property('log')

/**
 * Makes the second argument of a handler, for one attempt. It is a plain object, so a handler may copy it, inherit from
 * it, or wrap it in a proxy.
 *
 * All contexts share the functions of their getters. V8 creates a pair of accessors in the old generation, and the
 * functions of an object literal hold its event: the next full garbage collection would be the first to free it.
 */
export function createContext(input: AttemptInput, abortable: LazyAbort): HandlerContext {
  const { handler, event, attempt, delivery, stored, transaction } = input
  const context = { event, attempt, delivery, endpoint: stored.endpoint, source: handler.source } as Context
  Object.defineProperty(context, lazy, { value: new Lazy(input, abortable) })
  Object.defineProperty(context, 'body', bodyProperty)
  context.headers = stored.headers
  Object.defineProperty(context, 'signal', signalProperty)
  Object.defineProperty(context, 'log', logProperty)
  context.idempotencyKey = `${encode(delivery.realm)}:${encode(event.id)}:${encode(handler.name)}`
  context.transaction = transaction
  return context
}

/** A property that is computed when it is read, also through a proxy or an object that inherits it. */
function property(name: 'body' | 'signal' | 'log'): PropertyDescriptor & ThisType<Context> {
  return {
    enumerable: true,
    configurable: true,
    get() {
      return this[lazy][name]
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
