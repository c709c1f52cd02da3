import type { EventKey } from '../../model/event.ts'
import type * as contract from '../inbox.ts'
import { readAttempts, readDelivery, readDetail, readStats, readTime, type Row } from '../rows.ts'
import type { listSql } from './list-statements.ts'
import { claimable, isPausedSql, type Prepared } from './prepared.ts'
import { inTime } from './read-limit.ts'
import type { searchKeysSql } from './search-keys.ts'

const countOfKind = `(SELECT count(*) FROM event_kind WHERE event_kind.kind = kind.id AND ${inTime('event_seq')})`
const isBehindIndex = (seq: string): string => `${seq} > (SELECT seq FROM list_index)`

/** Counts the deliveries that are not done: entries of indexes that have only these. */
export const countOpenSql = `
      SELECT realm, handler, state, count(*) AS count FROM delivery INDEXED BY delivery_due
      WHERE ${claimable} AND ${inTime('event_seq')} GROUP BY handler, realm, state
      UNION ALL SELECT realm, handler, state, count(*) FROM delivery INDEXED BY delivery_waiting
      WHERE order_key IS NOT NULL AND state = 'waiting' AND ${inTime('event_seq')} GROUP BY handler, realm
      UNION ALL SELECT realm, handler, state, count(*) FROM delivery INDEXED BY delivery_parked
      WHERE state = 'parked' AND ${inTime('event_seq')} GROUP BY handler, realm
      UNION ALL SELECT realm, handler, state, count(*) FROM delivery INDEXED BY delivery_dead
      WHERE state = 'dead' AND ${inTime('event_seq')} GROUP BY handler, realm`

export const readSql = {
  eventById: `
    SELECT seq, realm, id, source, state, type, live_mode, created_time, resource, endpoint, received_at, backfilled, duplicates, conflicts, reason,
      receipt, headers, trace, body
    FROM event WHERE id = ? AND realm = ?`,
  seqOf: 'SELECT seq FROM event WHERE id = ? AND realm = ?',
  attemptsOf: 'SELECT attempt, state, started_at, ended_at, error FROM attempt WHERE delivery_id = ? ORDER BY rowid',
  /** Counts entries of indexes, without the events. */
  countEvents: `
    WITH total AS (
      SELECT realm, ${countOfKind} AS count FROM kind WHERE handler IS NULL
      UNION ALL SELECT realm, count(*) FROM event WHERE ${isBehindIndex('seq')} GROUP BY realm),
    quarantined AS (SELECT realm, count(*) AS count FROM event WHERE state = 'quarantined' AND ${inTime('seq')} GROUP BY realm),
    repeated AS (
      SELECT realm, sum(backfilled) AS backfilled, sum(duplicates) AS duplicates, sum(conflicts) AS conflicts
      FROM event INDEXED BY event_repeated WHERE (backfilled OR duplicates > 0) AND ${inTime('seq')} GROUP BY realm)
    SELECT realm, sum(total.count) - coalesce(quarantined.count, 0) AS events, coalesce(quarantined.count, 0) AS quarantined,
      coalesce(backfilled, 0) AS backfilled, coalesce(duplicates, 0) AS duplicates, coalesce(conflicts, 0) AS conflicts
    FROM total LEFT JOIN quarantined USING (realm) LEFT JOIN repeated USING (realm)
    GROUP BY realm HAVING sum(total.count) > 0 ORDER BY realm`,
  /** Counts entries of indexes, without the deliveries. No index has those that are done: they are all others. */
  countDeliveries: `
    WITH other AS MATERIALIZED (${countOpenSql}),
    total AS (
      SELECT realm, handler, ${countOfKind} AS count FROM kind WHERE handler IS NOT NULL
      UNION ALL SELECT realm, handler, count(*) FROM delivery WHERE ${isBehindIndex('event_seq')} GROUP BY handler, realm)
    SELECT realm, handler, state, count FROM other
    UNION ALL
    SELECT realm, handler, 'done' AS state,
      max(0, sum(count) - coalesce((SELECT sum(count) FROM other WHERE other.realm = total.realm AND other.handler = total.handler), 0)) AS count
    FROM total GROUP BY realm, handler ORDER BY handler, realm, state`,
  /** Reads only the first index entry of each handler. */
  oldestDue: `
    WITH RECURSIVE name (handler) AS (
      SELECT min(handler) FROM delivery WHERE ${claimable}
      UNION ALL
      SELECT (SELECT min(handler) FROM delivery WHERE ${claimable} AND handler > name.handler) FROM name WHERE handler IS NOT NULL)
    SELECT min((SELECT due_at FROM delivery WHERE handler = name.handler AND ${claimable} AND state = 'pending'
                ORDER BY due_at LIMIT 1)) AS due_at FROM name WHERE handler IS NOT NULL AND NOT ${isPausedSql('name.handler')}`
} as const

type Sql = Prepared<typeof readSql & typeof listSql & typeof searchKeysSql>

/** Finds one event with all its details. */
export function findEvent(sql: Sql, { realm, id }: EventKey): contract.EventDetail | undefined {
  const row = sql.eventById.get(id, realm)
  if (row === undefined) return undefined
  const deliveries = sql.deliveriesOf.all(row['seq'] as number).map((delivery) => ({
    ...readDelivery(delivery),
    attemptLog: readAttempts(delivery, sql.attemptsOf.all(delivery['id'] as number))
  }))
  return {
    ...readDetail(row, sql.keysOf.all(row['seq'] as number)),
    deliveries
  }
}

export function countAll(sql: Sql, _args: undefined, now: number): contract.InboxStats {
  return { ...readStats(sql.countEvents.all(), sql.countDeliveries.all()), oldestDueAt: oldestDueAt(sql, now) }
}

/** Returns when the longest overdue delivery fell due. */
export function oldestDueAt(sql: Prepared<Pick<typeof readSql, 'oldestDue'>>, now: number): Date | undefined {
  return readOverdue(sql.oldestDue.get(), now)
}

/** Reads when a delivery fell due; undefined if it is not due yet. */
export function readOverdue(row: Row | undefined, now: number): Date | undefined {
  const dueAt = readTime(row?.['due_at'])
  return dueAt !== undefined && dueAt.getTime() <= now ? dueAt : undefined
}
