/** In milliseconds: how long requests share one call. A call that hangs must not block later requests. */
const sharedMs = 2_000

/** A call of a user's function, shared by the requests that arrive during it. */
export class SharedCall<Value> {
  #call: { readonly since: number; readonly result: Promise<Value> } | undefined

  /** The result of the call in progress; undefined if there is none to share. */
  get current(): Promise<Value> | undefined {
    const call = this.#call
    return call !== undefined && performance.now() - call.since < sharedMs ? call.result : undefined
  }

  /** Shares a call that has just begun. */
  share(result: Promise<Value>): Promise<Value> {
    const call = { since: performance.now(), result }
    this.#call = call
    const ended = (): void => {
      if (this.#call === call) this.#call = undefined
    }
    result.then(ended, ended)
    return result
  }
}
