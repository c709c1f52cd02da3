import { tallyKinds, toMinute } from '../../model/tally.ts'
import type { Row } from '../rows.ts'
import { firstLine, lineUpSome, type orderSql } from './order.ts'
import { claimable, type Prepared } from './prepared.ts'

/*
 * Claims also check due times that a wrong clock has set, and lines that are out of order. A claim checks some rows
 * only, so that a handler with millions of them delays no recording. Without a sign of a wrong clock, due times are not
 * checked.
 */

/** Deliveries checked per claim. */
const stepSize = 500

export const claimChecksSql = {
  /** True if the newest counts, audit entries, jobs or failures are of the future. Each is found by its index. */
  wasAhead: `
    SELECT ${tallyKinds.map((kind) => `EXISTS (SELECT 1 FROM tally WHERE kind = '${kind}' AND minute > given.minute)`).join(' OR ')}
      OR EXISTS (SELECT 1 FROM audit WHERE at > given.ms)
      OR coalesce((SELECT created_at FROM job WHERE id = (SELECT max(id) FROM job)) > given.ms, false)
      OR coalesce((SELECT ended_at FROM attempt WHERE rowid = (SELECT max(rowid) FROM attempt)) > given.ms, false) AS answer
    FROM (SELECT ? AS minute, ? AS ms) AS given`,
  pendingAfter: `
    SELECT id, due_at, attempts, iif(attempts > 0, (SELECT max(ended_at) FROM attempt WHERE delivery_id = delivery.id), NULL) AS ended_at
    FROM delivery WHERE handler = ? AND ${claimable} AND state = 'pending' AND (due_at, id) > (?, ?) ORDER BY due_at, id LIMIT ${stepSize}`,
  waitingAfter: `
    SELECT id, due_at, attempts, realm, order_key, event_seq FROM delivery
    WHERE handler = ? AND order_key IS NOT NULL AND state = 'waiting' AND (realm, order_key, event_seq) > (?, ?, ?)
    ORDER BY realm, order_key, event_seq LIMIT ${stepSize}`,
  setDue: 'UPDATE delivery SET due_at = ? WHERE id = ?'
} as const

type Sql = Prepared<typeof claimChecksSql & typeof orderSql>

interface Checks {
  /** The time of the last claim. */
  claimedAt: number
  /** The last waiting delivery that was checked: its line and event. Undefined if the check is complete. */
  waiting: readonly [realm: string, orderKey: string, eventSeq: number] | undefined
  /** The last pending delivery that was checked: its due time and id. Undefined if the check is complete. */
  pending: readonly [dueAt: number, id: number] | undefined
  /** The last line that was checked. */
  line: typeof firstLine
  /** When lines were last checked. Undefined until all were checked once. */
  linesAt: number | undefined
}

/** The checks of each handler, by open file. */
const checks = new WeakMap<Sql, Map<string, Checks>>()

/**
 * Does the next step of the checks of this handler.
 * @returns true if its due times and its lines were all checked since the start, or since the clock was set back
 */
export function checkHandler(sql: Sql, handler: string, now: number): boolean {
  const state = readChecks(sql, handler, now)
  if (now < state.claimedAt - 1_000) Object.assign(state, fromStart(now))
  state.claimedAt = now
  // Waiting ones first: they become pending meanwhile.
  if (state.waiting !== undefined) state.waiting = checkWaiting(sql, handler, state.waiting, now)
  if (state.waiting === undefined && state.pending !== undefined)
    state.pending = checkPending(sql, handler, state.pending, now)
  checkLines(sql, handler, state, now)
  return state.pending === undefined && state.linesAt !== undefined
}

/** Checks the due times again: deliveries were resumed, perhaps after the check of the others was complete. */
export function checkAgain(sql: Sql, handler: string, now: number): void {
  const state = checks.get(sql)?.get(handler)
  if (state !== undefined && wasAhead(sql, now)) Object.assign(state, fromStart(now))
}

function readChecks(sql: Sql, handler: string, now: number): Checks {
  const ofFile = checks.get(sql) ?? new Map<string, Checks>()
  const known = ofFile.get(handler)
  if (known !== undefined) return known
  const dueTimes = wasAhead(sql, now) ? fromStart(now) : complete
  const state = { claimedAt: now, ...dueTimes, line: firstLine, linesAt: undefined }
  checks.set(sql, ofFile.set(handler, state))
  return state
}

/**
 * Due times are checked after a start, and after the clock was set back. Otherwise, deliveries that were scheduled
 * while the clock was ahead would wait until the time that it showed.
 */
type DueTimes = Pick<Checks, 'pending' | 'waiting'>

const complete: DueTimes = { waiting: undefined, pending: undefined }

function fromStart(now: number): DueTimes {
  return { waiting: ['', '', 0], pending: [now, Number.MAX_SAFE_INTEGER] }
}

/** True if the clock was ahead of this time in a former run. Counts are of whole minutes. */
function wasAhead(sql: Sql, now: number): boolean {
  return sql.wasAhead.get(toMinute(now), now + 1_000)?.['answer'] === 1
}

/** A wrong clock scheduled first attempts that are due later than this. A replay delays a line by at most a minute. */
const maxFirstDelayMs = 120_000

function checkPending(
  sql: Sql,
  handler: string,
  after: NonNullable<Checks['pending']>,
  now: number
): Checks['pending'] {
  const rows = sql.pendingAfter.all(handler, ...after)
  for (const row of rows) {
    const [id, dueAt, endedAt] = [Number(row['id']), Number(row['due_at']), Number(row['ended_at'])]
    if (isFirstTooLate(row, now)) sql.setDue.run(now, id)
    // A retry is due after the same delay, from now.
    else if (endedAt > now + 1_000) sql.setDue.run(now + Math.max(0, dueAt - endedAt), id)
  }
  const last = rows[stepSize - 1]
  return last && [Number(last['due_at']), Number(last['id'])]
}

function checkWaiting(
  sql: Sql,
  handler: string,
  after: NonNullable<Checks['waiting']>,
  now: number
): Checks['waiting'] {
  const rows = sql.waitingAfter.all(handler, ...after)
  for (const row of rows) if (isFirstTooLate(row, now)) sql.setDue.run(now, Number(row['id']))
  const last = rows[stepSize - 1]
  return last && [String(last['realm']), String(last['order_key']), Number(last['event_seq'])]
}

function isFirstTooLate(row: Row, now: number): boolean {
  return row['attempts'] === 0 && Number(row['due_at']) > now + maxFirstDelayMs
}

/** The interval at which some lines of a handler are checked, after all were checked once. */
const lineCheckMs = 10_000

/**
 * Puts some lines of the handler in order: with each claim until all were checked once, then at intervals, or after the
 * clock was set back. Deliveries that were deleted or changed by hand leave others waiting.
 */
function checkLines(sql: Sql, handler: string, state: Checks, now: number): void {
  if (state.linesAt !== undefined && Math.abs(now - state.linesAt) < lineCheckMs) return
  state.line = lineUpSome(sql, handler, state.line)
  if (state.linesAt !== undefined || state.line === firstLine) state.linesAt = now
}
