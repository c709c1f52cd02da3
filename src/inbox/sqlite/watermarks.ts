import type { Watermark } from '../inbox.ts'
import { readTime, readWatermark } from '../rows.ts'
import type { Prepared } from './prepared.ts'
import type { Operations } from './protocol.ts'

export const watermarksSql = {
  watermarks: 'SELECT realm, name, at FROM watermark',
  watermark: 'SELECT at FROM watermark WHERE realm = ? AND name = ?',
  advance:
    'INSERT INTO watermark (realm, name, at) VALUES (?, ?, ?) ON CONFLICT (realm, name) DO UPDATE SET at = iif(at > ?, excluded.at, max(at, excluded.at))'
} as const

type Sql = Prepared<typeof watermarksSql>

/** Returns how far something of a realm has been read. */
export function findWatermark(sql: Sql, { realm, name }: Operations['watermark']['args']): Date | undefined {
  return readTime(sql.watermark.get(realm, name)?.['at'])
}

export function listWatermarks(sql: Sql): Watermark[] {
  return sql.watermarks.all().map(readWatermark)
}

/** Moves a watermark forward. Replaces one in the future. */
export function advance(sql: Sql, { realm, name, to }: Operations['advance']['args'], now: number): undefined {
  sql.advance.run(realm, name, Math.min(to.getTime(), now), now)
}
