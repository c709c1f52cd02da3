import { RiverhookError } from '../model/errors.ts'
import type { InboxTransaction } from '../model/event.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { notBegun } from '../model/not-begun.ts'
import type { Run } from './run.ts'

export interface TransactionOptions {
  readonly inbox: Inbox
  /** The run of the attempt; undefined until it is held. */
  readonly run: () => Run | undefined
  /** Called when the delivery is done and its order key is free. */
  readonly onCommitted: () => void
}

/** The transaction of an attempt: at most one. */
export class HandlerTransaction {
  readonly #options: TransactionOptions
  #cancel: AbortController | undefined

  constructor(options: TransactionOptions) {
    this.#options = options
  }

  /** A handler's `context.transaction()`. */
  readonly make = async <Result>(work: (client: InboxTransaction) => Promise<Result>): Promise<Result> => {
    const { inbox, run: runOf, onCommitted } = this.#options
    if (inbox.transact === undefined) {
      throw refused(
        `The inbox "${inbox.name}" has no transactions that a handler could write in: context.transaction() needs PostgreSQL (RIVERHOOK_INBOX=postgres://...)`
      )
    }
    if (this.#cancel !== undefined)
      throw refused(
        'context.transaction() settles the delivery, so an attempt has one: put all that belongs together into it'
      )
    const { signal } = (this.#cancel = new AbortController())
    // The handler is called just before its run is held: wait a moment.
    await Promise.resolve()
    const run = runOf()
    if (run === undefined || run.fate === 'lost' || run.fate === 'ended') throw attemptIsOver()
    const { id, token } = run.delivery
    const begun = async (client: InboxTransaction): Promise<Result> => {
      const result = await work(client)
      const what = notBegun(result)
      if (what !== undefined)
        throw new RiverhookError(
          'RIVERHOOK_DELIVER_NOT_BEGUN',
          `The function given to context.transaction() returned ${what}. Nothing was committed`
        )
      return result
    }
    const result = await inbox.transact({ id, token, startedAt: new Date(run.startedAt) }, begun, signal)
    run.isCommitted = true
    onCommitted()
    return result
  }

  /** Ends the transaction with the attempt: rolls back what is not committed, and releases the connection. */
  end(): void {
    this.#cancel?.abort(attemptIsOver())
  }
}

function attemptIsOver(): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_DELIVER_LEASE_LOST',
    'This attempt is over: another run of the delivery decides. Nothing was committed'
  )
}

function refused(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_DELIVER_TRANSACTION', message)
}
