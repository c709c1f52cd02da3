import type { DeliveryState, EventKey, OpenState } from '../../model/event.ts'

/** Counts and lengths: what there is, what is left to do, and what fails. Part of `Inbox`. */
export interface InboxCounts {
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
   * Lists deliveries whose last attempt failed: dead letters, and those that wait for a retry. Those of the newest
   * events come first.
   */
  failed(request: { readonly limit: number }): Promise<readonly FailedDelivery[]>

  /** Counts the deliveries that wait for a retry, by realm and handler. Takes longer the more deliveries fail. */
  retries(): Promise<readonly RetryCount[]>

  /**
   * For health checks: checks that a write of more than a few bytes can be committed, and returns the age of the
   * backlog. Cheap enough to be called every second.
   */
  probe(): Promise<Backlog>
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
