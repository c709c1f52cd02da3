import { backoffMs } from '../model/backoff.ts'
import { PermanentError, RetryLater, RiverhookError } from '../model/errors.ts'
import { retryAfterMs } from '../model/retry-after.ts'

/** The parts of an answer that matter. */
export interface Answer {
  readonly status: number
  readonly location?: string | undefined
  readonly retryAfter?: string | undefined
}

/** How the handler waits before a retry, in milliseconds. */
export interface Backoff {
  readonly baseMs: number
  readonly factor: number
  readonly capMs: number
}

/** The longest `Retry-After` that is honoured, so that no delivery waits unnoticed for days. */
const longestRetryAfterMs = 24 * 3_600_000

/**
 * 4xx statuses that a retry may resolve: the receiver timed out (408), is handling the same event now (409), has locked
 * the resource (423), wants the event later (425), or limits the rate (429).
 */
const transient: ReadonlySet<number> = new Set([408, 409, 423, 425, 429])

/**
 * Decides about the delivery by the answer: undefined if it is done, else the error to throw. The error names the
 * receiver by its origin, because the rest of a URL may hold credentials.
 *
 * @param attempt the number of the attempt, from 1
 * @param now milliseconds since the epoch
 * @param random from 0 to below 1
 */
export function errorOf(
  { status, location, retryAfter }: Answer,
  url: URL,
  { attempt, backoff, now, random }: { attempt: number; backoff: Backoff; now: number; random: number }
): Error | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status >= 300 && status < 400)
    return new PermanentError(
      `${url.origin} answered ${status}, a redirect${targetOf(location, url)}. Redirects are not followed: change the URL that events are forwarded to`
    )
  const isTransient = status < 400 || status >= 500 || transient.has(status) || retryAfter !== undefined
  if (!isTransient)
    return new PermanentError(`${url.origin} answered ${status}, which a retry cannot fix. Fix the cause, then replay`)
  const message = `${url.origin} answered ${status}`
  const askedMs = Math.min(retryAfterMs(retryAfter, now), longestRetryAfterMs)
  if (askedMs === 0) return new RiverhookError('RIVERHOOK_FORWARD_FAILED', message)
  // Add it to the backoff: otherwise a receiver that always asks for 1 s would use up all attempts within seconds.
  const { baseMs, factor, capMs } = backoff
  const after = Math.round(askedMs + random * backoffMs(attempt, baseMs, capMs, factor))
  return new RetryLater({ after, message: `${message} and asked to wait ${Math.ceil(askedMs / 1_000)} s` })
}

/** Only the origin: the rest of a redirect may hold a token. */
function targetOf(location: string | undefined, url: URL): string {
  if (location === undefined || !URL.canParse(location, url.href)) return ' without a target'
  const { protocol, origin } = new URL(location, url)
  return /^https?:$/.test(protocol) ? ` to ${origin}` : ' to something other than http'
}
