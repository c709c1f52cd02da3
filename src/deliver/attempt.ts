import { RiverhookError } from '../model/errors.ts'
import type { HandlerContext } from '../handlers/registry.ts'
import { notBegun } from '../model/not-begun.ts'
import { clearTimeout, setTimeout } from '../model/timers.ts'
import { createContext, type AttemptInput } from './context.ts'
import { LazyAbort } from './lazy-abort.ts'

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
    call(this.#input, createContext(this.#input, this.#abortable)).then(
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
