import { statfsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

import type { Prepared } from './prepared.ts'

export const freeShareSql = {
  /** The pages with data, and the limit that `maxBytes` sets. */
  pages: `
    SELECT page_count - freelist_count AS used, max_page_count AS most
    FROM pragma_page_count, pragma_freelist_count, pragma_max_page_count`
} as const

type Sql = Prepared<typeof freeShareSql> & { readonly db: DatabaseSync }

/**
 * Returns the free part of the file's disk, or of its size limit if that is less: from 0 to 1.
 * @returns undefined if the file system does not say
 */
export function readFreeShare(sql: Sql): number | undefined {
  const path = sql.db.location()
  if (path === null) return undefined
  try {
    const { bavail, blocks } = statfsSync(path)
    const { used, most } = sql.pages.get() as { readonly used: number; readonly most: number }
    // Some network file systems report 0 blocks.
    return blocks === 0 ? undefined : Math.min(bavail / blocks, 1 - used / most)
  } catch {
    // Not every file system has the call. The probe itself finds a full disk.
    return undefined
  }
}
