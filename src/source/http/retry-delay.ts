import { backoffMs } from '../../model/backoff.ts'
import { retryAfterMs } from '../../model/retry-after.ts'

/**
 * The longest wait. If the provider asks for more, the call fails instead, so that the caller knows why.
 */
const longestRetryAfterMs = 120_000
const firstDelayMs = 500
const longestDelayMs = 20_000

/**
 * How long to wait before a retry: exponential backoff with full jitter, added to `Retry-After`. Earlier calls would be
 * refused, and without jitter, calls that were refused together would come back together.
 * @param attempt the number of the attempt that failed, from 1
 * @param retryAfter the header of its answer
 * @param now milliseconds since the epoch
 * @param random from 0 to below 1
 * @returns milliseconds; undefined if the provider asks for more than two minutes
 */
export function retryDelayMs(
  attempt: number,
  retryAfter: string | null,
  now: number,
  random: number
): number | undefined {
  const askedMs = retryAfterMs(retryAfter, now)
  if (askedMs > longestRetryAfterMs) return undefined
  return Math.round(askedMs + random * backoffMs(attempt, firstDelayMs, longestDelayMs))
}
