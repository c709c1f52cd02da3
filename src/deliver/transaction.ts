import { RiverhookError } from '../errors.ts'
import type { InboxTransaction } from '../event.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Run } from './run.ts'

export interface TransactionOptions {
  readonly inbox: Inbox
  /** The attempt that asks; undefined until it is held. */
  readonly run: () => Run | undefined
  /** The delivery is done, and its order key free. */
  readonly onCommitted: () => void
}

/** Makes a handler's `context.transaction()`. */
export function transactionOf({ inbox, run: runOf, onCommitted }: TransactionOptions) {
  let isUsed = false
  return async <Result>(work: (client: InboxTransaction) => Promise<Result>): Promise<Result> => {
    if (inbox.transact === undefined) {
      throw refused(`The inbox "${inbox.name}" has no transactions that a handler could write in: context.transaction() needs PostgreSQL (RIVERHOOK_INBOX=postgres://...)`)
    }
    if (isUsed) throw refused('context.transaction() settles the delivery, so an attempt has one: put all that belongs together into it')
    isUsed = true
    // A handler is called before its attempt is held: a moment later it is.
    await Promise.resolve()
    const run = runOf()
    if (run === undefined || run.fate === 'lost' || run.fate === 'ended') {
      throw new RiverhookError('RIVERHOOK_DELIVER_LEASE_LOST', 'This attempt is over: another run of the delivery decides. Nothing was committed')
    }
    const { id, token } = run.delivery
    const result = await inbox.transact({ id, token, startedAt: new Date(run.startedAt) }, work)
    run.isCommitted = true
    onCommitted()
    return result
  }
}

function refused(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_DELIVER_TRANSACTION', message)
}
