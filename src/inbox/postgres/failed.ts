import type { FailedDelivery } from '../inbox.ts'
import { readFailed } from '../rows.ts'
import type { Session } from './database.ts'

/** Lists deliveries whose last attempt failed, those of the newest events first. */
export async function listFailed(session: Session, limit: number): Promise<readonly FailedDelivery[]> {
  return (await session.query(failedSql, [limit])).map(readFailed)
}

/** Limits the deliveries first, so that the planner reads `delivery_error` backwards. */
export const failedSql = `
SELECT event.realm, coalesce(event.whole_id, event.id) AS id, event.received_at, d.handler, d.state, left(d.last_error, 1000) AS error,
  coalesce((SELECT ended_at FROM riverhook.attempt WHERE delivery_id = d.id ORDER BY id DESC LIMIT 1), event.received_at) AS failed_at
FROM (
  SELECT * FROM riverhook.delivery
  WHERE last_error IS NOT NULL AND state IN ('dead', 'pending', 'waiting') AND (state = 'dead' OR attempts > 0)
  ORDER BY event_seq DESC, id DESC LIMIT $1) AS d
JOIN riverhook.event AS event ON event.seq = d.event_seq
ORDER BY d.event_seq DESC, d.id DESC`
