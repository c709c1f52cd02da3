import type { CountedRequests, TallyQuery, TallyRow } from '../../model/tally.ts'

/** The tally: how often each outcome occurred. Part of `Inbox`. */
export interface InboxTally {
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
   * Stores counts of another inbox's tally. If a count of the same minute, kind, name and outcome is there, keeps the
   * larger one, so a copy can be repeated.
   */
  restoreTally(rows: readonly TallyRow[]): Promise<void>

  /**
   * Prunes a small batch of the tally: deletes old rows, and folds the minutes before a time into their hours.
   * @returns true if there may be more
   */
  pruneTally(request: PruneTallyRequest): Promise<boolean>
}

export interface PruneTallyRequest {
  /** Delete rows of hours before this time. */
  readonly deleteBefore: Date
  /** Fold rows of hours before this time. */
  readonly foldBefore: Date
  /** The most rows to delete or to fold. */
  readonly limit: number
}
