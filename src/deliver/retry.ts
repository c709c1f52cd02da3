import { backoffMs } from '../model/backoff.ts'
import { isPermanentError, isRetryLater } from '../model/errors.ts'
import type { RetryOptions } from '../handlers/registry.ts'
import { msOf } from '../model/span.ts'
import { retrySettings } from '../options/settings.ts'

/** How a delivery is tried again, with every value given. Spans are in milliseconds. */
export interface RetryRule {
  readonly attempts: number
  readonly baseMs: number
  readonly factor: number
  readonly capMs: number
}

/**
 * Ten attempts take 21 hours on average and 42 at most: an outage of a merchant's own system is mended by then, or is
 * news.
 */
export const retryDefaults: RetryRule = {
  attempts: retrySettings.attempts.default,
  baseMs: msOf(retrySettings.base.default),
  factor: retrySettings.factor.default,
  capMs: msOf(retrySettings.cap.default)
}

/** The last instant that a Date can hold. */
const lastInstant = 8.64e15

/** A handler's own options first, then the plugin's, then the defaults: value by value. */
export function retryRule(own: RetryOptions | undefined, general: RetryOptions | undefined): RetryRule {
  return {
    attempts: own?.attempts ?? general?.attempts ?? retryDefaults.attempts,
    baseMs: msOf(own?.base ?? general?.base ?? retryDefaults.baseMs),
    factor: own?.factor ?? general?.factor ?? retryDefaults.factor,
    capMs: msOf(own?.cap ?? general?.cap ?? retryDefaults.capMs)
  }
}

/**
 * When a delivery is tried again after an attempt that failed. Exponential backoff with full jitter: the wait is
 * random between zero and `baseMs * factor ^ (attempt - 1)`, capped, so that deliveries that failed together do not
 * come back together. A RetryLater chooses the time itself; its attempt counts like any other.
 *
 * @param attempt the number of the attempt that failed, from 1
 * @param error what the handler threw
 * @param now milliseconds since the epoch
 * @param random from 0 to below 1
 * @returns undefined: never again, the attempts are used up or the error is permanent
 */
export function nextAttemptAt(
  attempt: number,
  error: unknown,
  rule: RetryRule,
  now: number,
  random: number
): Date | undefined {
  if (isPermanentError(error) || attempt >= rule.attempts) return undefined
  const chosen = isRetryLater(error) ? chosenInstant(error.after, now) : undefined
  if (chosen !== undefined) return new Date(chosen)
  const longestMs = backoffMs(attempt, rule.baseMs, rule.capMs, rule.factor)
  return new Date(Math.min(lastInstant, Math.round(now + random * longestMs)))
}

/**
 * When to retry a delivery whose run was lost: the same backoff, by the number of losses in a row, and at least half of
 * it. Deliveries that were lost together must not come back together, and others must run in between.
 *
 * @param losses how many runs were lost in a row, from 1
 */
export function afterLoss(losses: number, rule: RetryRule, now: number, random: number): Date {
  return nextAttemptAt(losses, undefined, { ...rule, attempts: Infinity }, now, (1 + random) / 2) ?? new Date(now)
}

/**
 * Undefined where it makes no sense: the error may come from another copy of the package, or be put together by hand.
 */
function chosenInstant(after: unknown, now: number): number | undefined {
  const instant = after instanceof Date ? after.getTime() : typeof after === 'number' ? now + after : NaN
  // An instant in the past means at once; a later one than now keeps what failed from overtaking what is overdue.
  return Number.isNaN(instant) ? undefined : Math.min(lastInstant, Math.max(now, Math.ceil(instant)))
}
