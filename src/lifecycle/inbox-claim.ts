import { RiverhookError } from '../model/errors.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { isSameInbox } from '../inbox/open-inbox.ts'

interface Claimed {
  readonly inbox: Inbox
  readonly address: string | undefined
}

/** The inboxes that receivers of this process have open. */
const claimed = new Set<Claimed>()

/**
 * Keeps two receivers of one process from using one inbox. Each would park the deliveries of the other's handlers.
 * Receivers in other processes are replicas, which have the same handlers.
 */
export class InboxClaim {
  readonly #claimed: Claimed

  /** @param address undefined for an engine that the user created */
  constructor(inbox: Inbox, address: string | undefined) {
    this.#claimed = { inbox, address }
  }

  get isTaken(): boolean {
    return claimed.has(this.#claimed)
  }

  /** @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE */
  take(): void {
    for (const other of claimed) if (isSame(other, this.#claimed)) throw inUse(this.#claimed)
    claimed.add(this.#claimed)
  }

  release(): void {
    claimed.delete(this.#claimed)
  }
}

function isSame(one: Claimed, other: Claimed): boolean {
  if (one.inbox === other.inbox) return true
  if (one.address === undefined || other.address === undefined) return false
  // Each `memory:` is a separate inbox.
  return one.address !== 'memory:' && isSameInbox(one.address, other.address)
}

function inUse({ inbox }: Claimed): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_INBOX_IN_USE',
    `Another receiver of this process uses this ${inbox.name} inbox. Register one plugin with several endpoints, or give each its own inbox`
  )
}
