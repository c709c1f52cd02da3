import { isPermanentError, isRetryLater, RiverhookError } from '../model/errors.ts'
import { errorText, type Redact } from '../model/error-text.ts'
import type { Outcome } from '../model/event.ts'
import type { ClaimedDelivery, OnLoss } from '../inbox/inbox.ts'
import type { Lane } from './lane.ts'
import { afterLoss, nextAttemptAt } from './retry.ts'

/** A delivery that lost this many runs in a row is a dead letter, even if others ran beside it. */
const mostLosses = 10

/** The outcome of a run, and the error to report with it. */
export interface Decision {
  readonly outcome: Outcome
  readonly error?: unknown
}

/** The values that the backoff depends on, in addition to the retry rule. */
export interface BackoffInput {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** For the jitter: from 0 to below 1. */
  readonly random: number
}

/** The values that the outcome of a failed attempt depends on. */
export interface FailureInput extends BackoffInput {
  /** Keeps the personal data of the event out of the stored error. */
  readonly redact: Redact
}

/** Attempts that count for `retry.attempts`: those that failed, and the current one. */
export function countedAttempts({ attempt, losses }: ClaimedDelivery): number {
  return attempt - losses
}

/** Decides after a failed attempt. @param shown the error to store and report, if it is not the one that was thrown */
export function decideAfterFailure(
  delivery: ClaimedDelivery,
  { handler, rule }: Lane,
  { now, random, redact }: FailureInput,
  thrown: unknown,
  shown = thrown
): Decision {
  const error = errorText(shown, redact)
  let dueAt: Date | undefined
  try {
    dueAt = nextAttemptAt(countedAttempts(delivery), thrown, rule, now, random)
  } catch {
    // The thrown value cannot be read, for example a revoked proxy.
    dueAt = nextAttemptAt(countedAttempts(delivery), undefined, rule, now, random)
  }
  return {
    error: shown,
    outcome:
      dueAt === undefined
        ? { state: 'dead', error }
        : { state: 'retry', dueAt, error, releaseKey: handler.onFailure === 'skip' }
  }
}

/**
 * Decides after a lost run: retry after the backoff, or give up. It gives up after `mostLosses` losses in a row, or if
 * the delivery ran alone, when its attempts are used up.
 */
export function decideAfterLoss(
  delivery: ClaimedDelivery,
  { handler, rule }: Lane,
  { now, random }: BackoffInput,
  onLoss: OnLoss,
  cause: RiverhookError
): Decision {
  const counts = onLoss === 'attempt'
  const losses = delivery.suspicion + 1
  if ((counts && countedAttempts(delivery) >= rule.attempts) || losses >= mostLosses) {
    const why = counts ? 'while it ran alone' : 'beside others'
    const error = new RiverhookError(
      cause.code,
      `${cause.message}. It lost ${losses} ${losses === 1 ? 'run' : 'runs'} in a row, the last one ${why}`
    )
    return { error, outcome: { state: 'dead', error: errorText(error) } }
  }
  const dueAt = afterLoss(losses, rule, now, random)
  return {
    error: cause,
    outcome: { state: 'lost', dueAt, error: errorText(cause), counts, releaseKey: handler.onFailure === 'skip' }
  }
}

/**
 * Gives up if `retry.attempts` was lowered below the attempts already made.
 * @returns undefined if there are attempts left
 */
export function decideOnLoweredLimit(delivery: ClaimedDelivery, { rule }: Lane): Decision | undefined {
  if (countedAttempts(delivery) <= rule.attempts) return undefined
  const error = new RiverhookError(
    'RIVERHOOK_DELIVER_LEASE_LOST',
    `Attempt ${countedAttempts(delivery)} is not made: retry.attempts of the handler was lowered to ${rule.attempts}`
  )
  return { error, outcome: { state: 'dead', error: errorText(error) } }
}

/** True for PermanentError and RetryLater, which decide the outcome even after the signal was aborted. */
export function choosesOutcome(error: unknown): boolean {
  try {
    return isPermanentError(error) || isRetryLater(error)
  } catch {
    // A revoked proxy, for example.
    return false
  }
}

/** Gives up: the stored event cannot be read, so no attempt can be made. */
export function decideOnUnreadable(cause: unknown, redact: Redact): Decision {
  const message = `The stored event cannot be read: ${cause instanceof Error ? cause.message : 'unknown reason'}`
  const error = new RiverhookError('RIVERHOOK_DELIVER_UNREADABLE', message, { cause })
  return { error, outcome: { state: 'dead', error: errorText(error, redact) } }
}

/** The abort reason of attempts' signals when the process ends. */
export function abortReason(isFault: boolean): RiverhookError {
  return isFault
    ? new RiverhookError(
        'RIVERHOOK_DELIVER_FAULT',
        'The process ends because of an error that nothing caught; the delivery runs again in the next one'
      )
    : new RiverhookError(
        'RIVERHOOK_DELIVER_SHUTDOWN',
        'The process is shutting down; the delivery runs again in the next one'
      )
}
