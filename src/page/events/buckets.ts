import type { SeriesJson } from '../../admin/api-types.ts'

/** The outcomes of a kind from the bottom of the stack to its top, each with its look. */
export const outcomes = {
  event: [
    { name: 'accepted', label: 'Accepted', tone: 'good' },
    { name: 'backfilled', label: 'Backfilled', tone: 'info' },
    { name: 'duplicate', label: 'Duplicates', tone: 'quiet' },
    { name: 'conflict', label: 'Conflicts', tone: 'bad' },
    { name: 'quarantined', label: 'Quarantined', tone: 'warn' }
  ],
  attempt: [
    { name: 'done', label: 'Done', tone: 'good' },
    { name: 'retry', label: 'Failed, retried', tone: 'warn' },
    { name: 'dead', label: 'Dead', tone: 'bad' },
    { name: 'lost', label: 'Lost', tone: 'quiet' }
  ]
} as const

export type Kind = keyof typeof outcomes

export interface Buckets {
  /** The beginning of each, in seconds. */
  readonly at: readonly number[]
  readonly stepSeconds: number
  /** For each outcome of the kind, a count for each bucket. */
  readonly counts: readonly (readonly number[])[]
}

const steps = [60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800]

const daySeconds = 86_400

/** The most bars that an eye can separate. */
const mostBars = 90

/**
 * Adds the rows up to bars of equal width over the whole time, so that an hour without an event is a gap.
 * @param isTrimmed true to begin with the oldest row, or a day ago
 */
export function toBuckets(series: SeriesJson, kind: Kind, isTrimmed: boolean): Buckets {
  const smallest = series.step === 'minute' ? 60 : 3_600
  const to = new Date(series.until).getTime() / 1_000
  const begin = new Date(series.since).getTime() / 1_000
  const oldest = series.rows[0] === undefined ? begin : new Date(series.rows[0].at).getTime() / 1_000
  const from = isTrimmed ? Math.min(oldest, to - daySeconds) : begin
  const stepSeconds = steps.find((step) => step >= smallest && (to - from) / step <= mostBars) ?? 604_800
  const first = Math.floor(from / stepSeconds) * stepSeconds
  const length = Math.max(1, Math.ceil((to - first) / stepSeconds))
  const counts: number[][] = outcomes[kind].map(() => new Array<number>(length).fill(0))
  for (const row of series.rows) {
    const index = outcomes[kind].findIndex(({ name }) => name === row.outcome)
    const bucket = Math.floor((new Date(row.at).getTime() / 1_000 - first) / stepSeconds)
    const line = counts[index]
    if (line?.[bucket] !== undefined) line[bucket] += row.count
  }
  return { at: Array.from({ length }, (_, index) => first + index * stepSeconds), stepSeconds, counts }
}
