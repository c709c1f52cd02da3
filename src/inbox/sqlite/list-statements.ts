import type { keySegmentsSql } from './key-segments.ts'
import type { listIndexSql } from './list-index.ts'
import type { Prepared, PreparedOnce } from './prepared.ts'

export const listSql = {
  /** The kinds of the events that the index does not have yet. */
  kindsBehind: `
    SELECT DISTINCT NULL AS id, source, realm, type, endpoint, live_mode AS live, NULL AS handler FROM event WHERE seq > ?
    UNION ALL SELECT DISTINCT NULL, source, event.realm, type, endpoint, live_mode, delivery.handler
    FROM event CROSS JOIN delivery ON delivery.event_seq = event.seq WHERE event.seq > ?`,
  /** In one row: there may be thousands. */
  blocksInTime: `
    SELECT json_group_array(number) AS numbers FROM (
      SELECT number FROM event_block WHERE last_at >= ? AND first_at < ? ORDER BY number)`,
  timeBounds:
    'SELECT min(seq) AS first, max(seq) AS last FROM event WHERE seq > ? AND received_at >= ? AND received_at < ?',
  checkTime: 'SELECT in_time()',
  summary: `
    SELECT seq, realm, id, source, state, type, live_mode, created_time, resource, endpoint, received_at, backfilled, duplicates, conflicts, reason, length(body) AS size
    FROM event WHERE seq = ?`,
  body: 'SELECT body FROM event WHERE seq = ?',
  deliveriesOf: `
    SELECT id, handler, state, attempts, losses, due_at, order_key, owner, started_at, settled_at, last_error, job_id
    FROM delivery WHERE event_seq = ? ORDER BY id`
} as const

export type Sql = Prepared<typeof listSql & typeof keySegmentsSql & Pick<typeof listIndexSql, 'indexedTo'>> & {
  /** The statements that are built from filters. */
  readonly built: PreparedOnce
}
