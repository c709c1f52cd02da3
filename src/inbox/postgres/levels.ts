import type * as contract from '../inbox.ts'
import { readOpenCounts } from '../rows.ts'
import type { Times } from './claim.ts'
import type { Session } from './database.ts'
import { deliveryKindsSql, isListed } from './kinds.ts'
import { isClaimable } from './plan.ts'
import { nextDueSql, oldestDueAt, overdueSql, readOverdue } from './probe.ts'

/** Returns how much is left to do, and the size of the tables with their indexes. */
export async function readLevels(session: Session, times: Times): Promise<contract.InboxLevels> {
  const open = await session.query(countOpenSql)
  const handlers = [...new Set(open.map((row) => row['handler']))]
  const due = new Map(
    (await session.query(dueSql, [handlers, times.fixed ?? null])).map((row) => [
      row['handler'],
      { later: Number(row['later']), oldestDueAt: readOverdue(row, times) }
    ])
  )
  const [store] = await session.query(storeSql)
  return {
    byHandler: readOpenCounts(open, (handler) => due.get(handler) ?? { later: 0, oldestDueAt: undefined }),
    oldestDueAt: await oldestDueAt(session, times),
    quarantined: Number(store?.['quarantined']),
    oldestEventAt: (store?.['oldest_event_at'] ?? undefined) as Date | undefined,
    sizeBytes: Number(store?.['bytes'])
  }
}

/** Counts the index entries of each kind, without the deliveries. */
const countOpenSql = `
WITH kind AS (${deliveryKindsSql('NULL::text')})
SELECT realm, handler, state, (
  SELECT count(*) FROM riverhook.delivery AS d
  WHERE ${isListed('d')} AND d.handler = kind.handler AND d.realm = kind.realm AND d.state = kind.state)::float8 AS count
FROM kind WHERE state <> 'done' ORDER BY handler COLLATE "C"`

const dueSql = `
SELECT name AS handler, (
  SELECT count(*) FROM riverhook.delivery AS d
  WHERE d.handler = name AND ${isClaimable('d')} AND d.state = 'pending'
    AND d.due_at > coalesce($2::timestamptz, statement_timestamp()))::float8 AS later,
  ${overdueSql(nextDueSql('name'), '$2')} AS overdue_ms
FROM unnest($1::text[]) AS name`

const storeSql = `
SELECT (SELECT count(*) FROM riverhook.event WHERE state = 'quarantined')::float8 AS quarantined,
  (SELECT received_at FROM riverhook.event ORDER BY seq LIMIT 1) AS oldest_event_at,
  (SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class AS c
   WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'riverhook.event'::regclass) AND c.relkind = 'r')::float8 AS bytes`
