import type { Act } from '../../model/audit.ts'
import type { DeliveryState, EventKey, EventState, KeptHeaders, Outcome, Receipt } from '../../model/event.ts'

/** Stored events: how they are found, copied, removed and erased. Part of `Inbox`. */
export interface InboxEvents {
  /** Lists a page of events, newest first unless the filter has `oldestFirst`. */
  events(filter: EventFilter): Promise<EventPage>

  /** Finds one event with all its details. */
  event(key: EventKey): Promise<EventDetail | undefined>

  /** Returns the position of the newest event: `upTo` of a filter that leaves out what arrives later. 0 if empty. */
  position(): Promise<number>

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
   * seen, and erased ones: without its row, an erased event would come back with a retry or a backfill.
   * @returns how many events were removed
   */
  remove(targets: readonly RemovalTarget[], act?: Act): Promise<number>

  /**
   * Erases the personal data of events: body, headers, search keys, resource, order keys, errors, and the reason of a
   * quarantined request. Each event stays, as `erased`, with its id, type and times: if it arrives again, it is a
   * duplicate, never a conflict. Deletes its deliveries that are not done. Skips events with a running delivery, those
   * whose states are not as they were seen, and those that are erased already.
   * @returns how many events were erased
   */
  erase(targets: readonly RemovalTarget[], act?: Act): Promise<number>

  /**
   * Removes what is left in the files of the store of data that was deleted or erased.
   * @returns how a person removes the rest; undefined if nothing is left
   */
  scrub(): Promise<string | undefined>

  /**
   * Purges one small batch of old events. An event with a delivery that is due, waits in its line or runs is kept. In
   * the same transaction, moves the watermark `purged` of each realm to the newest event purged: an unknown event from
   * before that time may have been handled. A quarantined request was not handled, so it does not move the watermark.
   * The first batch also purges the jobs that ended before `before`.
   */
  prune(request: PruneRequest): Promise<PruneResult>
}

/** An event to remove or to erase. */
export interface RemovalTarget extends EventKey {
  /**
   * Its states when this was decided. If one has changed since, for example because its dead letter was replayed, the
   * event is left as it is. A delivery that is due, waits in its line or runs counts as one state. Default: any.
   */
  readonly seen?: EventStates | undefined
}

/** The state of an event, and those of all its deliveries. */
export interface EventStates {
  readonly state: EventState
  readonly deliveries: readonly Pick<DeliverySummary, 'handler' | 'state'>[]
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

export interface EventDetail extends Omit<EventSummary, 'deliveries'> {
  readonly receipt: Receipt
  /** The search keys: the ids and addresses that the event is about, sorted. May be personal data. */
  readonly about: readonly string[]
  readonly body: Uint8Array
  readonly headers: KeptHeaders
  /** The trace of the request, as `packTrace` returned it. Undefined if there was none. */
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

export interface PruneRequest {
  /** Purge accepted and erased events that arrived before this time and whose deliveries are all done. */
  readonly before: Date
  /**
   * Purge also events with dead letters or parked deliveries and no other open ones, if they arrived before this time,
   * and these became dead, or were due, before this time. At most `before`. Default: none.
   */
  readonly deadBefore?: Date | undefined
  /** Purge also quarantined requests that arrived before this time. At most `before`. Default: none. */
  readonly quarantinedBefore?: Date | undefined
  /** How many events to check. */
  readonly limit: number
  /** The end of the last batch; undefined starts over. */
  readonly after?: number | undefined
}

export interface PruneResult {
  /** How many events were purged. */
  readonly purged: number
  /** How many of them had dead letters or parked deliveries. */
  readonly dead: number
  /** How many of them were quarantined requests. */
  readonly quarantined: number
  /** The end of this batch; undefined after the last one. */
  readonly next: number | undefined
}
