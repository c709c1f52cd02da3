import { randomBytes } from 'node:crypto'

import { isPausedSql, type Times } from './claim.ts'
import type { Database, Row } from './database.ts'
import { isClaimable } from './plan.ts'

/** The time of the database's clock. */
export async function clockTime(database: Database): Promise<Date> {
  const [row] = await database.query('SELECT statement_timestamp() AS now')
  return row?.['now'] as Date
}

/**
 * Checks that a write of more than a page can be committed, with random bytes, which cannot be compressed.
 * @returns when the longest overdue delivery fell due
 */
export async function probe(database: Database, times: Times): Promise<Date | undefined> {
  return database.transaction(async (tx) => {
    await tx.query('INSERT INTO riverhook.probe (filler) VALUES ($1)', [randomBytes(16_384)])
    await tx.query('DELETE FROM riverhook.probe')
    return oldestDueAt(tx, times)
  })
}

/** Returns when the longest overdue delivery fell due, in this process's time. */
export async function oldestDueAt(session: Pick<Database, 'query'>, times: Times): Promise<Date | undefined> {
  const [row] = await session.query(oldestDueSql, [times.fixed ?? null])
  return readOverdue(row, times)
}

/** Reads when a delivery fell due, in this process's time; undefined if it is not due yet. */
export function readOverdue(row: Row | undefined, { now }: Times): Date | undefined {
  const overdueMs = row?.['overdue_ms']
  return typeof overdueMs === 'number' && overdueMs >= 0 ? new Date(now - overdueMs) : undefined
}

/** How long ago a time was, in milliseconds. @param fixed replaces the database's time, in tests */
export const overdueSql = (dueAt: string, fixed: string): string =>
  `floor(extract(epoch FROM coalesce(${fixed}::timestamptz, statement_timestamp()) - (${dueAt})) * 1000)::float8`

/** When the next delivery of a handler falls due. */
export const nextDueSql = (handler: string): string => `
  SELECT due_at FROM riverhook.delivery AS d
  WHERE d.handler = ${handler} AND ${isClaimable('d')} AND d.state = 'pending' ORDER BY due_at LIMIT 1`

// Reads only the first index entry of each handler.
const oldestDueSql = `
WITH RECURSIVE name (handler) AS (
  SELECT min(handler) FROM riverhook.delivery AS d WHERE ${isClaimable('d')}
  UNION ALL
  SELECT (SELECT min(handler) FROM riverhook.delivery AS d WHERE ${isClaimable('d')} AND handler > name.handler) FROM name WHERE handler IS NOT NULL
)
SELECT ${overdueSql('min(head.due_at)', '$1')} AS overdue_ms
FROM name CROSS JOIN LATERAL (${nextDueSql('name.handler')}) AS head
WHERE NOT ${isPausedSql('name.handler')}`
