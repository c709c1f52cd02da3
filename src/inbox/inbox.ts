import type { InboxAlarms } from './contract/alarms.ts'
import type { InboxArrivals } from './contract/arrivals.ts'
import type { InboxAudit } from './contract/audit.ts'
import type { InboxCounts } from './contract/counts.ts'
import type { InboxDeliveries } from './contract/deliveries.ts'
import type { InboxEncryption } from './contract/encryption.ts'
import type { InboxEvents } from './contract/events.ts'
import type { InboxHandlers } from './contract/handlers.ts'
import type { InboxJobs } from './contract/jobs.ts'
import type { InboxMismatches } from './contract/mismatches.ts'
import type { InboxTally } from './contract/tally.ts'
import type { InboxWatermarks } from './contract/watermarks.ts'

export type * from './contract/alarms.ts'
export type * from './contract/arrivals.ts'
export type * from './contract/audit.ts'
export type * from './contract/counts.ts'
export type * from './contract/deliveries.ts'
export type * from './contract/encryption.ts'
export type * from './contract/events.ts'
export type * from './contract/handlers.ts'
export type * from './contract/jobs.ts'
export type * from './contract/mismatches.ts'
export type * from './contract/tally.ts'
export type * from './contract/watermarks.ts'

/**
 * Contract 2: the durable store of events and deliveries. One test suite (`test/inbox/contract.ts`) checks every
 * engine.
 *
 * An engine guarantees:
 * - Data is durable: the effects of a call that has returned survive any crash of this process (`memory` excepted).
 * - Each call is one transaction. A call that fails rejects with RIVERHOOK_INBOX_UNAVAILABLE, changes nothing, and can
 *   be retried. The engine recovers without help.
 * - A delivery has one holder at a time. `claim` leases it with a new fencing token. `settle` and `extend` with an old
 *   token change nothing, and report that.
 * - A lease that ends before it is settled is a lost run: its process died or stalled. The next `claim` returns the
 *   delivery with `lost`, and the claimer must settle it: as `lost`, to retry it after a delay, or as dead. Lost runs
 *   are counted separately from failed attempts, because most deliveries that die with a process did not kill it.
 * - An event is identified by its realm and its id. Equal ids in two realms are two independent events.
 * - Deliveries of one realm and one handler with one order key form a line. They are claimed one at a time, in the
 *   order in which their events arrived, whenever they were created. A parked delivery blocks those behind it. A failed
 *   delivery that lets others overtake leaves the line until it is due again.
 * - A job has one holder at a time, as a delivery has. A batch of its replays and their count are one transaction.
 * - Reads for people (`events`, `event`, `stats`, `levels`, `lengths`, `tally`, `drifts`, `handlers`, `watermarks`,
 *   `servers`, `audits`, `failed`, `retries`, `jobs`, `job`, `alarmState`) never delay other calls. A server runs them
 *   beside its other work, at most two at a time, each for at most 2 s. They see all that was committed before the
 *   call. One that takes longer is ended, and rejects with RIVERHOOK_INBOX_READ_LIMIT. One without a turn within 2 s
 *   rejects with RIVERHOOK_INBOX_READS_BUSY: an API answers it with 429. The other reads (`known`, `now`, `watermark`,
 *   `suspects`, `probe`) are part of receiving, delivering and health. They are short, and must not wait for people. An
 *   inbox for a `command` records nothing, so its reads need no turn and have no such limit. In memory, reads run at
 *   once.
 * - A call that is given an act writes its entry to the audit log in the transaction that changes the data, with the
 *   count of what was really changed: 0 if nothing was. A call that fails writes no entry. A call that takes several
 *   transactions writes an entry in each.
 *
 * Several processes may use one inbox if the engine allows it. So an engine does not rely on state of its caller.
 */
export interface Inbox
  extends InboxArrivals,
    InboxEvents,
    InboxHandlers,
    InboxDeliveries,
    InboxJobs,
    InboxCounts,
    InboxTally,
    InboxMismatches,
    InboxWatermarks,
    InboxAudit,
    InboxEncryption,
    InboxAlarms {
  /** The engine's name in logs: `memory`, `sqlite` or `postgres`. */
  readonly name: string

  /** The role that the object was made for. Missing if the engine does not distinguish them. */
  readonly role?: 'server' | 'command'

  /**
   * Opens the store. Creates it, or upgrades it to this version. Does not throw for an error that may be temporary,
   * such as a full disk: calls then reject until the error is fixed.
   * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE, RIVERHOOK_INBOX_VERSION
   */
  open(): Promise<void>

  /** Notes of the last `open()`, for the log. */
  notes?(): readonly InboxNote[]

  /** Lists the names of the other servers that use this inbox now. Missing if the engine allows only one server. */
  servers?(): Promise<readonly string[]>

  /** Completes all waiting calls, then releases the store. Can be called twice. */
  close(): Promise<void>

  /**
   * Returns 32 random bytes, the same in all processes that use the store: what one of them signs, the others can
   * verify. Created at the first call.
   */
  signingKey(): Promise<Uint8Array>

  /** Returns the time of the store's clock: with several machines, the clock of the database. */
  now(): Promise<Date>
}

/** A fact about the place of the store, for the log. */
export interface InboxNote {
  readonly level: 'info' | 'warn'
  readonly message: string
}
