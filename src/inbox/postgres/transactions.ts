import type pg from 'pg'

import { RiverhookError } from '../../model/errors.ts'
import type { HeldDelivery } from '../inbox.ts'
import type { Semaphore } from '../semaphore.ts'
import type { Times } from './claim.ts'
import type { Connections } from './connections.ts'
import type { Database } from './database.ts'
import { transact } from './transact.ts'

export interface TransactionsOptions {
  readonly connections: Connections
  /** Limits transactions to the connections that handlers may use. */
  readonly semaphore: Semaphore
  readonly times: () => Times
}

/** The transactions of handlers that are open. */
export class Transactions {
  readonly #options: TransactionsOptions
  readonly #open = new Set<AbortController>()

  constructor(options: TransactionsOptions) {
    this.#options = options
  }

  /** Runs `work` in the transaction that settles the delivery. See `transact`. */
  async run<Result>(
    database: Database,
    held: HeldDelivery,
    work: (client: pg.PoolClient) => Promise<Result>,
    signal: AbortSignal | undefined
  ): Promise<Result> {
    const controller = new AbortController()
    const abort = (): void => {
      controller.abort(signal?.reason)
    }
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort, { once: true })
    this.#open.add(controller)
    try {
      return await transact({ ...this.#options, database, signal: controller.signal }, held, work)
    } finally {
      this.#open.delete(controller)
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Rolls back those that are open, because the inbox is closed. */
  abort(): void {
    for (const transaction of this.#open)
      transaction.abort(
        new RiverhookError(
          'RIVERHOOK_INBOX_CLOSED',
          'The inbox was closed during the transaction. Nothing was committed'
        )
      )
  }
}
