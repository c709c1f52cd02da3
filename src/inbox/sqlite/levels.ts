import type * as contract from '../inbox.ts'
import { readOpenCounts, readTime } from '../rows.ts'
import { claimable, type Prepared } from './prepared.ts'
import { inTime } from './read-limit.ts'
import { countOpenSql, oldestDueAt, readOverdue, type readSql } from './read.ts'

export const levelsSql = {
  countOpen: `${countOpenSql} ORDER BY handler`,
  countLater: `
    SELECT count(*) AS count FROM delivery INDEXED BY delivery_due
    WHERE handler = ? AND ${claimable} AND state = 'pending' AND due_at > ? AND ${inTime('id')}`,
  nextOf: `
    SELECT due_at FROM delivery INDEXED BY delivery_due WHERE handler = ? AND ${claimable} AND state = 'pending' ORDER BY due_at LIMIT 1`,
  countQuarantined: `
    SELECT count(*) AS count FROM event INDEXED BY event_quarantined WHERE state = 'quarantined' AND ${inTime('seq')}`,
  oldestEvent: 'SELECT received_at FROM event ORDER BY seq LIMIT 1',
  fileSize: 'SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size'
} as const

type Sql = Prepared<typeof levelsSql & typeof readSql>

/** Returns how much is left to do, and the size of the file. */
export function readLevels(sql: Sql, _args: undefined, now: number): contract.InboxLevels {
  return {
    byHandler: readOpenCounts(sql.countOpen.all(), (handler) => ({
      later: Number(sql.countLater.get(handler, now)?.['count']),
      oldestDueAt: readOverdue(sql.nextOf.get(handler), now)
    })),
    oldestDueAt: oldestDueAt(sql, now),
    quarantined: Number(sql.countQuarantined.get()?.['count']),
    oldestEventAt: readTime(sql.oldestEvent.get()?.['received_at']),
    sizeBytes: Number(sql.fileSize.get()?.['bytes'])
  }
}
