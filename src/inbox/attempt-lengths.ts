import type { AttemptLengths } from './inbox.ts'

// Shared by the engines.

/** The most attempts of one handler whose lengths are read: its newest ones. */
export const mostAttempts = 500

/** The most failed attempts, of all handlers, among which those of a handler are found. */
export const mostFailedAttempts = 2_000

/** A successful or failed attempt. Times are in milliseconds since the epoch. */
export interface TimedAttempt {
  readonly handler: string
  readonly startedAt: number
  readonly endedAt: number
}

/** Summarizes the newest attempts of each handler, sorted by name. */
export function summarizeLengths(attempts: readonly TimedAttempt[]): AttemptLengths[] {
  return [...Map.groupBy(attempts, ({ handler }) => handler)]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([handler, ofHandler]) => {
      const newest = ofHandler.toSorted((one, other) => other.endedAt - one.endedAt).slice(0, mostAttempts)
      const lengths = newest.map(({ startedAt, endedAt }) => Math.max(0, endedAt - startedAt)).sort((a, b) => a - b)
      const percentile = (share: number): number => lengths[Math.ceil(lengths.length * share) - 1] ?? 0
      return { handler, attempts: lengths.length, p50Ms: percentile(0.5), p95Ms: percentile(0.95) }
    })
}
