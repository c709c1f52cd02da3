import { OverLimit } from './limits.ts'

/** The most live tails at a time: each reads the inbox every second. */
const mostTails = 20

/** The live tails that are open. They have no end, so a shutdown must end them. */
export class Tails {
  readonly #open = new Set<AbortController>()

  /**
   * Opens a tail until the client is gone.
   * @returns the signal of its end
   * @throws {OverLimit}
   */
  open(gone: AbortSignal): AbortSignal {
    if (this.#open.size >= mostTails) throw new OverLimit(`There are ${mostTails} live tails already: close one`, 30)
    const tail = new AbortController()
    this.#open.add(tail)
    tail.signal.addEventListener('abort', () => this.#open.delete(tail))
    const end = (): void => {
      tail.abort()
    }
    if (gone.aborted) end()
    else gone.addEventListener('abort', end)
    return tail.signal
  }

  /** Ends all tails. */
  end(): void {
    for (const tail of this.#open) tail.abort()
  }
}
