export const minuteMs = 60_000

/** Converts milliseconds since the epoch to minutes. */
export function toMinute(ms: number): number {
  return Math.floor(ms / minuteMs)
}

/** The kinds of counts: recorded requests, ended attempts, and refused requests. */
export const tallyKinds = ['event', 'attempt', 'request'] as const

export type TallyKind = (typeof tallyKinds)[number]

/** How often something had one outcome within a minute or an hour. */
export interface TallyRow {
  /** The beginning of the minute or the hour. */
  readonly at: Date
  readonly kind: TallyKind
  /**
   * `event`: the event type, empty for a quarantined request. Types come from senders, so one process counts at most
   * 200 in a minute; all others are `other`. `attempt`: the handler. `request`: the path of the endpoint.
   */
  readonly name: string
  /**
   * - `event`: `accepted`, `backfilled` (a new event that a backfill fetched), `duplicate`, `conflict` or `quarantined`
   * - `attempt`: `done`, `retry`, `dead`, `lost`, `released` or `parked`, as in the log of attempts
   * - `request`: the code of the refusal
   */
  readonly outcome: string
  readonly count: number
  /** How long the attempts ran in total, in milliseconds. Does not include lost runs. 0 for other kinds. */
  readonly totalMs: number
  /** The longest of them, in milliseconds. */
  readonly maxMs: number
}

export interface TallyQuery {
  /** Includes the whole minute or hour of this time. */
  readonly since: Date
  /** Excludes minutes and hours that begin at this time or later. */
  readonly until: Date
  /** Minutes are kept for two days. Before that, `minute` returns hours too. */
  readonly step: 'minute' | 'hour'
  readonly kind?: TallyKind | undefined
  readonly name?: string | undefined
}

/** How many requests an endpoint refused for one reason, within one minute. */
export interface RefusedRequests {
  /** The path of the endpoint. */
  readonly endpoint: string
  /** The code of the refusal. */
  readonly code: string
  /** A time within the minute. */
  readonly at: Date
  readonly count: number
}
