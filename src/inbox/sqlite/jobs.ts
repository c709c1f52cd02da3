import type { Act } from '../../model/audit.ts'
import type { Job, NewJob } from '../../model/job.ts'
import { addJobResult, stopJobResult } from '../act-results.ts'
import type * as contract from '../inbox.ts'
import { countReplays, packJob, readJob, repackEnded } from '../rows.ts'
import { writeAudit, type auditSql } from './audit.ts'
import { givenLimit, type Prepared } from './prepared.ts'
import { replayOnce, type ReplaySql } from './replay.ts'

const columns =
  'id, state, given, planned, replayed, created, skipped, refused, owner, created_at, started_at, ended_at, error'
/** The condition of the partial index. */
const isOpen = "state IN ('waiting', 'running')"
const isHeld = "id = ? AND state = 'running' AND token = ?"

export const jobsSql = {
  position: 'SELECT coalesce(max(seq), 0) AS seq FROM event',
  addJob: `INSERT INTO job (state, given, idempotency_key, planned, created_at) VALUES ('waiting', ?, ?, ?, ?) RETURNING ${columns}`,
  jobOfKey: `SELECT ${columns} FROM job WHERE idempotency_key = ?`,
  jobs: `SELECT ${columns} FROM job WHERE id < ? ORDER BY id DESC ${givenLimit}`,
  job: `SELECT ${columns} FROM job WHERE id = ?`,
  stopJob: `UPDATE job SET state = 'stopped', owner = NULL, ended_at = ? WHERE id = ? AND ${isOpen} RETURNING given`,
  setGiven: 'UPDATE job SET given = ? WHERE id = ?',
  claimJob: `
    UPDATE job SET state = 'running', token = token + 1, owner = ?, lease_until = ?, started_at = coalesce(started_at, ?)
    WHERE id = (SELECT id FROM job WHERE ${isOpen} AND (state = 'waiting' OR lease_until <= ?) AND id = coalesce(?, id) ORDER BY id LIMIT 1)
    RETURNING ${columns}, token, cursor`,
  /** Holds the job for the rest of the transaction: no other process writes meanwhile. */
  extendJob: `UPDATE job SET lease_until = ? WHERE ${isHeld}`,
  countInJob: 'UPDATE job SET replayed = replayed + ?, created = created + ? WHERE id = ?',
  advanceJob: `
    UPDATE job SET cursor = coalesce(?, cursor), planned = max(planned, ?), skipped = skipped + ?, refused = refused + ?, error = coalesce(?, error)
    WHERE id = ?`,
  endJob:
    'UPDATE job SET state = ?, error = coalesce(?, error), owner = NULL, ended_at = ? WHERE id = ? RETURNING given',
  pruneJobs: 'DELETE FROM job WHERE ended_at < ?'
} as const

type Sql = Prepared<typeof jobsSql>
type AuditedSql = Prepared<typeof jobsSql & typeof auditSql>

/** Returns the position of the newest event. */
export function findPosition(sql: Sql): number {
  return Number(sql.position.get()?.['seq'])
}

/** Adds a job, or finds the one with its idempotency key. */
export function addJob(
  sql: AuditedSql,
  { job, act }: { readonly job: NewJob; readonly act: Act | undefined },
  now: number
): contract.AddedJob {
  const { idempotencyKey: key = null, planned } = job
  const known = key === null ? undefined : sql.jobOfKey.get(key)
  const row = known ?? sql.addJob.get(packJob(job), key, planned, now) ?? {}
  const added = { ...readJob(row), isNew: known === undefined }
  writeAudit(sql, act, addJobResult(added), now)
  return added
}

/** Lists jobs, newest first. */
export function listJobs(sql: Sql, { limit, before }: contract.JobsRequest): Job[] {
  return sql.jobs.all(before ?? Number.MAX_SAFE_INTEGER, limit).map(readJob)
}

export function findJob(sql: Sql, id: number): Job | undefined {
  const row = sql.job.get(id)
  return row && readJob(row)
}

/** Stops a job that has not ended. @returns false if there is none */
export function stopJob(
  sql: AuditedSql,
  { id, act }: { readonly id: number; readonly act: Act | undefined },
  now: number
): boolean {
  const row = sql.stopJob.get(now, id)
  if (row !== undefined) sql.setGiven.run(repackEnded(row['given']), id)
  writeAudit(sql, act, stopJobResult(row !== undefined), now)
  return row !== undefined
}

/** Claims the oldest job that waits or whose lease has ended. */
export function claimJob(
  sql: Sql,
  { owner, leaseMs, id }: contract.JobClaim,
  now: number
): contract.ClaimedJob | undefined {
  const row = sql.claimJob.get(owner, now + leaseMs, now, now, id ?? null)
  return row && { job: readJob(row), token: Number(row['token']), cursor: Number(row['cursor']) }
}

/** Replays deliveries for a job, and counts them. */
export function replayInJob(
  sql: Sql & ReplaySql,
  { lease, targets }: { readonly lease: contract.JobLease; readonly targets: readonly contract.ReplayTarget[] },
  now: number
): contract.JobReplayResult[] | undefined {
  if (!hold(sql, lease, now)) return undefined
  const results = replayOnce(sql, lease.id, targets, now)
  const { replayed, created } = countReplays(results)
  sql.countInJob.run(replayed, created, lease.id)
  return results
}

/** Stores the progress of a job. */
export function advanceJob(
  sql: Sql,
  { lease, progress }: { readonly lease: contract.JobLease; readonly progress: contract.JobProgress },
  now: number
): boolean {
  if (!hold(sql, lease, now)) return false
  const { cursor, planned = 0, skipped = 0, refused = 0, error } = progress
  sql.advanceJob.run(cursor ?? null, planned, skipped, refused, error ?? null, lease.id)
  return true
}

/** Ends a job, or hands it back. */
export function endJob(
  sql: Sql,
  { lease, end: { state, error } }: { readonly lease: contract.JobLease; readonly end: contract.JobEnd },
  now: number
): boolean {
  if (!hold(sql, lease, now)) return false
  const hasEnded = state !== 'waiting'
  const row = sql.endJob.get(state, error ?? null, hasEnded ? now : null, lease.id)
  if (hasEnded) sql.setGiven.run(repackEnded(row?.['given']), lease.id)
  return true
}

/** @returns false if the job is no longer held */
function hold(sql: Sql, { id, token, leaseMs }: contract.JobLease, now: number): boolean {
  return sql.extendJob.run(now + leaseMs, id, token).changes > 0
}
