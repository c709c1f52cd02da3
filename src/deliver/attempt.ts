import { RiverhookError } from '../model/errors.ts'
import type { DeliveryInfo, AnyEvent } from '../model/event.ts'
import type { Handler, HandlerContext } from '../handlers/registry.ts'
import type { StoredEvent } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import { notBegun } from '../model/not-begun.ts'
import { clearTimeout, setTimeout } from '../model/timers.ts'
import type { SpanIds } from '../model/tracing.ts'
import { eventKeys } from '../model/visible.ts'

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

/** How an attempt ended. What becomes of the delivery is decided in `outcomes.ts`. */
export type Ending = { readonly state: 'done' } | { readonly state: 'failed'; readonly error: unknown }

/**
 * One call of one handler, within its time limit. At the limit the signal is aborted with RIVERHOOK_DELIVER_TIMEOUT and
 * the attempt has failed, even if the handler ignores its signal; what it returns or throws later is dropped.
 *
 * Made before it starts, so that it can be awaited and aborted as soon as the handler's first line runs.
 */
export class Attempt {
  readonly #input: AttemptInput
  readonly #abortable = new LazyAbort()
  readonly #ending = Promise.withResolvers<Ending>()

  constructor(input: AttemptInput) {
    this.#input = input
  }

  /** How the handler ended. Never rejects. */
  get ending(): Promise<Ending> {
    return this.#ending.promise
  }

  /** Calls the handler. */
  start(): void {
    const { handler } = this.#input
    const end = this.#ending.resolve
    const timer = setTimeout(() => {
      const error = new RiverhookError(
        'RIVERHOOK_DELIVER_TIMEOUT',
        `Handler "${handler.name}" did not finish within ${handler.timeoutMs} ms`
      )
      end({ state: 'failed', error })
      this.abort(error)
    }, handler.timeoutMs)
    timer.unref()
    call(this.#input, contextOf(this.#input, this.#abortable)).then(
      () => {
        clearTimeout(timer)
        end({ state: 'done' })
      },
      (error: unknown) => {
        clearTimeout(timer)
        end({ state: 'failed', error })
      }
    )
  }

  /** Aborts the handler's signal. The handler may still finish. Only the first reason counts. */
  abort(reason: RiverhookError): void {
    this.#abortable.abort(reason)
  }
}

/** Async, so that a handler that throws before its first await fails like any other. */
async function call({ handler, event }: AttemptInput, context: HandlerContext): Promise<void> {
  const what = notBegun(await handler.run(event, context))
  if (what !== undefined)
    throw new RiverhookError('RIVERHOOK_DELIVER_NOT_BEGUN', `Handler "${handler.name}" returned ${what}`)
}

/** Creates what is costly on first use: most handlers use one of signal, child logger and body, or none. */
function contextOf(
  { handler, event, attempt, delivery, stored, log, ids, transaction }: AttemptInput,
  abortable: LazyAbort
): HandlerContext {
  let child: Log | undefined
  let body: Uint8Array | undefined
  return {
    event,
    attempt,
    delivery,
    endpoint: stored.endpoint,
    source: handler.source,
    get body() {
      return (body ??= Uint8Array.from(stored.body))
    },
    headers: stored.headers,
    get signal() {
      return abortable.signal
    },
    get log() {
      child ??= log.child({ ...eventKeys(delivery.realm, event), handler: handler.name, attempt, ...ids })
      return child
    },
    idempotencyKey: `${encode(delivery.realm)}:${encode(event.id)}:${encode(handler.name)}`,
    transaction
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

/** An abort signal that is created on first use. */
class LazyAbort {
  #controller: AbortController | undefined
  #reason: RiverhookError | undefined

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  abort(reason: RiverhookError): void {
    this.#reason ??= reason
    this.#controller?.abort(this.#reason)
  }
}
