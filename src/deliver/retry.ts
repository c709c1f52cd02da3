import { backoffMs } from '../model/backoff.ts'
import { isPermanentError, isRetryLater } from '../model/errors.ts'
import type { RetryOptions } from '../handlers/registry.ts'
import { msOf } from '../model/span.ts'
import { retrySettings } from '../options/settings.ts'

/** A handler's retry options with all defaults filled in. Spans are in milliseconds. */
export interface RetryRule {
  readonly attempts: number
  readonly baseMs: number
  readonly factor: number
  readonly capMs: number
}

/**
 * Ten attempts take 21 hours on average and 42 at most: long enough to outlast most outages of a merchant's systems.
 */
export const retryDefaults: RetryRule = {
  attempts: retrySettings.attempts.default,
  baseMs: msOf(retrySettings.base.default),
  factor: retrySettings.factor.default,
  capMs: msOf(retrySettings.cap.default)
}

/** The last instant that a Date can hold. */
const lastInstant = 8.64e15

/** Takes each value from the handler's own options, else from the plugin's, else from the defaults. */
export function retryRule(own: RetryOptions | undefined, general: RetryOptions | undefined): RetryRule {
  return {
    attempts: own?.attempts ?? general?.attempts ?? retryDefaults.attempts,
    baseMs: msOf(own?.base ?? general?.base ?? retryDefaults.baseMs),
    factor: own?.factor ?? general?.factor ?? retryDefaults.factor,
    capMs: msOf(own?.cap ?? general?.cap ?? retryDefaults.capMs)
  }
}

/**
 * Computes the time of the retry after a failed attempt. Exponential backoff with full jitter: the delay is random
 * between zero and `baseMs * factor ^ (attempt - 1)`, at most `capMs`, so that deliveries that failed together are not
 * retried together. A RetryLater chooses the time itself; its attempt counts like any other.
 *
 * @param attempt the number of the failed attempt, from 1
 * @param error what the handler threw
 * @param now milliseconds since the epoch
 * @param random from 0 to below 1
 * @returns undefined if there is no retry: the attempts are used up, or the error is permanent
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
 * Computes the time of the retry after a lost run: the same backoff by the number of losses in a row, but at least half
 * of the longest delay. Deliveries that were lost together must not be retried together, and others must run first.
 *
 * @param losses how many runs were lost in a row, from 1
 */
export function afterLoss(losses: number, rule: RetryRule, now: number, random: number): Date {
  return nextAttemptAt(losses, undefined, { ...rule, attempts: Infinity }, now, (1 + random) / 2) ?? new Date(now)
}

/**
 * The time that a RetryLater asks for. Undefined if `after` is invalid: the error may come from another copy of the
 * package, or be a hand-made object.
 */
function chosenInstant(after: unknown, now: number): number | undefined {
  const instant = after instanceof Date ? after.getTime() : typeof after === 'number' ? now + after : NaN
  // Treat a time in the past as now, so that the failed delivery does not overtake others that are overdue.
  return Number.isNaN(instant) ? undefined : Math.min(lastInstant, Math.max(now, Math.ceil(instant)))
}
