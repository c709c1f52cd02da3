import type { RiverhookError } from '../model/errors.ts'
import type {
  DeliveryState,
  EventKey,
  EventState,
  InboxTransaction,
  KeptHeaders,
  Outcome,
  Receipt
} from '../model/event.ts'

/**
 * CONTRACT 2. The durable store of events and deliveries. Every engine keeps it, and one suite
 * (`test/inbox/contract.ts`) holds every engine to it.
 *
 * What an engine promises:
 * - What `record` and `settle` have answered survives any crash of this process (`memory` excepted).
 * - Each call is one transaction: all of it or nothing. A call that cannot be carried out rejects with
 *   RIVERHOOK_INBOX_UNAVAILABLE, leaves nothing behind, and may be made again; the engine recovers by itself.
 * - A delivery has one holder at a time. `claim` gives it out under a lease with a new fencing token;
 *   `settle` and `extend` with any other token change nothing and say so.
 * - A lease that ends without being settled means a lost run: its process died or stalled. The next `claim` gives the
 *   delivery out with `lost`, and the claimer settles it: as `lost`, so that it comes back after a pause, or as dead.
 *   Lost runs are counted apart from attempts that failed, since what died with a process is rarely what killed it.
 * - An event is identified by its realm and its id. Equal ids in two realms are two events, and nothing that is done to
 *   one of them changes the other.
 * - Deliveries of one realm and one handler with one order key are given out one at a time. Of those that are due or
 *   wait, the one whose event arrived first is given out first, however and whenever they were put in line; one that
 *   is parked keeps back those that arrived after it. A failed delivery that lets others overtake is out of the line
 *   until it is due again.
 *
 * Several processes may use one inbox where the engine allows it, so nothing here relies on the caller's memory.
 */
export interface Inbox {
  /** The engine's name in logs: `memory`, `sqlite`, `postgres`. */
  readonly name: string

  /**
   * Opens the store: creates it, or migrates it to this version.
   * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE, RIVERHOOK_INBOX_VERSION; a fault that may pass
   * (disk full, file corrupt) does not fail the opening: calls reject until it has passed.
   */
  open(): Promise<void>

  /** What the last `open()` found that an operator should know, to be logged. */
  notes?(): readonly InboxNote[]

  /**
   * The other servers that have this inbox now, by what they call themselves. An engine whose store has one server at
   * a time, which keeps others out, has none.
   */
  servers?(): Promise<readonly string[]>

  /** Ends all waiting calls, then releases the store. Leases of this process end with it. Safe to call twice. */
  close(): Promise<void>

  /**
   * Stores arrivals with their deliveries in one transaction, on disk when the promise resolves.
   * @returns one result for each arrival, in order; a duplicate within one call is seen as such. An error stands for
   * one that could not be stored while others could: an engine may part them, so that they do not suffer for it
   */
  record(arrivals: readonly Arrival[]): Promise<readonly (RecordResult | RiverhookError)[]>

  /** Which of these event ids the realm has. At most 1,000 per call. */
  known(realm: string, ids: readonly string[]): Promise<ReadonlySet<string>>

  /** The time by the clock that the store goes by: with several machines, the database's. */
  now(): Promise<Date>

  /** How far something has been read, such as the provider's list of events; undefined: never. */
  watermark(realm: string, name: string): Promise<Date | undefined>

  /** All watermarks of all realms. */
  watermarks(): Promise<readonly Watermark[]>

  /**
   * Moves a watermark of the realm forward, to `now()` at most. Keeps one that is already further, so that two
   * processes cannot set each other back. Replaces one that lies in the future: a wrong clock wrote it.
   */
  advance(realm: string, name: string, to: Date): Promise<void>

  /**
   * Adds to the counts of disagreements between payloads and what is known of them.
   * @returns one result for each, in order; an error where it alone can never be stored, and the others were
   */
  flag(drifts: readonly Mismatch[]): Promise<readonly (FlagResult | RiverhookError)[]>

  /** Every kind of disagreement that was flagged in any realm, the latest first. At most 1,000. */
  drifts(): Promise<readonly Mismatch[]>

  /**
   * Stores the complete list of handlers, of all sources. Parks unsettled deliveries that no handler of their name and
   * their event's source is for; a running one is parked after its lease has run out. Makes parked deliveries of these
   * handlers due again. A command in another process can read the list.
   */
  adopt(handlers: readonly HandlerRecord[]): Promise<{ readonly parked: number; readonly resumed: number }>

  /** The handlers last adopted. */
  handlers(): Promise<readonly HandlerRecord[]>

  /**
   * Gives out due deliveries under a lease: by handler in the order asked, the longest due first. Suspects, whose
   * last run was lost, are left out; a delivery whose lease has run out is given out with `lost`, whatever is known
   * of it, and its attempt is not counted again.
   */
  claim(request: ClaimRequest): Promise<Claim>

  /** The suspects of these handlers that are due, the longest due first. At most 100. */
  suspects(handlers: readonly HandlerName[]): Promise<readonly Suspect[]>

  /** Gives out those of these deliveries that are due and first in the line of their order key. */
  claimSuspects(request: ClaimSuspectsRequest): Promise<readonly ClaimedDelivery[]>

  /**
   * Extends leases by `leaseMs` from now.
   * @param onLoss notes what it means from now on if one of these runs is lost; undefined leaves that as it is
   * @returns the ids of the deliveries whose lease was no longer held
   */
  extend(leases: readonly Lease[], leaseMs: number, onLoss?: OnLoss): Promise<readonly number[]>

  /**
   * Runs `work` in the transaction that settles the delivery as done: what it writes with the client and the
   * delivery's end are committed together, or neither is. Only engines whose store the merchant can write to have it.
   * @param signal ends it, also while it waits for a connection: what was written is rolled back. Once `work` has
   * ended it is committed or not, whatever the signal
   * @returns what `work` gives, when it is committed
   * @throws what `work` throws, or the signal's reason, and nothing is committed; RIVERHOOK_DELIVER_LEASE_LOST,
   * RIVERHOOK_DELIVER_TRANSACTION, and nothing is committed together; RIVERHOOK_INBOX_UNAVAILABLE, and where the
   * connection was lost at the very end nobody knows: the token decides what a later settle() does
   */
  transact?<Result>(
    held: HeldDelivery,
    work: (client: InboxTransaction) => Promise<Result>,
    signal?: AbortSignal
  ): Promise<Result>

  /**
   * Stores how attempts ended.
   * @returns for each, in order, whether the token still held it; an error where it alone can never be stored, and
   * the others were
   */
  settle(settlements: readonly Settlement[]): Promise<readonly (SettleResult | RiverhookError)[]>

  /**
   * Makes deliveries due now with their attempts counted from zero, whatever their state, and creates those that do
   * not exist yet. One that is running is left alone. All are in line, by the arrival of their events, before any of
   * them is given out.
   * @returns one result for each, in order; an error where it alone can never be stored: it stays as it was, and the
   * others were replayed one after the other
   */
  replay(targets: readonly ReplayTarget[]): Promise<readonly (ReplayResult | RiverhookError)[]>

  /**
   * Accepts quarantined requests that can be read by now. Each becomes its event where it is, in the order of
   * arrival, and its deliveries are in line before any of them is given out. Where the id is known, the one that is
   * known stands: a `duplicate` is removed, and a `conflict` stays quarantined.
   * @returns one result for each, in order; an error where it alone can never be stored: it stays quarantined, and
   * the others were admitted one after the other
   */
  admit(requests: readonly Admission[]): Promise<readonly (AdmitResult | RiverhookError)[]>

  /** A page of events, newest first unless asked otherwise. */
  events(filter: EventFilter): Promise<EventPage>

  /** One event with everything that is known of it. */
  event(key: EventKey): Promise<EventDetail | undefined>

  /**
   * Stores events as they were in another inbox: what was done stays done, what was due is due, and a running
   * delivery, whose process is over there, is due with its attempt counted. Events that are known, by realm and id,
   * are left alone.
   * @returns how many were stored
   */
  restore(events: readonly EventDetail[]): Promise<number>

  /**
   * Removes events with their deliveries, whatever their state, those with a running delivery excepted. @returns how
   * many
   */
  remove(keys: readonly EventKey[]): Promise<number>

  /** Counts, for people; may take a while on a large inbox. */
  stats(): Promise<InboxStats>

  /**
   * For health checks: proves that a write of some size can be committed now, and tells how old the backlog is. Cheap
   * enough to be called every second.
   */
  probe(): Promise<Backlog>

  /**
   * Purges one small batch of accepted events that arrived before `before` and whose deliveries are all done. In the
   * same transaction it moves the watermark `purged` of each realm to the newest event purged from that realm: an
   * unknown event from before that time may have been handled.
   * @param request.limit how many events to look at
   * @param request.after where the last batch ended; undefined starts over
   * @returns how many were purged, and where to continue; `next` is undefined at the end
   */
  prune(request: PruneRequest): Promise<{ readonly purged: number; readonly next: number | undefined }>

  /**
   * Calls `wake` when deliveries may have become due in this process. Only a hint: a claimer also polls.
   * @returns a function that ends the subscription
   */
  onDue(wake: () => void): () => void
}

/** Something about the place of the store, for the log. */
export interface InboxNote {
  readonly level: 'info' | 'warn'
  readonly message: string
}

/** An authentic request that is to be stored. */
export type Arrival = AcceptedArrival | QuarantinedArrival

interface ArrivalBase extends EventKey {
  /** The name of the source that read the request. */
  readonly source: string
  /** The exact bytes. */
  readonly body: Uint8Array
  /** The headers that the source needs to read the body again. */
  readonly headers: KeptHeaders
  readonly endpoint: string
  readonly receivedAt: Date
  readonly receipt: Receipt
}

/** `id` is the event's own. An arrival whose realm and id are known is a duplicate. */
export interface AcceptedArrival extends ArrivalBase {
  readonly state: 'accepted'
  readonly type: string
  readonly liveMode?: boolean | undefined
  /** As the sender wrote it. */
  readonly createdTime?: string | undefined
  readonly deliveries: readonly NewDelivery[]
}

/**
 * Authentic, but not an event that could be accepted. `id` is that of `quarantineIdOf`, so that retries are one row.
 */
export interface QuarantinedArrival extends ArrivalBase {
  readonly state: 'quarantined'
  /** Why: names the field and the rule. */
  readonly reason: string
}

/** What a quarantined request is now. Its event keeps the request's realm, source, headers and body. */
export interface Admission {
  /** The request in quarantine. */
  readonly request: EventKey
  /** The id of its event, in the same realm. */
  readonly id: string
  readonly type: string
  readonly liveMode?: boolean | undefined
  readonly createdTime?: string | undefined
  readonly deliveries: readonly NewDelivery[]
}

export type AdmitResult = RecordResult | 'unknown_request'

export interface NewDelivery {
  readonly handler: string
  readonly orderKey?: string | undefined
}

/**
 * `conflict`: the realm knows the id with another body. The first body stands; it counts as a duplicate too. A
 * backfilled event is written anew by the provider's API, so that its bytes differ is no conflict.
 */
export type RecordResult = 'accepted' | 'duplicate' | 'conflict'

/**
 * A handler of one source. Deliveries of another source's events are never given to it, whatever their handler's name.
 */
export interface HandlerName {
  readonly name: string
  /** The name of the source whose events it handles. */
  readonly source: string
}

export interface HandlerRecord extends HandlerName {
  readonly pattern: string
  /** It has an `orderBy`: only its code can tell the order key of a new delivery. */
  readonly ordered?: boolean | undefined
}

export interface ClaimRequest {
  /** Names the process that claims. */
  readonly owner: string
  readonly leaseMs: number
  /** What there is room for. */
  readonly wants: readonly Want[]
  /** At most so many in all. */
  readonly limit: number
}

/** Room for deliveries of one handler. */
export interface Want {
  readonly handler: string
  /** The source of the handler: see `HandlerName`. */
  readonly source: string
  readonly limit: number
}

/**
 * What it means when a run is lost. `nothing`: its process was being shut down. `loss`: others ran beside it, so it
 * may be innocent. `attempt`: it ran alone, so it counts as a failed attempt.
 */
export type OnLoss = 'nothing' | 'loss' | 'attempt'

/** A delivery that is due and whose last run, or last runs, were lost. */
export interface Suspect {
  readonly id: number
  readonly handler: string
  /** How many of its runs were lost in a row, from 1. */
  readonly suspicion: number
}

export interface ClaimSuspectsRequest {
  /** Names the process that claims. */
  readonly owner: string
  readonly leaseMs: number
  readonly ids: readonly number[]
  readonly onLoss: OnLoss
}

export interface Claim {
  readonly deliveries: readonly ClaimedDelivery[]
  /** When the next delivery of the handlers asked for falls due, as far as is known; undefined when none is pending. */
  readonly nextDueAt: Date | undefined
  /** Deliveries that were removed, since their event is gone: somebody deleted it from the store by hand. */
  readonly orphans?: readonly Orphan[]
}

export interface Orphan {
  readonly id: number
  readonly handler: string
}

export interface Lease {
  readonly id: number
  /** The fencing token: every claim of a delivery has a higher one than the claim before. */
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
  /** Counted from 1, lost runs included; this claim included, unless `lost` is there. */
  readonly attempt: number
  /** How many of its attempts were lost and do not count for `retry.attempts`. */
  readonly losses: number
  /** How many of its runs were lost in a row, up to now. */
  readonly suspicion: number
  /** Its lease ran out: this run is lost, and is to be settled, not made. */
  readonly lost?: LostRun | undefined
  readonly event: StoredEvent
}

/** A run whose lease ran out. */
export interface LostRun {
  /** The process that had it. */
  readonly owner: string | undefined
  /** When its lease ended. When its process died nobody knows. */
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
}

export interface Settlement extends Lease {
  readonly outcome: Outcome
  readonly startedAt: Date
  readonly endedAt: Date
}

/** `stale`: the token no longer holds the delivery, and nothing was changed. */
export type SettleResult = 'settled' | 'stale'

export interface ReplayTarget {
  readonly event: EventKey
  readonly handler: string
  /** Used where the delivery is created. */
  readonly orderKey?: string | undefined
  /** Leaves it alone where it is done by now. Default false. */
  readonly unlessDone?: boolean | undefined
  /**
   * Makes it due so many milliseconds later. Until then it keeps its place, and others of its order key wait behind
   * it. Default 0.
   */
  readonly dueInMs?: number | undefined
}

export type FlagResult = 'flagged'

/** `running`, `done`: left alone. */
export type ReplayResult = 'replayed' | 'created' | 'running' | 'done' | 'unknown_event'

export interface EventFilter {
  /** Only events of this id, in whatever realm. */
  readonly id?: string | undefined
  readonly realm?: string | undefined
  /** The name of a source. */
  readonly source?: string | undefined
  /** An event type, or a pattern like `order.*`. */
  readonly type?: string | undefined
  /** The state of the event (`quarantined`) or of any of its deliveries (`dead`). */
  readonly state?: EventState | DeliveryState | undefined
  /** Only events with a delivery to this handler; together with a delivery state, a delivery in that state. */
  readonly handler?: string | undefined
  /** Received at or after. */
  readonly since?: Date | undefined
  /** Received before. */
  readonly until?: Date | undefined
  /** From 1 to 1,000. */
  readonly limit: number
  /** `next` of the page before. */
  readonly after?: number | undefined
  /** In the order of their arrival. Default false. */
  readonly oldestFirst?: boolean | undefined
}

export interface EventPage {
  readonly events: readonly EventSummary[]
  /** Undefined on the last page. */
  readonly next: number | undefined
}

export interface EventSummary extends EventKey {
  readonly source: string
  /** Empty for a quarantined request. */
  readonly type: string
  readonly state: EventState
  readonly liveMode: boolean | undefined
  readonly createdTime: string | undefined
  readonly endpoint: string
  readonly receivedAt: Date
  /** It was fetched from the provider's API: its request had not reached us. */
  readonly backfilled: boolean
  /** How many more times the id arrived. */
  readonly duplicates: number
  /** How many of those had another body. */
  readonly conflicts: number
  /** Why it is quarantined. */
  readonly reason: string | undefined
  readonly deliveries: readonly DeliverySummary[]
}

export interface DeliverySummary {
  readonly id: number
  readonly handler: string
  readonly state: DeliveryState
  /** Runs since it was recorded or replayed, lost ones included. */
  readonly attempts: number
  /**
   * How many of the attempts were lost and do not count for `retry.attempts`: their process died while other
   * deliveries ran in it.
   */
  readonly losses: number
  /** When it is due, while it is pending. */
  readonly dueAt: Date | undefined
  readonly orderKey: string | undefined
  /** The process that runs it, while it is running. */
  readonly owner: string | undefined
  readonly lastError: string | undefined
  /** When it became done or dead. */
  readonly settledAt: Date | undefined
}

export interface EventDetail extends Omit<EventSummary, 'deliveries'> {
  readonly receipt: Receipt
  readonly body: Uint8Array
  readonly headers: KeptHeaders
  readonly deliveries: readonly DeliveryDetail[]
}

export interface DeliveryDetail extends DeliverySummary {
  readonly attemptLog: readonly AttemptRecord[]
}

/**
 * One attempt as it ended; `lost` when its process died or stalled, and then `startedAt` is when its lease ran out;
 * or a replay, which sets the count of attempts back to zero.
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
  readonly oldestDueAt: Date | undefined
}

export interface Backlog {
  /** When the longest overdue delivery fell due; undefined when nothing is overdue. */
  readonly oldestDueAt: Date | undefined
}

/** One kind of disagreement: realm, event type, place and rule; never a value. */
export interface MismatchKind {
  readonly realm: string
  readonly type: string
  /**
   * In the payload, such as `data.object.items[].sku`; every index of a list is one place. Empty for the event type
   * itself.
   */
  readonly path: string
  /** Which rule did not hold: `type`, `enum`, `required` ..., or `unknown_type`. */
  readonly rule: string
  /** Whose schema it is; empty for the provider's. */
  readonly handler: string
}

export interface Mismatch extends MismatchKind {
  readonly count: number
  readonly firstAt: Date
  readonly lastAt: Date
  /** The id of an event of the realm in which it was seen last. */
  readonly eventId: string
}

/** How far something of a realm has been read or purged. */
export interface Watermark {
  readonly realm: string
  readonly name: string
  readonly at: Date
}

export interface PruneRequest {
  readonly before: Date
  readonly limit: number
  readonly after?: number | undefined
}
