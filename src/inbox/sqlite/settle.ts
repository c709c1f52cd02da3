import type { Settlement } from '../inbox.ts'
import type { Row } from '../rows.ts'
import { attemptMs } from '../tally.ts'
import { lineUp, readLine, type orderSql } from './order.ts'
import type { Prepared } from './prepared.ts'
import { unpackSettlements, type Operations, type PackedSettlements } from './protocol.ts'
import type { Counting } from './tally.ts'

export const settleSql = {
  /** Without RETURNING, which would take as long as the update: there is no line to continue. */
  settleUnorderedDone: `
    UPDATE delivery SET state = 'done', owner = NULL, started_at = ?, settled_at = ?
    WHERE id = ? AND token = ? AND state = 'running' AND order_key IS NULL`,
  settleDone: `
    UPDATE delivery SET state = 'done', owner = NULL, started_at = ?, settled_at = ? WHERE id = ? AND token = ? AND state = 'running'
    RETURNING handler, realm, order_key, attempts`,
  settleDead: `
    UPDATE delivery SET state = 'dead', owner = NULL, started_at = ?, settled_at = ?, last_error = ?
    WHERE id = ? AND token = ? AND state = 'running' RETURNING handler, realm, order_key, attempts`,
  settleRetry: `
    UPDATE delivery SET state = 'pending', owner = NULL, due_at = ?, overtakable = ?, last_error = ?, suspicion = 0
    WHERE id = ? AND token = ? AND state = 'running' RETURNING handler, realm, order_key, attempts`,
  settleLost: `
    UPDATE delivery SET state = 'pending', owner = NULL, due_at = ?, overtakable = ?, last_error = ?, losses = losses + ?, suspicion = suspicion + 1
    WHERE id = ? AND token = ? AND state = 'running' RETURNING handler, realm, order_key, attempts`,
  /** The attempt was not made, so it does not count. */
  settleBack: `
    UPDATE delivery SET state = ?, owner = NULL, due_at = ?, attempts = attempts - 1
    WHERE id = ? AND token = ? AND state = 'running' RETURNING handler, realm, order_key, attempts + 1 AS attempts`,
  handlerOf: 'SELECT handler FROM delivery WHERE id = ?',
  extend:
    "UPDATE delivery SET due_at = ?, on_loss = coalesce(?, on_loss) WHERE id = ? AND token = ? AND state = 'running'",
  logAttempt: 'INSERT INTO attempt (delivery_id, attempt, state, started_at, ended_at, error) VALUES (?, ?, ?, ?, ?, ?)'
} as const

type Sql = Prepared<typeof settleSql & typeof orderSql> & Counting

/** Stores the outcomes of attempts. An outcome with an old token is `stale`, and changes nothing. */
export function settle(sql: Sql, packed: PackedSettlements, now: number): Operations['settle']['result'] {
  let due = false
  const stale: number[] = []
  for (const [index, settlement] of unpackSettlements(packed).entries()) {
    if (settleUnordered(sql, settlement)) {
      count(sql, takeHandler(sql, settlement), settlement, now)
      continue
    }
    const row = settleOne(sql, settlement, now)
    if (row === undefined) {
      stale.push(index)
      continue
    }
    const line = readLine(row)
    lineUp(sql, line)
    sql.claimed.delete(settlement.id)
    count(sql, line.handler, settlement, now)
    due ||= line.orderKey !== null || settlement.outcome.state === 'released'
  }
  return { stale, due }
}

/** Returns the handler of a settled delivery. Reads it only if another process or thread claimed the delivery. */
function takeHandler({ claimed, handlerOf }: Sql, { id }: Settlement): string {
  const handler = claimed.get(id) ?? String(handlerOf.get(id)?.['handler'])
  claimed.delete(id)
  return handler
}

function count({ counts }: Sql, handler: string, settlement: Settlement, now: number): void {
  counts.addAttempt(handler, settlement.outcome.state, attemptMs(settlement), now)
}

/** Extends leases. @returns the ids of the deliveries whose lease was no longer held */
export function extend(sql: Sql, { leases, leaseMs, onLoss }: Operations['extend']['args'], now: number): number[] {
  return leases
    .filter(({ id, token }) => sql.extend.run(now + leaseMs, onLoss ?? null, id, token).changes === 0)
    .map(({ id }) => id)
}

/** Settles a delivery that succeeded and has no order key. @returns false, and changes nothing, for any other */
function settleUnordered(sql: Sql, { id, token, outcome, startedAt, endedAt }: Settlement): boolean {
  return (
    outcome.state === 'done' &&
    sql.settleUnorderedDone.run(startedAt.getTime(), endedAt.getTime(), id, token).changes === 1
  )
}

function settleOne(sql: Sql, settlement: Settlement, now: number): Row | undefined {
  const { id, token, outcome } = settlement
  const startedAt = settlement.startedAt.getTime()
  const endedAt = settlement.endedAt.getTime()
  switch (outcome.state) {
    case 'done':
      return sql.settleDone.get(startedAt, endedAt, id, token)
    case 'dead':
      return logAttempt(sql.settleDead.get(startedAt, endedAt, outcome.error, id, token), outcome.error)
    case 'retry':
      return logAttempt(
        sql.settleRetry.get(outcome.dueAt.getTime(), Number(outcome.releaseKey), outcome.error, id, token),
        outcome.error
      )
    case 'lost':
      return logAttempt(
        sql.settleLost.get(
          outcome.dueAt.getTime(),
          Number(outcome.releaseKey),
          outcome.error,
          outcome.counts ? 0 : 1,
          id,
          token
        ),
        outcome.error
      )
    case 'released':
      return logAttempt(sql.settleBack.get('pending', now, id, token), null)
    case 'parked':
      return logAttempt(sql.settleBack.get('parked', now, id, token), null)
  }

  /** Logs the attempt, unless the outcome is stale. */
  function logAttempt(row: Row | undefined, error: string | null): Row | undefined {
    if (row !== undefined) sql.logAttempt.run(id, Number(row['attempts']), outcome.state, startedAt, endedAt, error)
    return row
  }
}
