import type { Statements } from './statements.ts'

/**
 * Puts the deliveries of an order key in line. Those that are due or wait go in the order in which their events arrived: the first is
 * pending, or waits with the others while one of the key is running, or while one that arrived before it is parked. Called after
 * whatever may have changed that, in the same transaction.
 */
export function lineUp(sql: Statements, handler: string, orderKey: string | null): void {
  if (orderKey === null) return
  const head = sql.headOfKey.get(handler, orderKey)
  const next = sql.nextOfKey.get(handler, orderKey)
  const first = head === undefined || (next !== undefined && seqOf(next) < seqOf(head)) ? next : head
  if (first === undefined) return
  const parked = sql.parkedOfKey.get(handler, orderKey)
  const isFree = sql.keyIsRunning.get(handler, orderKey) === undefined && (parked === undefined || seqOf(parked) > seqOf(first))
  if (head !== undefined) sql.stepBack.run(handler, orderKey, isFree ? Number(first['id']) : 0)
  if (isFree && first === next) sql.setState.run('pending', Number(first['id']))
}

/** True where one of the key is in line, running or parked: a delivery of an event that has just arrived waits. */
export function hasLine(sql: Statements, handler: string, orderKey: string): boolean {
  const kinds = [sql.keyIsRunning, sql.headOfKey, sql.nextOfKey, sql.parkedOfKey]
  return kinds.some((statement) => statement.get(handler, orderKey) !== undefined)
}

function seqOf(row: Record<string, unknown>): number {
  return Number(row['event_seq'])
}
