import type pg from 'pg'

import { RiverhookError } from '../../model/errors.ts'
import { clearInterval, setInterval } from '../../model/timers.ts'

/**
 * Often enough that the server does not take a transaction whose handler waits for something else for that of a
 * frozen process.
 */
const signOfLifeMs = 3_000

/** The client of a transaction as a handler, or its query builder, has it, until it is taken back. */
export class LentClient {
  readonly client: pg.PoolClient
  readonly #own: pg.PoolClient
  readonly #signs: NodeJS.Timeout
  #isRevoked = false
  #failure: Error | undefined

  constructor(own: pg.PoolClient) {
    this.#own = own
    this.#signs = setInterval(() => {
      this.#showLife()
    }, signOfLifeMs).unref()
    this.client = new Proxy(own, {
      get: (target, name) => {
        // To give it back is ours.
        if (name === 'release') return () => undefined
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        const method = (value as (...args: unknown[]) => unknown).bind(target)
        return name === 'query' ? (...args: unknown[]) => this.#query(method, args) : method
      }
    })
  }

  /** The first statement that failed, by the way in which they are mostly made. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /**
   * What is called from now on is refused: it would be outside of the transaction, in that of another handler perhaps.
   */
  revoke(): void {
    this.#isRevoked = true
    clearInterval(this.#signs)
  }

  #query(query: (...args: unknown[]) => unknown, args: readonly unknown[]): unknown {
    if (!this.#isRevoked) {
      const answer = query(...args)
      if (answer instanceof Promise)
        answer.catch((error: unknown) => {
          if (error instanceof Error) this.#failure ??= error
        })
      return answer
    }
    const refusal = new RiverhookError(
      'RIVERHOOK_DELIVER_TRANSACTION',
      'The transaction of this handler is over, and nothing more can be written in it: await everything before its function returns'
    )
    const callback = args.at(-1)
    if (typeof callback !== 'function') return Promise.reject(refusal)
    ;(callback as (error: Error) => void)(refusal)
    return undefined
  }

  #showLife(): void {
    const { readyForQuery } = this.#own as unknown as { readonly readyForQuery?: boolean }
    // While a statement of the handler's runs, the server waits for nobody. What is wrong with the connection, the
    // next statement says.
    if (readyForQuery !== false) this.#own.query('SELECT 1').catch(() => undefined)
  }
}
