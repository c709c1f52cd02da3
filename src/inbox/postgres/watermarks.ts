import type { Watermark } from '../inbox.ts'
import { readTime, readWatermark } from '../rows.ts'
import type { Times } from './claim.ts'
import type { Database, Session } from './database.ts'

/** Returns how far something of a realm has been read. */
export async function findWatermark(database: Database, realm: string, name: string): Promise<Date | undefined> {
  const [row] = await database.query('SELECT at FROM riverhook.watermark WHERE realm = $1 AND name = $2', [realm, name])
  return readTime(row?.['at'])
}

export async function listWatermarks(session: Session): Promise<readonly Watermark[]> {
  const rows = await session.query('SELECT realm, name, at FROM riverhook.watermark')
  return rows.map(readWatermark)
}

export const advanceSql = `
INSERT INTO riverhook.watermark AS mark (realm, name, at) VALUES ($1, $2, least($3::timestamptz, coalesce($4::timestamptz, statement_timestamp())))
ON CONFLICT (realm, name) DO UPDATE SET at = excluded.at WHERE mark.at < excluded.at OR mark.at > coalesce($4::timestamptz, statement_timestamp())`

/** Moves a watermark forward. Replaces one in the future. */
export async function advance(
  database: Database,
  realm: string,
  name: string,
  to: Date,
  { fixed }: Times
): Promise<void> {
  await database.query(advanceSql, [realm, name, to, fixed ?? null])
}
