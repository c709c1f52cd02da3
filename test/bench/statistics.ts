/** The middle value; the mean of the two middle ones where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export interface Estimate {
  readonly median: number
  /** The limits of the interval that has the true median in at least 95 of 100 runs. */
  readonly low: number
  readonly high: number
}

/**
 * Estimates a median with an interval that assumes no distribution: its limits are values of the sample, whose ranks
 * follow from the binomial distribution. With fewer than six values, the interval is the whole sample, and less
 * certain.
 */
export function estimate(values: readonly number[]): Estimate {
  const sorted = [...values].sort((a, b) => a - b)
  const { length } = sorted
  // The probability that exactly `below` values are below the median.
  let probability = 0.5 ** length
  let cumulative = probability
  let below = 0
  while (cumulative <= 0.025 && below < length) {
    below += 1
    probability *= (length - below + 1) / below
    cumulative += probability
  }
  const rank = Math.max(0, below - 1)
  return {
    median: median(sorted),
    low: sorted[rank] ?? Number.NaN,
    high: sorted[length - 1 - rank] ?? Number.NaN
  }
}

/** An estimate as text: the median and its interval. */
export function estimateText({ median, low, high }: Estimate): string {
  return `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`
}

/** The ratios of two series, round by round. */
export function ratios(values: readonly number[], baseline: readonly number[]): number[] {
  return values.map((value, round) => value / (baseline[round] ?? Number.NaN))
}

/** The share of the values that are at most as large: 0.5 for the median. */
export function quantile(values: Float64Array, share: number): number {
  const sorted = values.toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
