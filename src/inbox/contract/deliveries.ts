import type { Act } from '../../model/audit.ts'
import type { RiverhookError } from '../../model/errors.ts'
import type { EventKey, InboxTransaction, KeptHeaders, Outcome } from '../../model/event.ts'
import type { HandlerName } from './handlers.ts'

/** The work on deliveries: claims, leases, outcomes and replays. Part of `Inbox`. */
export interface InboxDeliveries {
  /**
   * Claims due deliveries under a lease: by handler in the order of the request, the longest due first. Excludes
   * suspects, whose last run was lost, and paused handlers. Includes deliveries whose lease has ended, even suspects.
   * Returns those with `lost`, and does not count their attempt again.
   */
  claim(request: ClaimRequest): Promise<Claim>

  /** Lists the due suspects of these handlers, except paused ones, the longest due first. At most 100. */
  suspects(handlers: readonly HandlerName[]): Promise<readonly Suspect[]>

  /** Claims those of these deliveries that are due and first in their lines, and whose handler is not paused. */
  claimSuspects(request: ClaimSuspectsRequest): Promise<readonly ClaimedDelivery[]>

  /**
   * Extends leases by `leaseMs` from now.
   * @param onLoss the new meaning of a loss of these runs; undefined keeps the current one
   * @returns the ids of the deliveries whose lease was no longer held
   */
  extend(leases: readonly Lease[], leaseMs: number, onLoss?: OnLoss): Promise<readonly number[]>

  /**
   * Runs `work` in the transaction that settles the delivery as done. The writes of `work` with the client and the end
   * of the delivery are committed together, or neither is. Missing if handlers cannot write to the engine's store.
   * @param signal ends the transaction, even while it waits for a connection, and rolls it back. Ignored after `work`
   * has returned
   * @returns the result of `work`, after the commit
   * @throws the error of `work`, or the reason of the signal, after a rollback; RIVERHOOK_DELIVER_LEASE_LOST and
   * RIVERHOOK_DELIVER_TRANSACTION, after a rollback; RIVERHOOK_INBOX_UNAVAILABLE. If the connection was lost during the
   * commit, the outcome is unknown: the fencing token decides the result of a later `settle()`
   */
  transact?<Result>(
    held: HeldDelivery,
    work: (client: InboxTransaction) => Promise<Result>,
    signal?: AbortSignal
  ): Promise<Result>

  /**
   * Stores the outcomes of attempts.
   * @returns a result for each, in order. An error means that this outcome was rejected, and the others were stored
   */
  settle(settlements: readonly Settlement[]): Promise<readonly (SettleResult | RiverhookError)[]>

  /**
   * Makes deliveries due now, in any state except running, and resets their attempts to zero. Creates those that do not
   * exist yet. Puts all of them in their lines before any of them can be claimed.
   * @returns a result for each, in order. An error means that this delivery was rejected and is unchanged. Then the
   * others were replayed in several transactions
   */
  replay(targets: readonly ReplayTarget[], act?: Act): Promise<readonly (ReplayResult | RiverhookError)[]>

  /**
   * Calls `wake` when deliveries may be due. This is only a hint: a claimer must also poll.
   * @returns a function that ends the subscription
   */
  onDue(wake: () => void): () => void
}

export interface ClaimRequest {
  /** The name of the process that claims. */
  readonly owner: string
  readonly leaseMs: number
  /** The handlers that can run deliveries now. */
  readonly wants: readonly Want[]
  /** The maximum number of deliveries in total. */
  readonly limit: number
}

/** A number of deliveries of one handler. */
export interface Want {
  readonly handler: string
  /** The source of the handler: see `HandlerName`. */
  readonly source: string
  readonly limit: number
}

/**
 * The meaning of a lost run. `nothing`: its process was shutting down. `loss`: other deliveries ran in the process, so
 * this one may not be the cause. `attempt`: it ran alone, so the run counts as a failed attempt.
 */
export type OnLoss = 'nothing' | 'loss' | 'attempt'

/** A due delivery whose last run was lost. */
export interface Suspect {
  readonly id: number
  readonly handler: string
  /** How many of its last runs were lost in a row, from 1. */
  readonly suspicion: number
}

export interface ClaimSuspectsRequest {
  /** The name of the process that claims. */
  readonly owner: string
  readonly leaseMs: number
  readonly ids: readonly number[]
  readonly onLoss: OnLoss
}

export interface Claim {
  readonly deliveries: readonly ClaimedDelivery[]
  /** When the next delivery of these handlers falls due, if known; undefined if none is pending. */
  readonly nextDueAt: Date | undefined
  /** Deliveries that were removed, because their event was deleted from the store by hand. */
  readonly orphans?: readonly Orphan[]
}

export interface Orphan {
  readonly id: number
  readonly handler: string
}

export interface Lease {
  readonly id: number
  /** The fencing token: each claim of a delivery gets a higher one. */
  readonly token: number
}

/** A delivery that this process runs. */
export interface HeldDelivery extends Lease {
  /** When its attempt began. */
  readonly startedAt: Date
}

export interface ClaimedDelivery extends Lease {
  readonly handler: string
  readonly orderKey: string | undefined
  /** Counted from 1, including lost runs, and including this claim unless `lost` is set. */
  readonly attempt: number
  /** Lost runs that do not count for `retry.attempts`. */
  readonly losses: number
  /** How many of its last runs were lost in a row. */
  readonly suspicion: number
  /** The lease ended: settle this lost run, and do not run the handler. */
  readonly lost?: LostRun | undefined
  /** The last job that replayed it. */
  readonly replay?: ReplayCause | undefined
  readonly event: StoredEvent
}

/** The job that replayed a delivery. */
export interface ReplayCause {
  readonly jobId: number
  /** The trace of the call that started the job. Undefined if there was none, or the job has been purged. */
  readonly trace?: string | undefined
}

/** A run whose lease ended before it was settled. */
export interface LostRun {
  /** The name of the process that ran it. */
  readonly owner: string | undefined
  /** When the lease ended. The process died earlier, at an unknown time. */
  readonly at: Date
  readonly onLoss: OnLoss
}

/** The part of a stored event that a handler's run needs. */
export interface StoredEvent extends EventKey {
  readonly source: string
  readonly type: string
  readonly headers: KeptHeaders
  readonly endpoint: string
  readonly receivedAt: Date
  readonly body: Uint8Array
  /** The trace of the request, as `packTrace` returned it. Undefined if there was none. */
  readonly trace?: string | undefined
  /** Why the body and the headers, which are empty then, cannot be decrypted. Its handler does not run. */
  readonly unreadable?: RiverhookError | undefined
}

/** An order key of one handler in one realm. Its deliveries run one at a time. */
export interface OrderKey {
  readonly handler: string
  readonly realm: string
  readonly orderKey: string
}

export interface Settlement extends Lease {
  /**
   * The order key of the delivery, as its claim returned it; null if it has none. A wrong one makes the result `stale`,
   * on PostgreSQL. If it is undefined, the engine reads it.
   */
  readonly orderKey?: OrderKey | null | undefined
  /** The event of the delivery. If the inbox is encrypted, the stored error can be read only with it. */
  readonly event?: EventKey | undefined
  readonly outcome: Outcome
  readonly startedAt: Date
  readonly endedAt: Date
}

/** `stale`: the token is old, and nothing was changed. */
export type SettleResult = 'settled' | 'stale'

export interface ReplayTarget {
  readonly event: EventKey
  readonly handler: string
  /** Used if the delivery is created. */
  readonly orderKey?: string | undefined
  /** True to skip the delivery if it is done. Default false. */
  readonly unlessDone?: boolean | undefined
  /** A delay before the delivery is due, in milliseconds. Meanwhile, others in its line wait behind it. Default 0. */
  readonly dueInMs?: number | undefined
}

/** `running` and `done`: the delivery was skipped. */
export type ReplayResult = 'replayed' | 'created' | 'running' | 'done' | 'unknown_event'
