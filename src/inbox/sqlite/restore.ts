import { restoredState, findSuccess, listUnsuccessful } from '../rows.ts'
import type { EventDetail } from '../inbox.ts'
import { followEvents, type listIndexSql } from './list-index.ts'
import { lineUp, type orderSql } from './order.ts'
import { packEvent } from './protocol.ts'
import type { Prepared } from './prepared.ts'
import type { recordSql } from './record.ts'
import type { settleSql } from './settle.ts'

export const restoreSql = {
  setCounts: 'UPDATE event SET duplicates = ?, conflicts = ? WHERE seq = ?',
  restoreDelivery: `
    INSERT INTO delivery (event_seq, realm, handler, state, attempts, losses, due_at, order_key, started_at, settled_at, last_error)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
} as const

type Sql = Prepared<typeof restoreSql & typeof orderSql & typeof recordSql & typeof listIndexSql & typeof settleSql>

/** Stores events as they were in another inbox. @returns how many events were new */
export function restore(sql: Sql, events: readonly EventDetail[], now: number): number {
  const seqs = events.flatMap((event) => restoreOne(sql, event, now) ?? [])
  const newest = seqs.at(-1)
  if (newest !== undefined) followEvents(sql, newest)
  return seqs.length
}

/** @returns undefined if the event is known */
function restoreOne(sql: Sql, event: EventDetail, now: number): number | undefined {
  const { realm, duplicates, conflicts } = event
  const { changes, lastInsertRowid } = sql.insertEvent.run(...packEvent(event, event.backfilled), event.body)
  if (changes === 0) return undefined
  const seq = Number(lastInsertRowid)
  if (duplicates > 0) sql.setCounts.run(duplicates, conflicts, seq)
  for (const delivery of event.deliveries) restoreDelivery(sql, seq, realm, delivery, now)
  return seq
}

function restoreDelivery(
  sql: Sql,
  seq: number,
  realm: string,
  delivery: EventDetail['deliveries'][number],
  now: number
): void {
  const { handler, attempts, losses, dueAt, orderKey, settledAt, lastError } = delivery
  const state = restoredState(delivery)
  const startedAt = findSuccess(delivery)?.startedAt.getTime() ?? null
  const { lastInsertRowid } = sql.restoreDelivery.run(
    seq,
    realm,
    handler,
    state,
    attempts,
    losses,
    dueAt?.getTime() ?? now,
    orderKey ?? null,
    startedAt,
    settledAt?.getTime() ?? null,
    lastError ?? null
  )
  for (const { attempt, state: ending, startedAt: begun, endedAt, error } of listUnsuccessful(delivery)) {
    sql.logAttempt.run(lastInsertRowid, attempt, ending, begun.getTime(), endedAt.getTime(), error ?? null)
  }
  lineUp(sql, { handler, realm, orderKey: orderKey ?? null })
}
