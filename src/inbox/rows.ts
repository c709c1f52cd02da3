import type { AlarmName } from '../model/alarm.ts'
import { randomBytes } from 'node:crypto'

import type { DeliveryState, EventState, KeptHeaders, Receipt } from '../model/event.ts'
import type { ActorOrigin, AuditEntry } from '../model/audit.ts'
import type { RiverhookError } from '../model/errors.ts'
import { hideAbout, reviveFilter, type Job, type JobState, type NewJob } from '../model/job.ts'
import type {
  AcknowledgedAlarm,
  AttemptRecord,
  ClaimedDelivery,
  DeliveryDetail,
  DeliverySummary,
  EventCounts,
  EventDetail,
  EventSummary,
  FailedDelivery,
  HandlerRecord,
  JobReplayResult,
  InboxLevels,
  InboxStats,
  LostRun,
  ReplayCause,
  Mismatch,
  OnLoss,
  Pause,
  RetryCount,
  Suspect,
  Watermark
} from './inbox.ts'
import type { Counted } from './tally.ts'

// Conversions that the engines share. The columns of the SQL engines have the same names. Only times (milliseconds, or
// a Date) and flags (0 and 1, or a boolean) differ.

/** The beginning of an encrypted text: see src/inbox/encryption/cipher.ts. A part of one cannot be decrypted. */
export const sealedMark = 'rh1.'

/** In characters of an error: how much of it a list shows. */
export const shownError = 1_000
/** In characters of an encrypted error, which a list reads as a whole. */
const longestSealed = 20_000

/** How much of an error a list reads. */
export function shownLength(error: string): number {
  return error.startsWith(sealedMark) ? longestSealed : shownError
}

/** The same in SQL. */
export const shownLengthSql = (error: string): string =>
  `CASE WHEN substr(${error}, 1, ${sealedMark.length}) = '${sealedMark}' THEN ${longestSealed} ELSE ${shownError} END`

/** A row of a SQL engine. */
export type Row = Readonly<Record<string, unknown>>

/** Reads an event, without its deliveries. */
export function readSummary(row: Row): Omit<EventSummary, 'deliveries'> {
  return {
    realm: String(row['realm']),
    id: String(row['id']),
    source: String(row['source']),
    type: String(row['type']),
    state: row['state'] as EventState,
    liveMode: row['live_mode'] === null ? undefined : isTrue(row['live_mode']),
    createdTime: readText(row['created_time']),
    resource: readText(row['resource']),
    endpoint: String(row['endpoint']),
    receivedAt: toDate(row['received_at']),
    backfilled: isTrue(row['backfilled']),
    duplicates: Number(row['duplicates']),
    conflicts: Number(row['conflicts']),
    reason: readText(row['reason'])
  }
}

/**
 * Reads the details of an event, without its deliveries.
 * @param keys one row for each search key
 */
export function readDetail(row: Row, keys: readonly Row[]): Omit<EventDetail, 'deliveries'> {
  return {
    ...readSummary(row),
    about: keys.map(({ value }) => String(value)),
    receipt: JSON.parse(String(row['receipt'])) as Receipt,
    body: row['body'] as Uint8Array,
    headers: unpackHeaders(row['headers']),
    trace: readText(row['trace'])
  }
}

/**
 * Reads a delivery that was just claimed, with its event. `state_before`, `due_before` and `owner_before` are from
 * before the claim. All other columns are from after it.
 */
export function readClaimed(row: Row): ClaimedDelivery {
  return {
    id: Number(row['id']),
    token: Number(row['token']),
    handler: String(row['handler']),
    orderKey: readText(row['order_key']),
    attempt: Number(row['attempts']),
    losses: Number(row['losses']),
    suspicion: Number(row['suspicion']),
    lost: readLostRun(row),
    replay: readCause(row),
    event: {
      realm: String(row['realm']),
      id: String(row['event_id']),
      source: String(row['source']),
      type: String(row['type']),
      headers: unpackHeaders(row['headers']),
      endpoint: String(row['endpoint']),
      receivedAt: toDate(row['received_at']),
      body: row['body'] as Uint8Array,
      trace: readText(row['trace'])
    }
  }
}

function readCause(row: Row): ReplayCause | undefined {
  const jobId = row['job_id']
  if (jobId === null || jobId === undefined) return undefined
  return { jobId: Number(jobId), trace: readText(row['replay_trace']) }
}

function readLostRun(row: Row): LostRun | undefined {
  if (row['state_before'] !== 'running') return undefined
  return { owner: readText(row['owner_before']), at: toDate(row['due_before']), onLoss: row['on_loss'] as OnLoss }
}

export function readSuspect(row: Row): Suspect {
  return { id: Number(row['id']), handler: String(row['handler']), suspicion: Number(row['suspicion']) }
}

export function readHandler(row: Row): HandlerRecord {
  return {
    name: String(row['name']),
    source: String(row['source']),
    pattern: String(row['pattern']),
    ordered: isTrue(row['ordered'])
  }
}

export function readPause(row: Row): Pause {
  return { handler: String(row['handler']), since: toDate(row['since']) }
}

export function readWatermark(row: Row): Watermark {
  return { realm: String(row['realm']), name: String(row['name']), at: toDate(row['at']) }
}

/** A key for `signingKey()`. */
export function newSigningKey(): Uint8Array {
  return randomBytes(32)
}

/** Converts the work of a job to its stored form. */
export function packJob(job: NewJob): string {
  return JSON.stringify(job)
}

/** Removes personal data from the stored form of a job that has ended: only its work needs them. */
export function repackEnded(given: unknown): string {
  const { hidden: _ended, ...job } = JSON.parse(String(given)) as NewJob
  return packJob({ ...job, filter: hideAbout(job.filter) })
}

export function readJob(row: Row): Job {
  const given = JSON.parse(String(row['given'])) as NewJob
  return {
    ...given,
    filter: reviveFilter(given.filter),
    planned: Number(row['planned']),
    id: Number(row['id']),
    state: row['state'] as JobState,
    replayed: Number(row['replayed']),
    created: Number(row['created']),
    skipped: Number(row['skipped']),
    refused: Number(row['refused']),
    owner: readText(row['owner']),
    createdAt: toDate(row['created_at']),
    startedAt: readTime(row['started_at']),
    endedAt: readTime(row['ended_at']),
    error: readText(row['error'])
  }
}

/** Counts the deliveries that were made due. */
export function countReplays(results: readonly (JobReplayResult | RiverhookError)[]): {
  readonly replayed: number
  readonly created: number
} {
  const count = (of: JobReplayResult): number => results.filter((result) => result === of).length
  return { replayed: count('replayed'), created: count('created') }
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
    settledAt: readTime(row['settled_at']),
    jobId: row['job_id'] === null ? undefined : Number(row['job_id'])
  }
}

/** Reads the attempts in the log, and the successful one, which is stored in the delivery's own row. */
export function readAttempts(delivery: Row, rows: readonly Row[]): AttemptRecord[] {
  const log = rows.map((row) => ({
    attempt: Number(row['attempt']),
    state: row['state'] as AttemptRecord['state'],
    startedAt: toDate(row['started_at']),
    endedAt: toDate(row['ended_at']),
    error: readText(row['error'])
  }))
  if (delivery['state'] !== 'done') return log
  const startedAt = toDate(delivery['started_at'])
  const endedAt = toDate(delivery['settled_at'])
  return [...log, { attempt: Number(delivery['attempts']), state: 'done', startedAt, endedAt, error: undefined }]
}

export function readAcknowledged(row: Row): AcknowledgedAlarm {
  return {
    // It was checked when it was stored, and another version may have other conditions.
    condition: String(row['condition']) as AlarmName,
    subject: String(row['subject']),
    since: toDate(row['since']),
    at: toDate(row['at'])
  }
}

export function readMismatch(row: Row): Mismatch {
  return {
    realm: String(row['realm']),
    type: String(row['type']),
    path: String(row['path']),
    rule: String(row['rule']),
    handler: String(row['handler']),
    count: Number(row['count']),
    firstAt: toDate(row['first_at']),
    lastAt: toDate(row['last_at']),
    eventId: String(row['event_id']),
    acknowledgedAt: readTime(row['acknowledged_at'])
  }
}

/** Reads a row of the tally. */
export function readCounted(row: Row): Counted {
  return {
    kind: row['kind'] as Counted['kind'],
    minute: Number(row['minute']),
    name: String(row['name']),
    outcome: String(row['outcome']),
    count: Number(row['count']),
    totalMs: Number(row['total_ms']),
    maxMs: Number(row['max_ms'])
  }
}

export function readFailed(row: Row): FailedDelivery {
  return {
    event: { realm: String(row['realm']), id: String(row['id']) },
    receivedAt: toDate(row['received_at']),
    handler: String(row['handler']),
    state: row['state'] as FailedDelivery['state'],
    error: String(row['error']),
    failedAt: toDate(row['failed_at']),
    hasFailed: isTrue(row['has_failed'])
  }
}

export function readRetry(row: Row): RetryCount {
  return {
    realm: String(row['realm']),
    handler: String(row['handler']),
    failed: Number(row['failed']),
    nextAt: readTime(row['next_at']),
    lost: Number(row['lost']),
    losses: Number(row['losses'])
  }
}

export function readAudit(row: Row): AuditEntry {
  return {
    seq: Number(row['seq']),
    at: toDate(row['at']),
    actor: String(row['actor']),
    via: row['via'] as ActorOrigin,
    peer: readText(row['peer']),
    requestId: readText(row['request_id']),
    action: String(row['action']),
    target: String(row['target']),
    count: Number(row['count']),
    outcome: String(row['outcome'])
  }
}

/**
 * Converts counted rows.
 * @param events one row for each realm
 * @param deliveries one row for each realm, handler and state, sorted by handler
 */
export function readStats(events: readonly Row[], deliveries: readonly Row[]): Omit<InboxStats, 'oldestDueAt'> {
  const handlers = [...new Set(deliveries.map((row) => String(row['handler'])))]
  return {
    ...sumCounts(events, deliveries),
    byRealm: events.map((row) => ({
      realm: String(row['realm']),
      ...sumCounts(
        [row],
        deliveries.filter(({ realm }) => realm === row['realm'])
      )
    })),
    byHandler: handlers.map((handler) => ({
      handler,
      ...sumStates(deliveries.filter((row) => row['handler'] === handler))
    }))
  }
}

function sumCounts(events: readonly Row[], deliveries: readonly Row[]): EventCounts {
  const sum = (column: string): number => events.reduce((total, row) => total + Number(row[column]), 0)
  return {
    events: sum('events'),
    quarantined: sum('quarantined'),
    backfilled: sum('backfilled'),
    duplicates: sum('duplicates'),
    conflicts: sum('conflicts'),
    deliveries: sumStates(deliveries)
  }
}

function sumStates(rows: readonly Row[]): Record<DeliveryState, number> {
  const counts = zeroCounts()
  for (const row of rows) counts[row['state'] as DeliveryState] += Number(row['count'])
  return counts
}

/**
 * Converts counted rows of deliveries that are not done.
 * @param rows one row for each handler, realm and state, sorted by handler
 * @param dueOf how many pending deliveries of a handler are not due, and when the longest overdue one fell due
 */
export function readOpenCounts(
  rows: readonly Row[],
  dueOf: (handler: string) => { readonly later: number; readonly oldestDueAt: Date | undefined }
): InboxLevels['byHandler'] {
  const handlers = [...new Set(rows.map((row) => String(row['handler'])))]
  return handlers.map((handler) => {
    const { pending, waiting, running, dead, parked } = sumStates(rows.filter((row) => row['handler'] === handler))
    // Counted by two statements: a delivery may have fallen due in between.
    const { later, oldestDueAt } = dueOf(handler)
    const notDue = Math.min(later, pending)
    return { handler, pending: pending - notDue, later: notDue, waiting, running, dead, parked, oldestDueAt }
  })
}

/** Returns counts of deliveries by state, all zero. */
export function zeroCounts(): Record<DeliveryState, number> {
  return { ...zeroUnfinished(), done: 0 }
}

/** Returns counts of the deliveries that are not done, by state, all zero. */
export function zeroUnfinished(): Record<Exclude<DeliveryState, 'done'>, number> {
  return { pending: 0, waiting: 0, running: 0, dead: 0, parked: 0 }
}

/** Converts kept headers to their stored form: null if there are none, as with most sources. */
export function packHeaders(headers: KeptHeaders): string | null {
  return Object.keys(headers).length === 0 ? null : JSON.stringify(headers)
}

/** Reverses `packHeaders`. */
function unpackHeaders(value: unknown): KeptHeaders {
  return typeof value === 'string' ? (JSON.parse(value) as KeptHeaders) : {}
}

export function readText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function readTime(value: unknown): Date | undefined {
  if (value instanceof Date) return value
  return typeof value === 'number' ? new Date(value) : undefined
}

function toDate(value: unknown): Date {
  return value instanceof Date ? value : new Date(Number(value))
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1
}

/** True for a delivery that runs again only if it is replayed. */
export function isSettled({ state }: Pick<DeliverySummary, 'state'>): boolean {
  return state === 'done' || state === 'dead'
}

/** The first state of a delivery: one with an order key waits until its line is put in order. */
export function stateBeforeLineUp({ orderKey }: Pick<DeliverySummary, 'orderKey'>): 'pending' | 'waiting' {
  return orderKey === undefined ? 'pending' : 'waiting'
}

/** The state in which `restore` stores a delivery: a running one is due again. */
export function restoredState(delivery: Pick<DeliverySummary, 'state' | 'orderKey'>): DeliveryState {
  if (isSettled(delivery) || delivery.state === 'parked') return delivery.state
  return stateBeforeLineUp(delivery)
}

/** Returns the successful attempt. The SQL engines store it in the delivery's own row. */
export function findSuccess({ state, attemptLog }: DeliveryDetail): AttemptRecord | undefined {
  return state === 'done' ? attemptLog.at(-1) : undefined
}

/** Lists all attempts except the successful one. */
export function listUnsuccessful(delivery: DeliveryDetail): readonly AttemptRecord[] {
  return findSuccess(delivery) === undefined ? delivery.attemptLog : delivery.attemptLog.slice(0, -1)
}
