import type { DeliveryState, EventState } from '../model/event.ts'
import type {
  AttemptRecord,
  DeliveryDetail,
  DeliverySummary,
  EventCounts,
  EventSummary,
  InboxStats,
  Mismatch
} from './inbox.ts'

// What the SQL engines share: their columns have the same names, and they differ only in how they store times
// (milliseconds, or a Date) and flags (0 and 1, or a boolean).

export type Row = Readonly<Record<string, unknown>>

/** An event's row, without its deliveries. */
export function readSummary(row: Row): Omit<EventSummary, 'deliveries'> {
  return {
    realm: String(row['realm']),
    id: String(row['id']),
    source: String(row['source']),
    type: String(row['type']),
    state: row['state'] as EventState,
    liveMode: row['live_mode'] === null ? undefined : isTrue(row['live_mode']),
    createdTime: readText(row['created_time']),
    endpoint: String(row['endpoint']),
    receivedAt: timeOf(row['received_at']),
    backfilled: isTrue(row['backfilled']),
    duplicates: Number(row['duplicates']),
    conflicts: Number(row['conflicts']),
    reason: readText(row['reason'])
  }
}

export function readDelivery(row: Row): DeliverySummary {
  return {
    id: Number(row['id']),
    handler: String(row['handler']),
    state: row['state'] as DeliveryState,
    attempts: Number(row['attempts']),
    losses: Number(row['losses']),
    dueAt: row['state'] === 'pending' ? readTime(row['due_at']) : undefined,
    orderKey: readText(row['order_key']),
    owner: readText(row['owner']),
    lastError: readText(row['last_error']),
    settledAt: readTime(row['settled_at'])
  }
}

/** The attempts in the log, and the successful one, which is stored in the delivery's own row. */
export function readAttempts(delivery: Row, rows: readonly Row[]): AttemptRecord[] {
  const log = rows.map((row) => ({
    attempt: Number(row['attempt']),
    state: row['state'] as AttemptRecord['state'],
    startedAt: timeOf(row['started_at']),
    endedAt: timeOf(row['ended_at']),
    error: readText(row['error'])
  }))
  if (delivery['state'] !== 'done') return log
  const startedAt = timeOf(delivery['started_at'])
  const endedAt = timeOf(delivery['settled_at'])
  return [...log, { attempt: Number(delivery['attempts']), state: 'done', startedAt, endedAt, error: undefined }]
}

export function readMismatch(row: Row): Mismatch {
  return {
    realm: String(row['realm']),
    type: String(row['type']),
    path: String(row['path']),
    rule: String(row['rule']),
    handler: String(row['handler']),
    count: Number(row['count']),
    firstAt: timeOf(row['first_at']),
    lastAt: timeOf(row['last_at']),
    eventId: String(row['event_id'])
  }
}

/**
 * Sums up counted rows.
 * @param events one row for each realm
 * @param deliveries one row for each realm, handler and state, sorted by handler
 */
export function readStats(events: readonly Row[], deliveries: readonly Row[]): Omit<InboxStats, 'oldestDueAt'> {
  const handlers = [...new Set(deliveries.map((row) => String(row['handler'])))]
  return {
    ...countsOf(events, deliveries),
    byRealm: events.map((row) => ({
      realm: String(row['realm']),
      ...countsOf(
        [row],
        deliveries.filter(({ realm }) => realm === row['realm'])
      )
    })),
    byHandler: handlers.map((handler) => ({
      handler,
      ...statesOf(deliveries.filter((row) => row['handler'] === handler))
    }))
  }
}

function countsOf(events: readonly Row[], deliveries: readonly Row[]): EventCounts {
  const sum = (column: string): number => events.reduce((total, row) => total + Number(row[column]), 0)
  return {
    events: sum('events'),
    quarantined: sum('quarantined'),
    backfilled: sum('backfilled'),
    duplicates: sum('duplicates'),
    conflicts: sum('conflicts'),
    deliveries: statesOf(deliveries)
  }
}

function statesOf(rows: readonly Row[]): Record<DeliveryState, number> {
  const counts = noDeliveries()
  for (const row of rows) counts[row['state'] as DeliveryState] += Number(row['count'])
  return counts
}

/** Counts of deliveries by state, all zero. */
export function noDeliveries(): Record<DeliveryState, number> {
  return { pending: 0, waiting: 0, running: 0, done: 0, dead: 0, parked: 0 }
}

export function readText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function readTime(value: unknown): Date | undefined {
  if (value instanceof Date) return value
  return typeof value === 'number' ? new Date(value) : undefined
}

function timeOf(value: unknown): Date {
  return value instanceof Date ? value : new Date(Number(value))
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1
}

/**
 * For `restore`: nothing more happens to it by itself. All others are due again where they are restored, as they were
 * due.
 */
export function isSettled({ state }: Pick<DeliverySummary, 'state'>): boolean {
  return state === 'done' || state === 'dead'
}

/** For `restore`: the state in which a delivery is stored. One with an order key waits until its line is in order. */
export function restoredState(delivery: Pick<DeliverySummary, 'state' | 'orderKey'>): DeliveryState {
  if (isSettled(delivery) || delivery.state === 'parked') return delivery.state
  return delivery.orderKey === undefined ? 'pending' : 'waiting'
}

/** For engines that keep the attempt by which a delivery is done in the delivery's own row. */
export function successOf({ state, attemptLog }: DeliveryDetail): AttemptRecord | undefined {
  return state === 'done' ? attemptLog.at(-1) : undefined
}

/** All other attempts. */
export function unsuccessfulOf(delivery: DeliveryDetail): readonly AttemptRecord[] {
  return successOf(delivery) === undefined ? delivery.attemptLog : delivery.attemptLog.slice(0, -1)
}
