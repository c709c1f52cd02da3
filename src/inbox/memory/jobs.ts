import type { Act } from '../../model/audit.ts'
import { hideAbout, type Job, type NewJob } from '../../model/job.ts'
import { addJobResult, stopJobResult } from '../act-results.ts'
import type * as contract from '../inbox.ts'
import { countReplays } from '../rows.ts'
import { writeAudit } from './audit.ts'
import { replayOnce } from './replay.ts'
import type { JobRow } from './rows.ts'
import type { Store } from './store.ts'

/** Adds a job, or finds the one with its idempotency key. */
export function addJob(store: Store, given: NewJob, act: Act | undefined, now: number): contract.AddedJob {
  const { idempotencyKey: key } = given
  const known = key === undefined ? undefined : [...store.jobs.values()].find(({ job }) => job.idempotencyKey === key)
  const added = { ...(known?.job ?? insertJob(store, given, now)), isNew: known === undefined }
  writeAudit(store, act, addJobResult(added), now)
  return added
}

function insertJob(store: Store, given: NewJob, now: number): Job {
  const job: Job = {
    ...given,
    id: ++store.lastJobId,
    state: 'waiting',
    replayed: 0,
    created: 0,
    skipped: 0,
    refused: 0,
    owner: undefined,
    createdAt: new Date(now),
    startedAt: undefined,
    endedAt: undefined,
    error: undefined
  }
  store.jobs.set(job.id, { job, cursor: 0, token: 0, leaseUntil: 0 })
  return job
}

/** Lists jobs, newest first. */
export function listJobs({ jobs }: Store, { limit, before = Infinity }: contract.JobsRequest): Job[] {
  return [...jobs.values()]
    .map(({ job }) => job)
    .filter(({ id }) => id < before)
    .toReversed()
    .slice(0, limit)
}

/** Stops a job that has not ended. @returns false if there is none */
export function stopJob(store: Store, id: number, act: Act | undefined, now: number): boolean {
  const row = store.jobs.get(id)
  const isRunning = row?.job.state === 'waiting' || row?.job.state === 'running'
  if (row !== undefined && isRunning) row.job = end(row.job, 'stopped', now)
  writeAudit(store, act, stopJobResult(isRunning), now)
  return isRunning
}

/** Claims the oldest job that waits or whose lease has ended. */
export function claimJob(
  { jobs }: Store,
  { owner, leaseMs, id }: contract.JobClaim,
  now: number
): contract.ClaimedJob | undefined {
  const row = [...jobs.values()].find(
    ({ job, leaseUntil }) =>
      (id ?? job.id) === job.id && (job.state === 'waiting' || (job.state === 'running' && leaseUntil <= now))
  )
  if (row === undefined) return undefined
  row.job = { ...row.job, state: 'running', owner, startedAt: row.job.startedAt ?? new Date(now) }
  row.token += 1
  row.leaseUntil = now + leaseMs
  return { job: row.job, token: row.token, cursor: row.cursor }
}

/** Replays deliveries for a job, and counts them. */
export function replayInJob(
  store: Store,
  { lease, targets }: { readonly lease: contract.JobLease; readonly targets: readonly contract.ReplayTarget[] },
  now: number
): contract.JobReplayResult[] | undefined {
  const row = findHeld(store, lease, now)
  if (row === undefined) return undefined
  const results = replayOnce(store, lease.id, targets, now)
  const { replayed, created } = countReplays(results)
  row.job = { ...row.job, replayed: row.job.replayed + replayed, created: row.job.created + created }
  return results
}

/** Stores the progress of a job. */
export function advanceJob(
  store: Store,
  { lease, progress }: { readonly lease: contract.JobLease; readonly progress: contract.JobProgress },
  now: number
): boolean {
  const row = findHeld(store, lease, now)
  if (row === undefined) return false
  const { cursor, planned = 0, skipped = 0, refused = 0, error } = progress
  row.cursor = cursor ?? row.cursor
  row.job = {
    ...row.job,
    planned: Math.max(row.job.planned, planned),
    skipped: row.job.skipped + skipped,
    refused: row.job.refused + refused,
    error: error ?? row.job.error
  }
  return true
}

/** Ends a job, or hands it back. */
export function endJob(
  store: Store,
  { lease, end: { state, error } }: { readonly lease: contract.JobLease; readonly end: contract.JobEnd },
  now: number
): boolean {
  const row = findHeld(store, lease, now)
  if (row === undefined) return false
  const job = { ...row.job, error: error ?? row.job.error }
  row.job = state === 'waiting' ? { ...job, state, owner: undefined } : end(job, state, now)
  return true
}

function end({ hidden: _ended, ...job }: Job, state: Job['state'], now: number): Job {
  return { ...job, state, filter: hideAbout(job.filter), owner: undefined, endedAt: new Date(now) }
}

/** Purges the jobs that ended before this time. */
export function pruneJobs({ jobs }: Store, before: Date): void {
  for (const [id, { job }] of jobs) if (job.endedAt !== undefined && job.endedAt < before) jobs.delete(id)
}

function findHeld({ jobs }: Store, { id, token, leaseMs }: contract.JobLease, now: number): JobRow | undefined {
  const row = jobs.get(id)
  if (row?.job.state !== 'running' || row.token !== token) return undefined
  row.leaseUntil = now + leaseMs
  return row
}
