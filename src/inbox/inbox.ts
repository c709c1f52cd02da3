import type { Act, ActResult, AuditEntry } from '../model/audit.ts'
import type { RiverhookError } from '../model/errors.ts'
import type {
  DeliveryState,
  EventKey,
  EventState,
  InboxTransaction,
  KeptHeaders,
  OpenState,
  Outcome,
  Receipt
} from '../model/event.ts'
import type { Job, NewJob } from '../model/job.ts'
import type { CountedRequests, TallyQuery, TallyRow } from '../model/tally.ts'

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
export interface Inbox {
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
   * Stores arrivals with their deliveries in one transaction. They are on disk when the promise resolves.
   * @returns a result for each arrival, in order. Detects duplicates within the call too. An error means that this
   * arrival was rejected: an engine may store the others without it
   */
  record(arrivals: readonly Arrival[]): Promise<readonly (RecordResult | RiverhookError)[]>

  /**
   * Stores arrivals as `record` does, and claims in the same transaction: first what is due, as `claim` does, and then
   * new deliveries, up to what is left of the limits. Of these, only those without an order key, of handlers that are
   * not paused and have nothing else due: none overtakes a backlog. Missing if the engine gains nothing by it.
   */
  recordAndClaim?(arrivals: readonly Arrival[], request: ClaimRequest): Promise<RecordedAndClaimed>

  /** Finds which of these event ids the realm has. At most 1,000 per call. */
  known(realm: string, ids: readonly string[]): Promise<ReadonlySet<string>>

  /**
   * Returns 32 random bytes, the same in all processes that use the store: what one of them signs, the others can
   * verify. Created at the first call.
   */
  signingKey(): Promise<Uint8Array>

  /** Returns the time of the store's clock: with several machines, the clock of the database. */
  now(): Promise<Date>

  /** Returns how far something has been read, such as the provider's list of events; undefined if it never was. */
  watermark(realm: string, name: string): Promise<Date | undefined>

  /** Lists the watermarks of all realms. */
  watermarks(): Promise<readonly Watermark[]>

  /**
   * Moves a watermark of the realm forward, at most to `now()`. Never moves it back, so that two processes do not undo
   * each other's progress. Except that it replaces a watermark in the future, which a wrong clock wrote.
   */
  advance(realm: string, name: string, to: Date): Promise<void>

  /**
   * Adds mismatches to the counts of their kinds.
   * @returns a result for each, in order. An error means that this mismatch was rejected, and the others were stored
   */
  flag(drifts: readonly Mismatch[]): Promise<readonly (FlagResult | RiverhookError)[]>

  /** Lists all kinds of mismatches in all realms, the latest first. At most 1,000. */
  drifts(): Promise<readonly Mismatch[]>

  /**
   * Marks kinds of mismatches as acknowledged, or removes the mark. Later mismatches of a kind are counted, and keep
   * its mark.
   * @returns how many kinds were changed: not those that had the mark already, or that the inbox does not have
   */
  acknowledge(kinds: readonly MismatchKind[], isAcknowledged: boolean, act?: Act): Promise<number>

  /**
   * Stores the complete list of handlers of all sources, so that commands in other processes can read it. Parks
   * unsettled deliveries without a handler that has their handler's name and is for their event's source. Parks a
   * running one after its lease has ended. Makes parked deliveries of these handlers due again.
   */
  adopt(handlers: readonly HandlerRecord[]): Promise<{ readonly parked: number; readonly resumed: number }>

  /** Lists the handlers last adopted. */
  handlers(): Promise<readonly HandlerRecord[]>

  /**
   * Pauses a handler, in all processes and over restarts: its deliveries are recorded, and none is claimed. A claim
   * under way and running attempts finish.
   * @returns false if it was paused already, and nothing was changed
   */
  pause(handler: string, act?: Act): Promise<boolean>

  /** Ends the pause of a handler. @returns false if it was not paused */
  resume(handler: string, act?: Act): Promise<boolean>

  /** Lists the paused handlers by name. */
  pauses(): Promise<readonly Pause[]>

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

  /** Returns the position of the newest event: `upTo` of a filter that leaves out what arrives later. 0 if empty. */
  position(): Promise<number>

  /**
   * Adds a job. It waits until it is claimed. If there is a job with its idempotency key, changes nothing and returns
   * that one.
   */
  addJob(job: NewJob, act?: Act): Promise<AddedJob>

  /** Lists jobs, newest first. Jobs that have ended are deleted by `prune`. */
  jobs(request: JobsRequest): Promise<readonly Job[]>

  /** Finds a job. */
  job(id: number): Promise<Job | undefined>

  /**
   * Stops a job that has not ended: its holder can replay nothing more. Hides the value of `about` in its filter, as
   * `endJob` does.
   * @returns false if there is none
   */
  stopJob(id: number, act?: Act): Promise<boolean>

  /** Claims the oldest job that waits or whose lease has ended, or the given one. Its token is higher than before. */
  claimJob(request: JobClaim): Promise<ClaimedJob | undefined>

  /**
   * Replays as `replay` does, and adds to the counts of the job in the same transaction. Leaves deliveries unchanged
   * that this job or a later one has replayed before, and reports them as `repeated`. Extends the lease.
   * @returns undefined, and changes nothing, if the job is no longer held
   */
  replayInJob(
    lease: JobLease,
    targets: readonly ReplayTarget[]
  ): Promise<readonly (JobReplayResult | RiverhookError)[] | undefined>

  /** Stores the progress of a job, and extends its lease. @returns false if the job is no longer held */
  advanceJob(lease: JobLease, progress: JobProgress): Promise<boolean>

  /**
   * Ends a job, or hands it back as `waiting`. Hides the value of `about` in the filter of a job that ends.
   * @returns false if the job is no longer held
   */
  endJob(lease: JobLease, end: JobEnd): Promise<boolean>

  /**
   * Accepts quarantined requests that are valid now. Each becomes its event, in the same place in the order of arrival.
   * Puts all their deliveries in their lines before any of them can be claimed. If the event is known, keeps it:
   * removes a `duplicate`, and leaves a `conflict` quarantined.
   * @returns a result for each, in order. An error means that this request was rejected and stays quarantined. Then the
   * others were admitted in several transactions
   */
  admit(requests: readonly Admission[], act?: Act): Promise<readonly (AdmitResult | RiverhookError)[]>

  /** Lists a page of events, newest first unless the filter has `oldestFirst`. */
  events(filter: EventFilter): Promise<EventPage>

  /** Finds one event with all its details. */
  event(key: EventKey): Promise<EventDetail | undefined>

  /** Replaces the search keys of events, except erased ones. @returns how many of these events the inbox has */
  reindex(entries: readonly IndexEntry[]): Promise<number>

  /**
   * Stores events as they were in another inbox. Deliveries keep their states, except that a running one becomes due,
   * with its attempt counted. Skips events that are known, by realm and id.
   * @returns how many events were stored
   */
  restore(events: readonly EventDetail[]): Promise<number>

  /**
   * Removes events with their deliveries, in any state except running. Keeps those whose states are not as they were
   * seen.
   * @returns how many events were removed
   */
  remove(targets: readonly RemovalTarget[], act?: Act): Promise<number>

  /**
   * Erases the personal data of events: body, headers, search keys, resource, order keys, errors, and the reason of a
   * quarantined request. Each event stays, as `erased`, with its id, type and times: if it arrives again, it is a
   * duplicate, never a conflict. Deletes its deliveries that are not done. Skips events with a running delivery, and
   * those that are erased already.
   * @returns how many events were erased
   */
  erase(keys: readonly EventKey[], act?: Act): Promise<number>

  /**
   * Removes what is left in the files of the store of data that was deleted or erased.
   * @returns how a person removes the rest; undefined if nothing is left
   */
  scrub(): Promise<string | undefined>

  /** Writes an entry about an act that is not a call of the inbox, once it is done. */
  audit(act: Act, result: ActResult): Promise<void>

  /** Lists a page of the audit log, newest first. */
  audits(filter: AuditFilter): Promise<AuditPage>

  /** Deletes the oldest entries of the audit log before a time, at most `limit`. @returns how many were deleted */
  pruneAudits(request: AuditPruneRequest): Promise<number>

  /**
   * Stores entries of another inbox's audit log, in the given order and with new numbers. Skips those that were there
   * before the call, so a copy can be repeated if equal entries are always given together.
   */
  restoreAudits(entries: readonly AuditEntry[]): Promise<void>

  /**
   * Returns how often each outcome occurred, by minute or hour, in the order of time, kind, name and outcome. Fast with
   * any number of events, because the inbox counts while it works: `record` and `admit` count requests, and `settle`,
   * `transact`, and `adopt` for lost runs, count attempts, each in its own transaction. Everything is counted once, in
   * the minute in which it was stored. `replay` counts nothing, but the attempts that follow it are counted. `restore`
   * counts nothing: the events are old. `remove` and `prune` do not reduce the counts.
   */
  tally(query: TallyQuery): Promise<readonly TallyRow[]>

  /**
   * Adds answered requests to the tally. If the connection to the store is lost during the commit, it is unknown
   * whether they were added.
   */
  countRequests(requests: readonly CountedRequests[]): Promise<void>

  /**
   * Takes or keeps the right to raise alarms for `leaseMs`. One process has it at a time. Each call that succeeds gives
   * a higher token.
   */
  holdAlarms(request: AlarmHold): Promise<HeldAlarms>

  /** Stores the state of the alarms, and extends the lease. @returns false, and changes nothing, for an old token */
  saveAlarms(request: AlarmSave): Promise<boolean>

  /** Returns the state of the alarms; undefined if none was stored. */
  alarmState(): Promise<string | undefined>

  /**
   * Stores counts of another inbox's tally. If a count of the same minute, kind, name and outcome is there, keeps the
   * larger one, so a copy can be repeated.
   */
  restoreTally(rows: readonly TallyRow[]): Promise<void>

  /**
   * Prunes a small batch of the tally: deletes old rows, and folds the minutes before a time into their hours.
   * @returns true if there may be more
   */
  pruneTally(request: PruneTallyRequest): Promise<boolean>

  /**
   * Lists deliveries whose last attempt failed: dead letters, and those that wait for a retry. Those of the newest
   * events come first.
   */
  failed(request: { readonly limit: number }): Promise<readonly FailedDelivery[]>

  /** Counts the deliveries that wait for a retry, by realm and handler. Takes longer the more deliveries fail. */
  retries(): Promise<readonly RetryCount[]>

  /** Counts events and deliveries. Takes longer the more there are: about a quarter of a second for a million. */
  stats(): Promise<InboxStats>

  /**
   * Returns how much is left to do, and how full the store is. Fast with any number of events, because it never counts
   * deliveries that are done.
   */
  levels(): Promise<InboxLevels>

  /**
   * Returns how long the newest attempts of each handler took, sorted by handler. Fast with any number of events,
   * because it reads at most 500 successful attempts of a handler, and the newest 2,000 failed ones of all handlers.
   * Lost runs and those handed back are left out, because they have no length.
   */
  lengths(): Promise<readonly AttemptLengths[]>

  /**
   * For health checks: checks that a write of more than a few bytes can be committed, and returns the age of the
   * backlog. Cheap enough to be called every second.
   */
  probe(): Promise<Backlog>

  /**
   * Purges one small batch of accepted or erased events that arrived before `before` and whose deliveries are all done.
   * In the same transaction, moves the watermark `purged` of each realm to the newest event purged: an unknown event
   * from before that time may have been handled. The first batch also purges the jobs that ended before that time.
   * @param request.limit how many events to check
   * @param request.after the end of the last batch; undefined starts over
   * @returns how many events were purged, and the end of this batch; `next` is undefined after the last batch
   */
  prune(request: PruneRequest): Promise<{ readonly purged: number; readonly next: number | undefined }>

  /**
   * Calls `wake` when deliveries may be due. This is only a hint: a claimer must also poll.
   * @returns a function that ends the subscription
   */
  onDue(wake: () => void): () => void
}

/** A fact about the place of the store, for the log. */
export interface InboxNote {
  readonly level: 'info' | 'warn'
  readonly message: string
}

/** An authentic request to be stored. */
export type Arrival = AcceptedArrival | QuarantinedArrival

interface ArrivalBase extends EventKey {
  /** The name of the source that read the request. */
  readonly source: string
  /** The exact bytes. */
  readonly body: Uint8Array
  /** The headers that the source needs to read the event. */
  readonly headers: KeptHeaders
  readonly endpoint: string
  readonly receivedAt: Date
  readonly receipt: Receipt
  /** The trace of the request, in the form of the header `traceparent`. Default: none. */
  readonly trace?: string | undefined
}

/** An event. `id` is the id that the sender gave it. */
export interface AcceptedArrival extends ArrivalBase {
  readonly state: 'accepted'
  readonly type: string
  readonly liveMode?: boolean | undefined
  /** As the sender wrote it. */
  readonly createdTime?: string | undefined
  /** The search keys, as `toSearchKeys` returns them. They are stored and deleted with the event. Default: none. */
  readonly about?: readonly string[] | undefined
  /** The id of the resource, as `toResource` returns it. */
  readonly resource?: string | undefined
  readonly deliveries: readonly NewDelivery[]
}

/** An authentic request that is not a valid event. `id` is that of `quarantineIdOf`, so that retries are one row. */
export interface QuarantinedArrival extends ArrivalBase {
  readonly state: 'quarantined'
  /** The field and the rule that it breaks. */
  readonly reason: string
}

/** The event of a quarantined request that is valid now. It keeps the request's realm, source, headers and body. */
export interface Admission {
  /** The quarantined request. */
  readonly request: EventKey
  /** The id of its event, in the same realm. */
  readonly id: string
  readonly type: string
  readonly liveMode?: boolean | undefined
  readonly createdTime?: string | undefined
  /** The search keys. Default: none. */
  readonly about?: readonly string[] | undefined
  /** The id of the resource, as `toResource` returns it. */
  readonly resource?: string | undefined
  readonly deliveries: readonly NewDelivery[]
}

export type AdmitResult = RecordResult | 'unknown_request'

export interface NewDelivery {
  readonly handler: string
  readonly orderKey?: string | undefined
}

/**
 * `conflict`: a duplicate with another body. The inbox keeps the first body. Never a conflict if one of the two was
 * backfilled: the API serialises the event again, so the bytes differ.
 */
export type RecordResult = 'accepted' | 'duplicate' | 'conflict'

/** A handler of one source. It never gets deliveries of another source's events, even under the same name. */
export interface HandlerName {
  readonly name: string
  /** The name of the source whose events it handles. */
  readonly source: string
}

export interface HandlerRecord extends HandlerName {
  readonly pattern: string
  /** True if it has an `orderBy`: only its code can compute the order key of a new delivery. */
  readonly ordered?: boolean | undefined
}

/** A paused handler. */
export interface Pause {
  readonly handler: string
  readonly since: Date
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
  readonly event: StoredEvent
}

/** The result of `recordAndClaim`. */
export interface RecordedAndClaimed {
  /** As those of `record`. */
  readonly results: readonly (RecordResult | RiverhookError)[]
  /** The claim of what was due before. */
  readonly claim: Claim
  /** The new deliveries that were claimed. */
  readonly claimed: readonly NewLease[]
}

/** The lease of a new delivery: its first. */
export interface NewLease extends Lease {
  readonly handler: string
  /** The index of its arrival in the call. */
  readonly arrival: number
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
  /** The trace of the request, in the form of the header `traceparent`. Undefined if there was none. */
  readonly trace?: string | undefined
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

/** An event to remove. */
export interface RemovalTarget extends EventKey {
  /**
   * Its states when its removal was decided. If one has changed since, for example because its dead letter was
   * replayed, the event is kept. A delivery that is due, waits in its line or runs counts as one state. Default: any.
   */
  readonly seen?: EventStates | undefined
}

/** The state of an event, and those of all its deliveries. */
export interface EventStates {
  readonly state: EventState
  readonly deliveries: readonly Pick<DeliverySummary, 'handler' | 'state'>[]
}

export type FlagResult = 'flagged'

/** `running` and `done`: the delivery was skipped. */
export type ReplayResult = 'replayed' | 'created' | 'running' | 'done' | 'unknown_event'

/** `repeated`: this job has replayed the delivery before, or a later one has. */
export type JobReplayResult = ReplayResult | 'repeated'

export interface JobsRequest {
  /** From 1 to 1,000. */
  readonly limit: number
  /** Only jobs with a lower id: the last one of the previous page. */
  readonly before?: number | undefined
}

export interface AddedJob extends Job {
  /** False if the job was added before, with the same idempotency key. */
  readonly isNew: boolean
}

export interface JobClaim {
  /** The name of the process that claims. */
  readonly owner: string
  readonly leaseMs: number
  /** Only this job. */
  readonly id?: number | undefined
}

/** The right to work on a job. */
export interface JobLease {
  readonly id: number
  /** The fencing token: each claim of a job gets a higher one. */
  readonly token: number
  /** From now: each call extends the lease. */
  readonly leaseMs: number
}

/** A job that this process works on. */
export interface ClaimedJob {
  readonly job: Job
  readonly token: number
  /** The position of the last event that is finished: `after` of the next page. */
  readonly cursor: number
}

export interface JobProgress {
  /** The position of the last event that is finished. Default: as it was. */
  readonly cursor?: number | undefined
  /** The job is to replay at least this many deliveries. */
  readonly planned?: number | undefined
  /** To add to the count. */
  readonly skipped?: number | undefined
  /** To add to the count. */
  readonly refused?: number | undefined
  /** The reason for the last refused delivery. */
  readonly error?: string | undefined
}

export interface JobEnd {
  /** `waiting`: another process may continue. */
  readonly state: 'done' | 'failed' | 'waiting'
  readonly error?: string | undefined
}

/** The search keys of an event. */
export interface IndexEntry {
  readonly event: EventKey
  readonly about: readonly string[]
  /** The id of the resource, as `toResource` returns it. */
  readonly resource?: string | undefined
}

export interface EventFilter {
  /** Only events of this id, in any realm. */
  readonly id?: string | undefined
  /**
   * Only events with this search key, such as an order's id, ignoring case. A `*` at the end matches any ending, after
   * at least three characters.
   */
  readonly about?: string | undefined
  readonly realm?: string | undefined
  /** The name of a source. */
  readonly source?: string | undefined
  /** An event type, or a pattern like `order.*`. */
  readonly type?: string | undefined
  /** The path of the endpoint, exactly. */
  readonly endpoint?: string | undefined
  /** True: only live events. False: only test events. Neither has the events of a source that does not say. */
  readonly live?: boolean | undefined
  /** The state of the event (such as `quarantined`) or of one of its deliveries (such as `dead`). */
  readonly state?: EventState | DeliveryState | undefined
  /** Only events with a delivery for this handler. With a delivery state: in that state. */
  readonly handler?: string | undefined
  /**
   * Only events with a dead letter, or a delivery that waits for a retry, whose last error contains this text, ignoring
   * case. With a handler or a state: such a delivery.
   */
  readonly error?: string | undefined
  /**
   * Conditions for fields of the body, such as `data.object.totalAmount>100`, that all hold. Operators are `=`, `!=`,
   * `>`, `<`, `>=`, `<=`, `~` (contains, ignoring case) and `exists`. A list stands for its entries: the condition must
   * hold for one of them, and `!=` for all. Numbers are compared exactly, by all their digits. At most 10.
   */
  readonly where?: readonly string[] | undefined
  /** Received at or after. */
  readonly since?: Date | undefined
  /** Received before. */
  readonly until?: Date | undefined
  /** From 1 to 1,000. */
  readonly limit: number
  /** `next` of the previous page. */
  readonly after?: number | undefined
  /** Only events up to this `position()`. */
  readonly upTo?: number | undefined
  /** True to list events in the order of their arrival. Default false. */
  readonly oldestFirst?: boolean | undefined
}

export interface EventPage {
  readonly events: readonly EventSummary[]
  /** Undefined on the last page. */
  readonly next: number | undefined
  /**
   * How far a search by `error` or `where` came: when the last event that it read arrived. Only if the search was ended
   * after 2 s. The next page continues there.
   */
  readonly searchedTo?: Date | undefined
}

export interface EventSummary extends EventKey {
  readonly source: string
  /** Empty for a quarantined request. */
  readonly type: string
  readonly state: EventState
  readonly liveMode: boolean | undefined
  readonly createdTime: string | undefined
  /** The id of the resource that the event is about, such as an order, as the provider writes it. */
  readonly resource: string | undefined
  readonly endpoint: string
  readonly receivedAt: Date
  /** True if the event was fetched from the provider's API, because its request had not arrived. */
  readonly backfilled: boolean
  /** How many duplicates arrived. */
  readonly duplicates: number
  /** How many duplicates had another body. */
  readonly conflicts: number
  /** Why the request is quarantined. */
  readonly reason: string | undefined
  readonly deliveries: readonly DeliverySummary[]
}

export interface DeliverySummary {
  readonly id: number
  readonly handler: string
  readonly state: DeliveryState
  /** Runs since the delivery was recorded or replayed, including lost runs. */
  readonly attempts: number
  /** Lost runs that do not count for `retry.attempts`, because their process died while other deliveries ran in it. */
  readonly losses: number
  /** When the delivery is due, if it is pending. */
  readonly dueAt: Date | undefined
  readonly orderKey: string | undefined
  /** The name of the process that runs the delivery, if it is running. */
  readonly owner: string | undefined
  readonly lastError: string | undefined
  /** When the delivery became done or dead. */
  readonly settledAt: Date | undefined
  /** The job with the highest id that replayed the delivery. It may have been purged since. */
  readonly jobId: number | undefined
}

/** A delivery whose last attempt failed. */
export interface FailedDelivery {
  readonly event: EventKey
  readonly receivedAt: Date
  readonly handler: string
  /** `pending` or `waiting`: it waits for its retry. */
  readonly state: 'dead' | 'pending' | 'waiting'
  /** The beginning of the error: at most 1,000 characters. */
  readonly error: string
  /** When the attempt ended. */
  readonly failedAt: Date
  /** False if it has only lost runs. */
  readonly hasFailed: boolean
}

/** The deliveries of a realm and a handler that have run without success, and wait for a retry. */
export interface RetryCount {
  readonly realm: string
  readonly handler: string
  /** How many have failed. */
  readonly failed: number
  /** The earliest retry of one that has failed; undefined if there is none, or others are before it in its line. */
  readonly nextAt: Date | undefined
  /** How many have lost runs. */
  readonly lost: number
  /** How many runs these have lost. */
  readonly losses: number
}

export interface EventDetail extends Omit<EventSummary, 'deliveries'> {
  readonly receipt: Receipt
  /** The search keys: the ids and addresses that the event is about, sorted. May be personal data. */
  readonly about: readonly string[]
  readonly body: Uint8Array
  readonly headers: KeptHeaders
  /** The trace of the request, in the form of the header `traceparent`. Undefined if there was none. */
  readonly trace?: string | undefined
  readonly deliveries: readonly DeliveryDetail[]
}

export interface DeliveryDetail extends DeliverySummary {
  readonly attemptLog: readonly AttemptRecord[]
}

/**
 * An attempt that has ended, or a replay, which resets the count of attempts. `lost`: the process died or stalled. Then
 * `startedAt` is the end of its lease.
 */
export interface AttemptRecord {
  readonly attempt: number
  readonly state: Outcome['state'] | 'replayed'
  readonly startedAt: Date
  readonly endedAt: Date
  readonly error: string | undefined
}

/** Counts of events, and of their deliveries by state. */
export interface EventCounts {
  readonly events: number
  readonly quarantined: number
  readonly backfilled: number
  readonly duplicates: number
  readonly conflicts: number
  readonly deliveries: Readonly<Record<DeliveryState, number>>
}

export interface InboxStats extends EventCounts {
  /** Sorted by realm. */
  readonly byRealm: readonly ({ readonly realm: string } & EventCounts)[]
  readonly byHandler: readonly ({ readonly handler: string } & Readonly<Record<DeliveryState, number>>)[]
  /** As in `Backlog`. */
  readonly oldestDueAt: Date | undefined
}

export interface InboxLevels {
  /** The deliveries that are not done, sorted by handler. Handlers without such deliveries may be missing. */
  readonly byHandler: readonly HandlerLevels[]
  /** As in `Backlog`. */
  readonly oldestDueAt: Date | undefined
  /** How many requests are quarantined. */
  readonly quarantined: number
  /** When the oldest event arrived; undefined if there is none. */
  readonly oldestEventAt: Date | undefined
  /** The size of the store in bytes; undefined if it has none. */
  readonly sizeBytes: number | undefined
}

/** The deliveries of a handler that are not done. */
export interface HandlerLevels extends Readonly<Record<OpenState, number>> {
  readonly handler: string
  /** When its longest overdue delivery fell due, also if the handler is paused; undefined if nothing is overdue. */
  readonly oldestDueAt: Date | undefined
}

/** How long the newest attempts of a handler took, in milliseconds. */
export interface AttemptLengths {
  readonly handler: string
  /** Of how many attempts: at most 500. */
  readonly attempts: number
  /** Half of them took at most this long. */
  readonly p50Ms: number
  /** 95 % of them took at most this long. */
  readonly p95Ms: number
}

export interface Backlog {
  /** When the longest overdue delivery fell due; undefined if nothing is overdue. Excludes paused handlers. */
  readonly oldestDueAt: Date | undefined
  /** The free part of the store, from 0 to 1: of its disk, or of its size limit if that is less. Absent if unknown. */
  readonly freeShare?: number | undefined
}

/** A kind of mismatch: realm, event type, place and rule. Never contains a value. */
export interface MismatchKind {
  readonly realm: string
  readonly type: string
  /**
   * The place in the payload, such as `data.object.items[].sku`. All entries of a list are one place. Empty for the
   * event type itself.
   */
  readonly path: string
  /** The rule that the payload breaks: `type`, `enum`, `required` ..., or `unknown_type`. */
  readonly rule: string
  /** The handler whose schema it is; empty for the provider's schema. */
  readonly handler: string
}

export interface Mismatch extends MismatchKind {
  readonly count: number
  readonly firstAt: Date
  readonly lastAt: Date
  /** The id of the last event with this mismatch. */
  readonly eventId: string
  /** When a person acknowledged the kind: since then, it is no cause for a warning. `flag` sets it for a new kind. */
  readonly acknowledgedAt?: Date | undefined
}

/** The time up to which something of a realm was read or purged. */
export interface Watermark {
  readonly realm: string
  readonly name: string
  readonly at: Date
}

export interface AuditFilter {
  /** From 1 to 1,000. */
  readonly limit: number
  /** `next` of the previous page. */
  readonly after?: number | undefined
  /** Done at or after. */
  readonly since?: Date | undefined
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[]
  /** Undefined on the last page. */
  readonly next: number | undefined
}

export interface AuditPruneRequest {
  readonly before: Date
  readonly limit: number
}

export interface PruneRequest {
  readonly before: Date
  readonly limit: number
  readonly after?: number | undefined
}

export interface AlarmHold {
  /** The name of the process. */
  readonly owner: string
  readonly leaseMs: number
}

export interface HeldAlarms {
  /** The fencing token; undefined if another process has the right. */
  readonly token: number | undefined
  /** The state that was stored last. */
  readonly state: string | undefined
}

export interface AlarmSave {
  readonly token: number
  /** From now; 0 gives the right up. */
  readonly leaseMs: number
  readonly state: string
}

export interface PruneTallyRequest {
  /** Delete rows of hours before this time. */
  readonly deleteBefore: Date
  /** Fold rows of hours before this time. */
  readonly foldBefore: Date
  /** The most rows to delete or to fold. */
  readonly limit: number
}
