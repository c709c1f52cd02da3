import { mostAttempts, mostFailedAttempts, summarizeLengths, type TimedAttempt } from '../attempt-lengths.ts'
import type { AttemptLengths } from '../inbox.ts'
import type { Row } from '../rows.ts'
import { readIndexedTo, type listIndexSql } from './list-index.ts'
import { claimable, type Prepared } from './prepared.ts'
import { inTime } from './read-limit.ts'

const isOfSpan = (column: string): string => `${column} > ? AND ${column} <= ? AND ${inTime(column)}`

export const lengthsSql = {
  /** A successful attempt is in the row of its delivery. */
  doneOfNewest: `
    SELECT handler, started_at, settled_at AS ended_at FROM delivery
    WHERE event_seq > ? AND state = 'done' AND ${inTime('event_seq')}`,
  indexedHandlers: 'SELECT handler, json_group_array(id) AS kinds FROM kind WHERE handler IS NOT NULL GROUP BY handler',
  countOfKinds: `
    SELECT count(*) AS count FROM json_each(?) AS kind CROSS JOIN event_kind ON event_kind.kind = kind.value
    WHERE ${isOfSpan('event_seq')}`,
  doneOfKinds: `
    SELECT d.handler, d.started_at, d.settled_at AS ended_at
    FROM json_each(?) AS kind CROSS JOIN event_kind AS k ON k.kind = kind.value
      CROSS JOIN delivery AS d ON d.event_seq = k.event_seq AND d.handler = ?
    WHERE ${isOfSpan('k.event_seq')} AND d.state = 'done' ORDER BY k.event_seq DESC LIMIT ${mostAttempts}`,
  failedAttempts: `
    SELECT d.handler, a.started_at, a.ended_at FROM attempt AS a CROSS JOIN delivery AS d ON d.id = a.delivery_id
    WHERE a.rowid > (SELECT coalesce(max(rowid), 0) - ${mostFailedAttempts} FROM attempt) AND a.state IN ('retry', 'dead')`,
  /** As many as the limit if many deliveries of the handler wait. */
  isBacklog: `
    SELECT count(*) AS count FROM (
      SELECT 1 FROM delivery INDEXED BY delivery_due WHERE handler = ? AND ${claimable} AND state = 'pending'
      UNION ALL
      SELECT 1 FROM delivery INDEXED BY delivery_waiting WHERE handler = ? AND order_key IS NOT NULL AND state = 'waiting'
      LIMIT ${mostAttempts})`,
  /** The events after that of the delivery that is due first have not run. */
  headOfBacklog: `
    SELECT event_seq FROM delivery INDEXED BY delivery_due WHERE handler = ? AND ${claimable} AND state = 'pending' ORDER BY due_at, id LIMIT 1`
} as const

type Sql = Prepared<typeof lengthsSql & Pick<typeof listIndexSql, 'indexedTo'>>

/** Returns how long the newest attempts of each handler took. */
export function readLengths(sql: Sql): AttemptLengths[] {
  const indexedTo = readIndexedTo(sql)
  return summarizeLengths(
    [
      ...sql.doneOfNewest.all(indexedTo),
      ...sql.indexedHandlers
        .all()
        .flatMap(({ handler, kinds }) => listDone(sql, String(handler), String(kinds), indexedTo)),
      ...sql.failedAttempts.all()
    ].map(readAttempt)
  )
}

/** Lists the newest successful attempts of a handler, of the events in the index. @param kinds those of the handler */
function listDone(sql: Sql, handler: string, kinds: string, indexedTo: number): Row[] {
  const isBacklog = Number(sql.isBacklog.get(handler, handler)?.['count']) === mostAttempts
  const head = isBacklog ? sql.headOfBacklog.get(handler)?.['event_seq'] : undefined
  const last = typeof head === 'number' ? Math.min(head - 1, indexedTo) : indexedTo
  let size = mostAttempts
  while (size < last && Number(sql.countOfKinds.get(kinds, last - size, last)?.['count']) < mostAttempts) size *= 4
  return sql.doneOfKinds.all(kinds, handler, last - size, last)
}

function readAttempt(row: Row): TimedAttempt {
  return { handler: String(row['handler']), startedAt: Number(row['started_at']), endedAt: Number(row['ended_at']) }
}
