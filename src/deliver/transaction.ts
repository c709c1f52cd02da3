import { RiverhookError } from '../model/errors.ts'
import type { InboxTransaction } from '../model/event.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { notBegun } from '../model/not-begun.ts'

/** The run that a transaction belongs to. */
export interface TransactionOwner {
  /** Read when the transaction begins: the token may have been replaced since the claim. */
  readonly delivery: { readonly id: number; readonly token: number }
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** True when the outcome is decided or the lease is lost. */
  readonly isOver: boolean
  /** Called when the transaction is committed, and the delivery done with it. */
  commit(): void
}

/** The transaction of an attempt: at most one. */
export class HandlerTransaction {
  readonly #inbox: Inbox
  readonly #owner: TransactionOwner
  #cancel: AbortController | undefined

  constructor(inbox: Inbox, owner: TransactionOwner) {
    this.#inbox = inbox
    this.#owner = owner
  }

  /** A handler's `context.transaction()`. */
  readonly run = async <Result>(work: (client: InboxTransaction) => Promise<Result>): Promise<Result> => {
    const inbox = this.#inbox
    const owner = this.#owner
    if (inbox.transact === undefined) {
      throw refused(
        `The inbox "${inbox.name}" has no transactions for handlers: context.transaction() needs PostgreSQL (RIVERHOOK_INBOX=postgres://...)`
      )
    }
    if (this.#cancel !== undefined)
      throw refused('context.transaction() settles the delivery, so an attempt has one: put all writes into it')
    const { signal } = (this.#cancel = new AbortController())
    // Guard: a handler that outlives its attempt (time limit, lost lease, shutdown) cannot begin a transaction.
    if (owner.isOver) throw attemptIsOver()
    const { id, token } = owner.delivery
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
    const result = await inbox.transact({ id, token, startedAt: new Date(owner.startedAt) }, begun, signal)
    owner.commit()
    return result
  }

  /**
   * Ends the transaction when its run is over: rolls back what is not committed, and releases the connection. A commit
   * that is already under way may still succeed.
   */
  cancel(): void {
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
