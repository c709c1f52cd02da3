import type { FailedDelivery } from '../inbox.ts'
import { readFailed } from '../rows.ts'
import type { Prepared } from './prepared.ts'

export const failedSql = {
  failed: `
    SELECT e.realm, e.id, e.received_at, d.handler, d.state, substr(d.last_error, 1, 1000) AS error,
      coalesce((SELECT ended_at FROM attempt WHERE delivery_id = d.id ORDER BY rowid DESC LIMIT 1), e.received_at) AS failed_at
    FROM delivery AS d INDEXED BY delivery_error CROSS JOIN event AS e ON e.seq = d.event_seq
    WHERE d.last_error IS NOT NULL AND d.state IN ('dead', 'pending', 'waiting') AND (d.state = 'dead' OR d.attempts > 0)
    ORDER BY d.event_seq DESC, d.id DESC LIMIT ?`
} as const

/** Lists deliveries whose last attempt failed, those of the newest events first. */
export function listFailed(sql: Prepared<typeof failedSql>, { limit }: { readonly limit: number }): FailedDelivery[] {
  return sql.failed.all(limit).map(readFailed)
}
