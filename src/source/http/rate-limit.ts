import type { Answer } from './exchange.ts'

/**
 * Whether a call was refused, without effect, because there were too many of them. GitHub may answer 403, with
 * `Retry-After` or with a remaining number of 0.
 */
export function isRateLimited({ status, headers }: Pick<Answer, 'status' | 'headers'>): boolean {
  return status === 429 || (status === 403 && (headers.has('retry-after') || isUsedUp(headers)))
}

/**
 * The header `Retry-After`, or the seconds until GitHub's `X-RateLimit-Reset`, which is in seconds since 1970.
 * @param now milliseconds since the epoch
 */
export function retryAfterOf(headers: Headers, now: number): string | null {
  const reset = headers.get('x-ratelimit-reset') ?? ''
  const asked = headers.get('retry-after')
  if (asked !== null || !isUsedUp(headers) || !/^\d{1,12}$/.test(reset)) return asked
  return String(Math.max(0, Math.ceil(Number(reset) - now / 1_000)))
}

function isUsedUp(headers: Headers): boolean {
  return headers.get('x-ratelimit-remaining') === '0'
}
