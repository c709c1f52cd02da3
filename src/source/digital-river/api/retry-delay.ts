/**
 * A provider that asks for more than this is told to the caller instead: nobody waits for minutes without knowing why.
 */
const longestRetryAfterMs = 120_000
const firstDelayMs = 500
const longestDelayMs = 20_000

/**
 * How long to wait before a call is sent again: exponential backoff with full jitter, on top of what `Retry-After` asks
 * for (calls before that stay blocked, and without jitter all that were refused together would come back together).
 * @param attempt the number of the try that failed, from 1
 * @param retryAfter the header of its answer
 * @param now milliseconds since the epoch
 * @param random from 0 to below 1
 * @returns milliseconds; undefined when the provider asks for more than two minutes
 */
export function retryDelayMs(
  attempt: number,
  retryAfter: string | null,
  now: number,
  random: number
): number | undefined {
  const askedMs = retryAfterMs(retryAfter, now)
  if (askedMs > longestRetryAfterMs) return undefined
  return Math.round(askedMs + random * Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 1)))
}

/** Whole seconds (as the provider documents) or an HTTP date, as milliseconds. What is neither asks for nothing. */
export function retryAfterMs(header: string | null, now: number): number {
  const text = header?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Only a text with a day's name is a date here: Date.parse would make one of "-5" or "1.5".
  const at = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(at) ? 0 : Math.max(0, at - now)
}
