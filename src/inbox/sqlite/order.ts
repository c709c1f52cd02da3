import type { Row } from '../rows.ts'
import type { Prepared } from './prepared.ts'

const fromLine = 'FROM delivery WHERE handler = ? AND realm = ? AND order_key = ?'

export const orderSql = {
  keyIsRunning: `SELECT 1 ${fromLine} AND state = 'running' LIMIT 1`,
  /** The first pending delivery of a line, except failed ones that let others overtake. */
  headOfKey: `SELECT id, event_seq ${fromLine} AND state = 'pending' AND overtakable = 0 ORDER BY event_seq LIMIT 1`,
  nextOfKey: `SELECT id, event_seq ${fromLine} AND state = 'waiting' ORDER BY event_seq LIMIT 1`,
  parkedOfKey: `SELECT event_seq ${fromLine} AND state = 'parked' ORDER BY event_seq LIMIT 1`,
  stepBack:
    "UPDATE delivery SET state = 'waiting' WHERE handler = ? AND realm = ? AND order_key = ? AND state = 'pending' AND overtakable = 0 AND id <> ?",
  rejoinLine: `
    UPDATE delivery SET overtakable = 0 WHERE id IN (
      SELECT id ${fromLine} AND state = 'pending' AND overtakable = 1 AND due_at <= ? ORDER BY due_at LIMIT 1000)`,
  stateOf: 'SELECT state FROM delivery WHERE id = ?',
  setState: 'UPDATE delivery SET state = ? WHERE id = ?',
  nextWaitingLine: `
    SELECT realm, order_key FROM delivery WHERE handler = ? AND (realm, order_key) > (?, ?) AND order_key IS NOT NULL AND state = 'waiting'
    ORDER BY realm, order_key LIMIT 1`,
  waitingLines:
    "SELECT DISTINCT handler, realm, order_key FROM delivery WHERE handler = ? AND order_key IS NOT NULL AND state = 'waiting'"
} as const

type Sql = Prepared<typeof orderSql>

/**
 * The deliveries of one realm and handler with one order key: they run one at a time. Without a key, there is no line.
 */
export interface Line {
  readonly handler: string
  readonly realm: string
  readonly orderKey: string | null
}

/** Reads the line of a row with the columns `handler`, `realm` and `order_key`. */
export function readLine(row: Row): Line {
  return {
    handler: String(row['handler']),
    realm: String(row['realm']),
    orderKey: row['order_key'] as string | null
  }
}

/**
 * Puts the deliveries of a line in the order in which their events arrived. The first one becomes pending. It waits
 * with the others while a delivery of the line is running, or one that arrived earlier is parked. Call this in the
 * transaction that may have changed the order.
 */
export function lineUp(sql: Sql, { handler, realm, orderKey }: Line): void {
  if (orderKey === null) return
  const head = sql.headOfKey.get(handler, realm, orderKey)
  const next = sql.nextOfKey.get(handler, realm, orderKey)
  const first = head === undefined || (next !== undefined && readSeq(next) < readSeq(head)) ? next : head
  if (first === undefined) return
  const parked = sql.parkedOfKey.get(handler, realm, orderKey)
  const isFree =
    sql.keyIsRunning.get(handler, realm, orderKey) === undefined &&
    (parked === undefined || readSeq(parked) > readSeq(first))
  if (head !== undefined) sql.stepBack.run(handler, realm, orderKey, isFree ? Number(first['id']) : 0)
  if (isFree && first === next) sql.setState.run('pending', Number(first['id']))
}

/** Lines checked per call. */
const linesPerCheck = 200

/** Comes before all lines. */
export const firstLine: Pick<Line, 'realm' | 'orderKey'> = { realm: '', orderKey: '' }

/**
 * Puts the next lines of a handler in order.
 * @param after the last line that was checked; `firstLine` starts over
 * @returns the last line that is checked now; `firstLine` at the end
 */
export function lineUpSome(
  sql: Sql,
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

/** True if a new delivery must wait: another one of its line is pending, waiting, running or parked. */
export function isBusy(sql: Sql, { handler, realm, orderKey }: Line): boolean {
  const kinds = [sql.keyIsRunning, sql.headOfKey, sql.nextOfKey, sql.parkedOfKey]
  return kinds.some((statement) => statement.get(handler, realm, orderKey) !== undefined)
}

function readSeq(row: Row): number {
  return Number(row['event_seq'])
}
