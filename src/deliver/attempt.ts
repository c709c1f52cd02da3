import { RiverhookError } from '../model/errors.ts'
import type { DeliveryInfo, AnyEvent } from '../model/event.ts'
import type { Handler, HandlerContext } from '../handlers/registry.ts'
import type { Log } from '../model/log.ts'
import { notBegun } from '../model/not-begun.ts'
import { clearTimeout, setTimeout } from '../model/timers.ts'
import { eventKeys } from '../model/visible.ts'

export interface AttemptInput {
  readonly handler: Handler
  /** This attempt's own copy: a handler may change it without harm to others. */
  readonly event: AnyEvent
  /** Counted from 1. */
  readonly attempt: number
  readonly delivery: DeliveryInfo
  readonly endpoint: string
  readonly log: Log
  readonly transaction: HandlerContext['transaction']
}

/** How a run ended. What becomes of the delivery is not decided here. */
export type Ending = { readonly state: 'done' } | { readonly state: 'failed'; readonly error: unknown }

/** One run of one handler that is under way. */
export interface Attempt {
  /** Never rejects. */
  readonly ending: Promise<Ending>
  /** Aborts the handler's signal. Ends nothing by itself: the handler may still finish. The first reason stands. */
  abort(reason: RiverhookError): void
}

/**
 * Runs a handler once, within its time limit. At the limit the signal is aborted with RIVERHOOK_DELIVER_TIMEOUT and the
 * attempt has failed, whether the handler takes notice or not; what it returns or throws later is dropped.
 */
export function startAttempt(input: AttemptInput): Attempt {
  const { handler } = input
  const abortion = new LazyAbort()
  const ending = new Promise<Ending>((end) => {
    const timer = setTimeout(() => {
      const error = new RiverhookError(
        'RIVERHOOK_DELIVER_TIMEOUT',
        `Handler "${handler.name}" did not finish within ${handler.timeoutMs} ms`
      )
      end({ state: 'failed', error })
      abortion.abort(error)
    }, handler.timeoutMs)
    timer.unref()
    call(input, contextOf(input, abortion)).then(
      () => {
        clearTimeout(timer)
        end({ state: 'done' })
      },
      (error: unknown) => {
        clearTimeout(timer)
        end({ state: 'failed', error })
      }
    )
  })
  return {
    ending,
    abort: (reason) => {
      abortion.abort(reason)
    }
  }
}

/** Async, so that a handler that throws before its first await fails like any other. */
async function call({ handler, event }: AttemptInput, context: HandlerContext): Promise<void> {
  const what = notBegun(await handler.run(event, context))
  if (what !== undefined)
    throw new RiverhookError('RIVERHOOK_DELIVER_NOT_BEGUN', `Handler "${handler.name}" returned ${what}`)
}

/** Signal and child logger are made when they are asked for: most handlers use one of them or none, and both cost. */
function contextOf(
  { handler, event, attempt, delivery, endpoint, log, transaction }: AttemptInput,
  abortion: LazyAbort
): HandlerContext {
  let child: Log | undefined
  return {
    event,
    attempt,
    delivery,
    endpoint,
    get signal() {
      return abortion.signal
    },
    get log() {
      child ??= log.child({ ...eventKeys(delivery.realm, event), handler: handler.name, attempt })
      return child
    },
    idempotencyKey: `${encode(delivery.realm)}:${encode(event.id)}:${encode(handler.name)}`,
    transaction
  }
}

/** As in a URL: no two deliveries have the same key, and any HTTP header can carry it. */
function encode(part: string): string {
  // A lone surrogate, which encodeURIComponent refuses, becomes something that no other text becomes.
  return part.isWellFormed()
    ? encodeURIComponent(part)
    : Array.from(part)
        .map((char) => (char.isWellFormed() ? encodeURIComponent(char) : `%u${char.charCodeAt(0).toString(16)}`))
        .join('')
}

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
