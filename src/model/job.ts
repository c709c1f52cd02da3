import type { Actor } from './audit.ts'
import type { DeliveryState, EventKey, EventState } from './event.ts'

/** Selects the deliveries of a replay. All conditions must hold. */
export interface ReplayFilter {
  /** Only these events: from 1 to 200. */
  readonly events?: readonly EventKey[] | undefined
  /** Only events of this id; in every realm, unless `realm` is given. */
  readonly id?: string | undefined
  /** Only events with this search key, or with one that begins with this text: see `EventFilter`. */
  readonly about?: string | undefined
  readonly realm?: string | undefined
  /** The name of a source. */
  readonly source?: string | undefined
  /** An event type or a pattern such as `order.*`. */
  readonly type?: string | undefined
  /** The path of the endpoint, exactly. */
  readonly endpoint?: string | undefined
  /** True: only live events. False: only test events: see `EventFilter`. */
  readonly live?: boolean | undefined
  /** Only deliveries in this state. Without it, missing deliveries are selected too. */
  readonly state?: DeliveryState | EventState | undefined
  readonly handler?: string | undefined
  /** Only dead letters and deliveries that wait for a retry, whose last error contains this text: see `EventFilter`. */
  readonly error?: string | undefined
  /** Only events whose body fulfils all these conditions: see `EventFilter`. */
  readonly where?: readonly string[] | undefined
  /** Received at or after. */
  readonly since?: Date | undefined
  /** Received before. */
  readonly until?: Date | undefined
  /** True to select done deliveries too: their handlers run again. Default false, unless `state` is `done`. */
  readonly includeDone?: boolean | undefined
}

/** Hides the values of `about`, `error` and `where`, which may be e-mail addresses or names. */
export function hideAbout<Filter extends Pick<ReplayFilter, 'about' | 'error' | 'where'>>(filter: Filter): Filter {
  return {
    ...filter,
    ...(filter.about !== undefined && { about: '...' }),
    ...(filter.error !== undefined && { error: '...' }),
    ...(filter.where !== undefined && { where: filter.where.map(() => '...') })
  }
}

/** Restores the times of a filter that was stored as JSON. */
export function reviveFilter({ since, until, ...filter }: ReplayFilter): ReplayFilter {
  return {
    ...filter,
    ...(since !== undefined && { since: new Date(since) }),
    ...(until !== undefined && { until: new Date(until) })
  }
}

/**
 * `waiting`: no process has it. `running`: a process has it under a lease. `stopped`: it was stopped, and is not
 * continued. `failed`: it cannot be completed, and `error` says why.
 */
export type JobState = 'waiting' | 'running' | 'stopped' | 'done' | 'failed'

/** The work of a job. */
export interface NewJob {
  readonly kind: 'replay'
  /** Once the job has ended, the values of `about`, `error` and `where` are `...`: see `hideAbout`. */
  readonly filter: Omit<ReplayFilter, 'includeDone'>
  readonly includeDone: boolean
  /** The position of the last event: events that arrive after it are not replayed. */
  readonly upTo: number
  /** At most this many deliveries, of the oldest events. Default: all. */
  readonly limit?: number | undefined
  /** Default: as fast as possible. */
  readonly ratePerSecond?: number | undefined
  /** How many deliveries it is expected to replay: at least, if they were too many to count. */
  readonly planned: number
  /** The person or program that started it. */
  readonly actor: Actor
  /** No other job is added with this key. */
  readonly idempotencyKey?: string | undefined
  /** The trace of the call that started it, as `packTrace` returns it. Default: none. */
  readonly trace?: string | undefined
  /** With an idempotency key: a digest of the values of `about`, `error` and `where`, made with the inbox's key. */
  readonly hiddenDigest?: string | undefined
  /** The values of `about`, `error` and `where`, encrypted, until the job has ended. Then the filter has others. */
  readonly hidden?: string | undefined
}

/** A replay that is made in batches. It continues in another process if its process ends. */
export interface Job extends NewJob {
  /** Never used again. */
  readonly id: number
  readonly state: JobState
  /** How many deliveries were made due again. */
  readonly replayed: number
  /** How many deliveries were created, of handlers that were added after their event arrived. */
  readonly created: number
  /** How many deliveries were not replayed because they run, are done, or have no handler; counted in steps. */
  readonly skipped: number
  /** How many deliveries the inbox refused, for example by a trigger of the database: `error` has the last reason. */
  readonly refused: number
  /** The name of the process that runs it. */
  readonly owner: string | undefined
  readonly createdAt: Date
  readonly startedAt: Date | undefined
  readonly endedAt: Date | undefined
  readonly error: string | undefined
}
