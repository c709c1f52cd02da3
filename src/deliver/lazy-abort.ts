import type { RiverhookError } from '../model/errors.ts'

/** An abort signal that is created on first use. */
export class LazyAbort {
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
