import type { Claim, ClaimedDelivery, ClaimRequest, ClaimSuspectsRequest, Orphan, Suspect } from '../inbox.ts'
import { readClaimed, readSuspect, type Row } from '../rows.ts'
import { checkHandler, type claimChecksSql } from './claim-checks.ts'
import { lineUp, readLine, type Line, type orderSql } from './order.ts'
import type { pauseSql } from './pause.ts'
import { claimable, givenLimit, isPausedSql, type Prepared } from './prepared.ts'
import type { Operations } from './protocol.ts'
import type { Counting } from './tally.ts'

/**
 * The columns of `readClaimed`. The token and the attempts are those that `lease` will set: RETURNING would take almost
 * as long as the rest of a claim.
 */
const claimedColumns = `d.id, d.realm, d.handler, d.losses, d.suspicion, d.on_loss, d.order_key,
           d.job_id, (SELECT given ->> 'trace' FROM job WHERE job.id = d.job_id) AS replay_trace,
           d.token + 1 AS token, d.attempts + (d.state <> 'running') AS attempts, d.state AS state_before, d.due_at AS due_before, d.owner AS owner_before, e.id AS event_id, e.source, e.type, e.headers, e.endpoint, e.received_at, e.trace, e.body`

export const claimSql = {
  /** Due deliveries, expired leases, and deliveries whose event was deleted by hand. Excludes suspects. */
  due: `
    SELECT ${claimedColumns} FROM delivery AS d LEFT JOIN event AS e ON e.seq = d.event_seq
    WHERE d.handler = ? AND d.${claimable} AND d.due_at <= ? AND (d.suspicion = 0 OR d.state = 'running' OR e.seq IS NULL)
      AND (e.source = ? OR e.seq IS NULL)
    ORDER BY d.due_at, d.id ${givenLimit}`,
  nextDue: `
    SELECT due_at FROM delivery WHERE handler = ? AND ${claimable} AND state = 'pending' AND suspicion = 0 AND due_at > ? ORDER BY due_at LIMIT 1`,
  /** A lost run was counted when it began. */
  lease: `
    UPDATE delivery SET attempts = attempts + (state <> 'running'), on_loss = iif(state = 'running', on_loss, ?), state = 'running',
      token = token + 1, due_at = ?, owner = ? WHERE id = ?`,
  suspects: `
    SELECT id, handler, suspicion FROM delivery WHERE state = 'pending' AND suspicion > 0 AND due_at <= ? AND NOT ${isPausedSql('delivery.handler')}
    AND EXISTS (SELECT 1 FROM event JOIN json_each(?) AS known ON known.value ->> 'name' = handler AND known.value ->> 'source' = source
      WHERE seq = event_seq) ORDER BY due_at, id LIMIT 100`,
  dueSuspect: `
    SELECT ${claimedColumns} FROM delivery AS d JOIN event AS e ON e.seq = d.event_seq WHERE d.id = ? AND d.state = 'pending' AND d.due_at <= ?
      AND NOT ${isPausedSql('d.handler')}`,
  deleteOrphan: 'DELETE FROM delivery WHERE id = ?',
  deleteAttemptsOf: 'DELETE FROM attempt WHERE delivery_id = ?'
} as const

type Sql = Prepared<typeof claimSql & typeof claimChecksSql & typeof orderSql & typeof pauseSql> & Counting

/** Claims due deliveries and expired leases. Suspects are claimed on their own. */
export function claim(sql: Sql, request: ClaimRequest, now: number): Claim {
  return claimDue(sql, request, now).claim
}

/** Claims as `claim` does. @returns also which of the handlers have nothing else due */
export function claimDue(
  sql: Sql,
  request: ClaimRequest,
  now: number
): { readonly claim: Claim; readonly exhausted: ReadonlySet<string> } {
  const exhausted = new Set<string>()
  const deliveries: ClaimedDelivery[] = []
  const orphans: Orphan[] = []
  let nextDueAt = Infinity
  let left = request.limit
  for (const { handler, source, limit } of request.wants) {
    if (sql.isPaused.get(handler) !== undefined) continue
    const isChecked = checkHandler(sql, handler, now)
    const room = Math.min(limit, left)
    const rows = room === 0 ? [] : sql.due.all(handler, now, source, room)
    left -= rows.length
    const claimed = rows.flatMap((row) => {
      if (row['event_id'] !== null) return leaseRow(sql, { ...request, onLoss: 'loss' }, row, now) ?? []
      orphans.push(dropOrphan(sql, handler, row))
      return []
    })
    deliveries.push(...claimed)
    // More may be due already: the dispatcher asks again when it has room. Deliveries that were not first now wait in
    // their line. Others may be due instead. The checks may make more due.
    const mayHaveMore = !isChecked || (room > 0 && (rows.length === room || claimed.length < rows.length))
    if (room > 0 && !mayHaveMore) exhausted.add(handler)
    const next = mayHaveMore ? now : sql.nextDue.get(handler, room === 0 ? 0 : now)?.['due_at']
    if (next !== undefined) nextDueAt = Math.min(nextDueAt, Number(next))
  }
  const claim = {
    deliveries,
    nextDueAt: nextDueAt === Infinity ? undefined : new Date(nextDueAt),
    ...(orphans.length > 0 && { orphans })
  }
  return { claim, exhausted }
}

/** Deletes a delivery whose event was deleted by hand: others with the same order key must not wait for it. */
function dropOrphan(sql: Sql, handler: string, row: Row): Orphan {
  const id = Number(row['id'])
  sql.deleteAttemptsOf.run(id)
  sql.deleteOrphan.run(id)
  lineUp(sql, readLine(row))
  return { id, handler }
}

/** Lists the due suspects of these handlers. */
export function findSuspects(sql: Sql, handlers: Operations['suspects']['args'], now: number): Suspect[] {
  return sql.suspects.all(now, JSON.stringify(handlers)).map(readSuspect)
}

/** Claims these deliveries, if they are still due and first in the lines of their keys. */
export function claimSuspects(sql: Sql, { ids, ...terms }: ClaimSuspectsRequest, now: number): ClaimedDelivery[] {
  return ids.flatMap((id) => {
    const row = sql.dueSuspect.get(id, now)
    return (row && leaseRow(sql, terms, row, now)) ?? []
  })
}

/** @returns undefined if the delivery is not the first of its line */
function leaseRow(
  sql: Sql,
  { owner, leaseMs, onLoss }: Omit<ClaimSuspectsRequest, 'ids'>,
  row: Row,
  now: number
): ClaimedDelivery | undefined {
  const id = Number(row['id'])
  const line = readLine(row)
  // A lost run still has its place in the line.
  if (row['state_before'] !== 'running' && line.orderKey !== null && !isFirst(sql, line, id, now)) return undefined
  sql.lease.run(onLoss, now + leaseMs, owner, id)
  sql.claimed.set(id, line.handler)
  return readClaimed(row)
}

/**
 * Puts failed deliveries of the line that are due again back in line.
 * @returns true if the delivery is now the first of the line
 */
function isFirst(sql: Sql, line: Line, id: number, now: number): boolean {
  sql.rejoinLine.run(line.handler, line.realm, line.orderKey, now)
  lineUp(sql, line)
  return sql.stateOf.get(id)?.['state'] === 'pending'
}
