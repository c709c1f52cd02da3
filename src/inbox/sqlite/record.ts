import type { NewDelivery, RecordResult } from '../inbox.ts'
import { eventOutcome } from '../tally.ts'
import { isBusy, type orderSql } from './order.ts'
import type { Prepared } from './prepared.ts'
import type { Operations, PackedArrival, RecordArgs } from './protocol.ts'
import type { Counting } from './tally.ts'

export const recordSql = {
  insertEvent: `
    INSERT INTO event (realm, id, source, state, type, live_mode, created_time, endpoint, received_at, reason, receipt, headers, backfilled, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, realm) DO NOTHING`,
  /** Never a conflict if one of the two was backfilled: the API serialises the event again, so the bytes differ. */
  countDuplicate: `
    UPDATE event SET duplicates = duplicates + 1, conflicts = conflicts + (NOT ? AND NOT backfilled AND body <> ?) WHERE id = ? AND realm = ?
    RETURNING NOT ? AND NOT backfilled AND body <> ? AS conflict`,
  insertKey: 'INSERT INTO event_key (event_seq, value) VALUES (?, ?) ON CONFLICT DO NOTHING',
  isKnown: 'SELECT 1 FROM event WHERE id = ? AND realm = ?',
  insertDelivery: 'INSERT INTO delivery (event_seq, realm, handler, state, due_at, order_key) VALUES (?, ?, ?, ?, ?, ?)'
} as const

type Sql = Prepared<typeof recordSql & typeof orderSql> & Counting

/** Stores arrivals with their deliveries. */
export function record(sql: Sql, { arrivals, bodies }: RecordArgs, now: number): Operations['record']['result'] {
  let start = 0
  let due = false
  const results = arrivals.map((arrival) => {
    const [, end, deliveries] = arrival
    const body = bodies.subarray(start, end)
    start = end
    due ||= deliveries.length > 0
    const result = recordOne(sql, arrival, body, now)
    countRecorded(sql, arrival, result, now)
    return result
  })
  return { results, due }
}

function recordOne(
  sql: Sql,
  [columns, , deliveries, about]: PackedArrival,
  body: Uint8Array,
  now: number
): RecordResult {
  const [realm, id] = columns
  const backfilled = columns[12]
  const { changes, lastInsertRowid } = sql.insertEvent.run(...columns, body)
  if (changes === 0)
    return sql.countDuplicate.get(backfilled, body, id, realm, backfilled, body)?.['conflict'] === 1
      ? 'conflict'
      : 'duplicate'
  for (const key of about) sql.insertKey.run(lastInsertRowid, key)
  for (const delivery of deliveries) addDelivery(sql, Number(lastInsertRowid), realm, delivery, now)
  return 'accepted'
}

function countRecorded({ counts }: Sql, [columns]: PackedArrival, result: RecordResult, now: number): void {
  const [, , , state, type] = columns
  counts.addEvent(type, eventOutcome(result, state, columns[12] === 1), now)
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
