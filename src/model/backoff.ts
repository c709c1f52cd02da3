/**
 * The longest pause before the next attempt: `firstMs`, then `factor` times as long after each failure, at most
 * `longestMs`. The caller adds randomness.
 * @param failures how many attempts have failed in a row, from 1
 */
export function backoffMs(failures: number, firstMs: number, longestMs: number, factor = 2): number {
  return Math.min(longestMs, firstMs * factor ** (failures - 1))
}
