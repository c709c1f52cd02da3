import type { FailedDelivery, RetryCount } from '../inbox.ts'
import { readFailed, readRetry, shownLengthSql } from '../rows.ts'
import type { Session } from './database.ts'

/** Lists deliveries whose last attempt failed, those of the newest events first. */
export async function listFailed(session: Session, limit: number): Promise<readonly FailedDelivery[]> {
  return (await session.query(failedSql, [limit])).map(readFailed)
}

/** Limits the deliveries first, so that the planner reads `delivery_error` backwards. */
export const failedSql = `
SELECT event.realm, coalesce(event.whole_id, event.id) AS id, event.received_at, d.handler, d.state,
  d.attempts > d.losses AS has_failed, left(d.last_error, ${shownLengthSql('d.last_error')}) AS error,
  coalesce((SELECT ended_at FROM riverhook.attempt WHERE delivery_id = d.id ORDER BY id DESC LIMIT 1), event.received_at) AS failed_at
FROM (
  SELECT * FROM riverhook.delivery
  WHERE last_error IS NOT NULL AND state IN ('dead', 'pending', 'waiting') AND (state = 'dead' OR attempts > 0)
  ORDER BY event_seq DESC, id DESC LIMIT $1) AS d
JOIN riverhook.event AS event ON event.seq = d.event_seq
ORDER BY d.event_seq DESC, d.id DESC`

/** Counts the deliveries that wait for a retry. */
export async function countRetries(session: Session): Promise<readonly RetryCount[]> {
  return (await session.query(retriesSql)).map(readRetry)
}

export const retriesSql = `
SELECT realm, handler, count(*) FILTER (WHERE attempts > losses) AS failed,
  min(due_at) FILTER (WHERE state = 'pending' AND attempts > losses) AS next_at,
  count(*) FILTER (WHERE losses > 0) AS lost, sum(losses) AS losses
FROM riverhook.delivery
WHERE last_error IS NOT NULL AND state IN ('dead', 'pending', 'waiting') AND state <> 'dead' AND attempts > 0
GROUP BY realm, handler ORDER BY realm COLLATE "C", handler COLLATE "C"`
