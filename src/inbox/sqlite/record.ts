import type { NewDelivery, RecordResult } from '../inbox.ts'
import { eventOutcome } from '../tally.ts'
import { followEvents, type listIndexSql } from './list-index.ts'
import { isBusy, type orderSql } from './order.ts'
import type { Prepared } from './prepared.ts'
import type { Operations, PackedArrival, RecordArgs } from './protocol.ts'
import type { Counting } from './tally.ts'

export const recordSql = {
  insertEvent: `
    INSERT INTO event (realm, id, source, state, type, live_mode, created_time, endpoint, received_at, reason, receipt, headers, backfilled, about, resource, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, realm) DO NOTHING`,
  /** Never a conflict if one of the two was backfilled: the API serialises the event again, so the bytes differ. */
  countDuplicate: `
    UPDATE event SET duplicates = duplicates + 1, conflicts = conflicts + (NOT ? AND NOT backfilled AND body <> ?) WHERE id = ? AND realm = ?
    RETURNING NOT ? AND NOT backfilled AND body <> ? AS conflict`,
  isKnown: 'SELECT 1 FROM event WHERE id = ? AND realm = ?',
  insertDelivery: 'INSERT INTO delivery (event_seq, realm, handler, state, due_at, order_key) VALUES (?, ?, ?, ?, ?, ?)'
} as const

type Sql = Prepared<typeof recordSql & typeof orderSql & typeof listIndexSql> & Counting

/** Stores arrivals with their deliveries. */
export function record(sql: Sql, { arrivals, bodies }: RecordArgs, now: number): Operations['record']['result'] {
  let start = 0
  let due = false
  let newest: number | undefined
  const results = arrivals.map((arrival) => {
    const [, end, deliveries] = arrival
    const body = bodies.subarray(start, end)
    start = end
    due ||= deliveries.length > 0
    const seq = insert(sql, arrival, body, now)
    const result = seq === undefined ? countAgain(sql, arrival, body) : 'accepted'
    const columns = arrival[0]
    sql.counts.addEvent(columns[4], eventOutcome(result, columns[3], columns[12] === 1), now)
    newest = seq ?? newest
    return result
  })
  if (newest !== undefined) followEvents(sql, newest)
  return { results, due }
}

/** Stores an event with its deliveries. @returns undefined if it is known */
function insert(sql: Sql, [columns, , deliveries]: PackedArrival, body: Uint8Array, now: number): number | undefined {
  const { changes, lastInsertRowid } = sql.insertEvent.run(...columns, body)
  if (changes === 0) return undefined
  const seq = Number(lastInsertRowid)
  for (const delivery of deliveries) addDelivery(sql, seq, columns[0], delivery, now)
  return seq
}

function countAgain(sql: Sql, [columns]: PackedArrival, body: Uint8Array): RecordResult {
  const [realm, id] = columns
  const backfilled = columns[12]
  const row = sql.countDuplicate.get(backfilled, body, id, realm, backfilled, body)
  return row?.['conflict'] === 1 ? 'conflict' : 'duplicate'
}

/** Adds a delivery of an event that arrives now, at the end of its line. */
function addDelivery(sql: Sql, eventSeq: number, realm: string, { handler, orderKey }: NewDelivery, now: number): void {
  const waits = orderKey !== undefined && isBusy(sql, { handler, realm, orderKey })
  sql.insertDelivery.run(eventSeq, realm, handler, waits ? 'waiting' : 'pending', now, orderKey ?? null)
}

/** Finds which ids the realm has. */
export function findKnown(sql: Sql, { realm, ids }: Operations['known']['args']): ReadonlySet<string> {
  return new Set(ids.filter((id) => sql.isKnown.get(id, realm) !== undefined))
}
