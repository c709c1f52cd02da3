import { randomBytes } from 'node:crypto'

import { isPausedSql, type Times } from './claim.ts'
import type { Database } from './database.ts'

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
export async function oldestDueAt(session: Pick<Database, 'query'>, { now, fixed }: Times): Promise<Date | undefined> {
  const [row] = await session.query(oldestDueSql, [fixed ?? null])
  const overdueMs = row?.['overdue_ms']
  return typeof overdueMs === 'number' && overdueMs >= 0 ? new Date(now - overdueMs) : undefined
}

// Reads only the first index entry of each handler.
const oldestDueSql = `
WITH RECURSIVE name (handler) AS (
  SELECT min(handler) FROM riverhook.delivery WHERE state IN ('pending', 'running')
  UNION ALL
  SELECT (SELECT min(handler) FROM riverhook.delivery WHERE state IN ('pending', 'running') AND handler > name.handler) FROM name WHERE handler IS NOT NULL
)
SELECT floor(extract(epoch FROM coalesce($1::timestamptz, statement_timestamp()) - min(head.due_at)) * 1000)::float8 AS overdue_ms
FROM name CROSS JOIN LATERAL (
  SELECT due_at FROM riverhook.delivery AS d
  WHERE d.handler = name.handler AND d.state IN ('pending', 'running') AND d.state = 'pending' ORDER BY due_at LIMIT 1) AS head
WHERE NOT ${isPausedSql('name.handler')}`
