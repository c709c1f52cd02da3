import { mostAttempts, mostFailedAttempts, summarizeLengths } from '../attempt-lengths.ts'
import type { AttemptLengths } from '../inbox.ts'
import type { Session } from './database.ts'
import { deliveryKindsSql, isListed } from './kinds.ts'

/** Returns how long the newest attempts of each handler took. */
export async function readLengths(session: Session): Promise<readonly AttemptLengths[]> {
  const rows = await session.query(lengthsSql)
  return summarizeLengths(
    rows.map((row) => ({
      handler: String(row['handler']),
      startedAt: (row['started_at'] as Date).getTime(),
      endedAt: (row['ended_at'] as Date).getTime()
    }))
  )
}

/**
 * Reads the ends of indexes. A successful attempt is in the row of its delivery. The state is compared as the order key
 * is in `hasKey`: if all had one state when the tables were analysed, the planner would look for it in all deliveries.
 */
const lengthsSql = `
WITH kind AS (${deliveryKindsSql('NULL::text')})
SELECT kind.handler, done.started_at, done.settled_at AS ended_at FROM kind CROSS JOIN LATERAL (
  SELECT started_at, settled_at FROM riverhook.delivery AS d
  WHERE ${isListed('d')} AND d.handler = kind.handler AND d.realm = kind.realm AND d.state >= kind.state AND d.state <= kind.state
  ORDER BY d.state DESC, d.event_seq DESC LIMIT ${mostAttempts}) AS done
WHERE kind.state = 'done'
UNION ALL
SELECT d.handler, failed.started_at, failed.ended_at
FROM (SELECT * FROM riverhook.attempt ORDER BY id DESC LIMIT ${mostFailedAttempts}) AS failed
  JOIN riverhook.delivery AS d ON d.id = failed.delivery_id
WHERE failed.state IN ('retry', 'dead')`
