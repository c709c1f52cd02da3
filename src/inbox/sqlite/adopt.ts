import { leaseRanOut } from '../../model/lease.ts'
import type { HandlerRecord } from '../inbox.ts'
import { readHandler, readText, type Row } from '../rows.ts'
import { lineUp, readLine, type orderSql } from './order.ts'
import { claimable, type Prepared } from './prepared.ts'
import type { settleSql } from './settle.ts'
import type { Counting } from './tally.ts'

/** Selects deliveries of events of one source, or, with NULL, those whose event was deleted by hand. */
const fromSource = '(SELECT source FROM event WHERE seq = event_seq) IS ?'

export const adoptSql = {
  /** Scans all deliveries, which is acceptable at start-up. */
  unsettledHandlers: `
    SELECT DISTINCT d.handler, e.source FROM delivery AS d LEFT JOIN event AS e ON e.seq = d.event_seq
    WHERE d.state IN ('pending', 'waiting', 'running', 'parked')`,
  expired: `SELECT id, attempts, due_at, owner FROM delivery WHERE handler = ? AND ${claimable} AND state = 'running' AND due_at <= ? AND ${fromSource}`,
  expire: `
    UPDATE delivery SET state = 'pending', owner = NULL, overtakable = 0, losses = losses + (on_loss <> 'attempt'),
      suspicion = suspicion + (on_loss <> 'nothing'), last_error = ? WHERE id = ?`,
  park: `UPDATE delivery SET state = 'parked' WHERE handler = ? AND state IN ('pending', 'waiting') AND ${fromSource}`,
  unpark: `
    UPDATE delivery SET state = iif(order_key IS NULL, 'pending', 'waiting') WHERE handler = ? AND state = 'parked' AND ${fromSource}`,
  clearHandlers: 'DELETE FROM handler',
  insertHandler: 'INSERT INTO handler (name, source, pattern, ordered) VALUES (?, ?, ?, ?)',
  handlers: 'SELECT name, source, pattern, ordered FROM handler ORDER BY position'
} as const

type Sql = Prepared<typeof adoptSql & typeof orderSql & typeof settleSql> & Counting

/** Stores the list of handlers. Parks the deliveries of missing handlers, and resumes parked ones of these. */
export function adopt(sql: Sql, handlers: readonly HandlerRecord[], now: number): { parked: number; resumed: number } {
  sql.clearHandlers.run()
  for (const { name, source, pattern, ordered } of handlers)
    sql.insertHandler.run(name, source, pattern, ordered === true ? 1 : 0)
  let parked = 0
  let resumed = 0
  for (const row of sql.unsettledHandlers.all()) {
    const handler = String(row['handler'])
    // Null if the event was deleted by hand.
    const source = row['source'] as string | null
    if (handlers.every((known) => known.name !== handler || (source !== null && known.source !== source))) {
      for (const expired of sql.expired.all(handler, now, source)) expire(sql, handler, expired, now)
      parked += Number(sql.park.run(handler, source).changes)
    } else resumed += Number(sql.unpark.run(handler, source).changes)
    for (const line of sql.waitingLines.all(handler)) lineUp(sql, readLine(line))
  }
  return { parked, resumed }
}

/** Lists the handlers last adopted. */
export function listHandlers(sql: Sql): HandlerRecord[] {
  return sql.handlers.all().map(readHandler)
}

/** Ends the attempt of a running delivery whose lease has run out. */
function expire(sql: Sql, handler: string, row: Row, now: number): void {
  const error = leaseRanOut(readText(row['owner']))
  sql.logAttempt.run(Number(row['id']), Number(row['attempts']), 'lost', Number(row['due_at']), now, error)
  sql.expire.run(error, Number(row['id']))
  sql.counts.addAttempt(handler, 'lost', 0, now)
}
