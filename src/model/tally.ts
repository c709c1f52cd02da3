export const minuteMs = 60_000

/** Converts milliseconds since the epoch to minutes. */
export function toMinute(ms: number): number {
  return Math.floor(ms / minuteMs)
}

/** The kinds of counts: recorded requests, ended attempts, and answered requests. */
export const tallyKinds = ['event', 'attempt', 'request'] as const

/**
 * The properties of a request that are counted in addition to the code of a refusal. `answered`: every request.
 * `authentic`: its credentials are right. `slow`: answered after more than 2 s. `skewed`: its signed time differs from
 * this machine's clock by more than a minute. `late`: it has a new event that was created more than an hour before.
 */
export const requestNotes = ['answered', 'authentic', 'slow', 'skewed', 'late'] as const

export type RequestNote = (typeof requestNotes)[number]

export type TallyKind = (typeof tallyKinds)[number]

export function isRequestNote(outcome: string): outcome is RequestNote {
  return (requestNotes as readonly string[]).includes(outcome)
}

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
   * - `request`: the code of the refusal; and for the alarms, which of `requestNotes` apply to it
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

/** How many requests an endpoint answered with one outcome, within one minute. */
export interface CountedRequests {
  /** The path of the endpoint. */
  readonly endpoint: string
  /** The code of the refusal, or a `RequestNote`. */
  readonly outcome: string
  /** A time within the minute. */
  readonly at: Date
  readonly count: number
}
