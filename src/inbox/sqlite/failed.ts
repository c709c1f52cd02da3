import type { FailedDelivery, RetryCount } from '../inbox.ts'
import { readFailed, readRetry, shownLengthSql } from '../rows.ts'
import { givenLimit, type Prepared } from './prepared.ts'
import { inTime } from './read-limit.ts'

export const failedSql = {
  failed: `
    SELECT e.realm, e.id, e.received_at, d.handler, d.state, d.attempts > d.losses AS has_failed, substr(d.last_error, 1, ${shownLengthSql('d.last_error')}) AS error,
      coalesce((SELECT ended_at FROM attempt WHERE delivery_id = d.id ORDER BY rowid DESC LIMIT 1), e.received_at) AS failed_at
    FROM delivery AS d INDEXED BY delivery_error CROSS JOIN event AS e ON e.seq = d.event_seq
    WHERE d.last_error IS NOT NULL AND d.state IN ('dead', 'pending', 'waiting') AND (d.state = 'dead' OR d.attempts > 0)
    ORDER BY d.event_seq DESC, d.id DESC ${givenLimit}`,
  retries: `
    SELECT realm, handler, sum(attempts > losses) AS failed, min(CASE WHEN state = 'pending' AND attempts > losses THEN due_at END) AS next_at,
      sum(losses > 0) AS lost, sum(losses) AS losses
    FROM delivery INDEXED BY delivery_error
    WHERE last_error IS NOT NULL AND state IN ('dead', 'pending', 'waiting') AND state <> 'dead' AND attempts > 0 AND ${inTime('event_seq')}
    GROUP BY realm, handler ORDER BY realm, handler`
} as const

/** Lists deliveries whose last attempt failed, those of the newest events first. */
export function listFailed(sql: Prepared<typeof failedSql>, { limit }: { readonly limit: number }): FailedDelivery[] {
  return sql.failed.all(limit).map(readFailed)
}

/** Counts the deliveries that wait for a retry. */
export function countRetries(sql: Prepared<typeof failedSql>): RetryCount[] {
  return sql.retries.all().map(readRetry)
}
