import type pg from 'pg'

import { RiverhookError } from '../../model/errors.ts'
import { clearInterval, setInterval } from '../../model/timers.ts'

/** Pings keep `idle_in_transaction_session_timeout` from killing a handler that is waiting on something else. */
const pingMs = 3_000

/** The client that a handler, or its query builder, uses in a transaction, until `revoke` is called. */
export class LentClient {
  readonly client: pg.PoolClient
  readonly #own: pg.PoolClient
  readonly #pings: NodeJS.Timeout
  #isRevoked = false
  #failure: Error | undefined

  constructor(own: pg.PoolClient) {
    this.#own = own
    this.#pings = setInterval(() => {
      this.#ping()
    }, pingMs).unref()
    this.client = new Proxy(own, {
      get: (target, name) => {
        // Releasing the connection is our job, not the handler's.
        if (name === 'release') return () => undefined
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        const method = (value as (...args: unknown[]) => unknown).bind(target)
        return name === 'query' ? (...args: unknown[]) => this.#query(method, args) : method
      }
    })
  }

  /** The error of the first statement that failed. Only statements that return a promise are observed. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Rejects all further statements: they would run outside the transaction, perhaps in another handler's. */
  revoke(): void {
    this.#isRevoked = true
    clearInterval(this.#pings)
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
      'The transaction of this handler is over, so the statement was not run: await all statements before the function returns'
    )
    const callback = args.at(-1)
    if (typeof callback !== 'function') return Promise.reject(refusal)
    ;(callback as (error: Error) => void)(refusal)
    return undefined
  }

  #ping(): void {
    const { readyForQuery } = this.#own as unknown as { readonly readyForQuery?: boolean }
    // Not needed while a statement of the handler runs: the session is not idle. Ignore errors: the next statement
    // reports them.
    if (readyForQuery !== false) this.#own.query('SELECT 1').catch(() => undefined)
  }
}
