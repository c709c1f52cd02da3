import type { Statements } from './statements.ts'

/** Deliveries that run one at a time. A delivery without an order key is in no line. */
export interface Line {
  readonly handler: string
  readonly realm: string
  readonly orderKey: string | null
}

/** The line of a delivery's row. */
export function readLine(row: Readonly<Record<string, unknown>>): Line {
  return {
    handler: String(row['handler']),
    realm: String(row['realm']),
    orderKey: row['order_key'] as string | null
  }
}

/**
 * Puts the deliveries of an order key in line. Those that are due or wait go in the order in which their events
 * arrived: the first is pending, or waits with the others while one of the key is running, or while one that arrived
 * before it is parked. Called after whatever may have changed that, in the same transaction.
 */
export function lineUp(sql: Statements, { handler, realm, orderKey }: Line): void {
  if (orderKey === null) return
  const head = sql.headOfKey.get(handler, realm, orderKey)
  const next = sql.nextOfKey.get(handler, realm, orderKey)
  const first = head === undefined || (next !== undefined && seqOf(next) < seqOf(head)) ? next : head
  if (first === undefined) return
  const parked = sql.parkedOfKey.get(handler, realm, orderKey)
  const isFree =
    sql.keyIsRunning.get(handler, realm, orderKey) === undefined &&
    (parked === undefined || seqOf(parked) > seqOf(first))
  if (head !== undefined) sql.stepBack.run(handler, realm, orderKey, isFree ? Number(first['id']) : 0)
  if (isFree && first === next) sql.setState.run('pending', Number(first['id']))
}

/** Lines checked per call. */
const linesPerCheck = 200

/** The start of a check of all lines. */
export const firstLine: Pick<Line, 'realm' | 'orderKey'> = { realm: '', orderKey: '' }

/**
 * Puts the next lines of a handler in order. Deliveries that were deleted or changed by hand leave others waiting.
 * @param after the last line that was checked; `firstLine` starts over
 * @returns the last line that was checked; `firstLine` at the end
 */
export function lineUpSome(
  sql: Statements,
  handler: string,
  after: Pick<Line, 'realm' | 'orderKey'>
): Pick<Line, 'realm' | 'orderKey'> {
  let last = after
  for (let count = 0; count < linesPerCheck; count += 1) {
    const row = sql.nextWaitingLine.get(handler, last.realm, last.orderKey)
    if (row === undefined) return firstLine
    const line = readLine({ ...row, handler })
    lineUp(sql, line)
    last = line
  }
  return last
}

/** True where one of the key is in line, running or parked: a delivery of an event that has just arrived waits. */
export function hasLine(sql: Statements, { handler, realm, orderKey }: Line): boolean {
  const kinds = [sql.keyIsRunning, sql.headOfKey, sql.nextOfKey, sql.parkedOfKey]
  return kinds.some((statement) => statement.get(handler, realm, orderKey) !== undefined)
}

function seqOf(row: Record<string, unknown>): number {
  return Number(row['event_seq'])
}
