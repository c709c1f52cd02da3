import type { Statements } from './statements.ts'

/**
 * Puts the deliveries of an order key in line. Those that are due or wait go in the order in which their events
 * arrived: the first is pending, or waits with the others while one of the key is running, or while one that arrived
 * before it is parked. Called after whatever may have changed that, in the same transaction.
 */
export function lineUp(sql: Statements, handler: string, orderKey: string | null): void {
  if (orderKey === null) return
  const head = sql.headOfKey.get(handler, orderKey)
  const next = sql.nextOfKey.get(handler, orderKey)
  const first = head === undefined || (next !== undefined && seqOf(next) < seqOf(head)) ? next : head
  if (first === undefined) return
  const parked = sql.parkedOfKey.get(handler, orderKey)
  const isFree =
    sql.keyIsRunning.get(handler, orderKey) === undefined && (parked === undefined || seqOf(parked) > seqOf(first))
  if (head !== undefined) sql.stepBack.run(handler, orderKey, isFree ? Number(first['id']) : 0)
  if (isFree && first === next) sql.setState.run('pending', Number(first['id']))
}

/** The most order keys that are checked at a time. */
const keysAtATime = 200

/**
 * Puts the next keys of a handler in line. Deliveries that were deleted or changed by hand leave others waiting.
 * @param after the last key that was checked; the empty string starts over
 * @returns the last key that was checked; the empty string at the end
 */
export function lineUpSome(sql: Statements, handler: string, after: string): string {
  let last = after
  for (let count = 0; count < keysAtATime; count += 1) {
    const row = sql.nextWaitingKey.get(handler, last)
    if (row === undefined) return ''
    last = String(row['order_key'])
    lineUp(sql, handler, last)
  }
  return last
}

/** True where one of the key is in line, running or parked: a delivery of an event that has just arrived waits. */
export function hasLine(sql: Statements, handler: string, orderKey: string): boolean {
  const kinds = [sql.keyIsRunning, sql.headOfKey, sql.nextOfKey, sql.parkedOfKey]
  return kinds.some((statement) => statement.get(handler, orderKey) !== undefined)
}

function seqOf(row: Record<string, unknown>): number {
  return Number(row['event_seq'])
}
