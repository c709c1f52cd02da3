import type { Act } from '../../model/audit.ts'
import type { RiverhookError } from '../../model/errors.ts'
import type { Job, NewJob } from '../../model/job.ts'
import type { ReplayResult, ReplayTarget } from './deliveries.ts'

/** Jobs: replays of many events, which survive a crash. Part of `Inbox`. */
export interface InboxJobs {
  /**
   * Adds a job. It waits until it is claimed. If there is a job with its idempotency key, changes nothing and returns
   * that one.
   */
  addJob(job: NewJob, act?: Act): Promise<AddedJob>

  /** Lists jobs, newest first. Jobs that have ended are deleted by `prune`. */
  jobs(request: JobsRequest): Promise<readonly Job[]>

  /** Finds a job. */
  job(id: number): Promise<Job | undefined>

  /**
   * Stops a job that has not ended: its holder can replay nothing more. Hides the value of `about` in its filter, as
   * `endJob` does.
   * @returns false if there is none
   */
  stopJob(id: number, act?: Act): Promise<boolean>

  /** Claims the oldest job that waits or whose lease has ended, or the given one. Its token is higher than before. */
  claimJob(request: JobClaim): Promise<ClaimedJob | undefined>

  /**
   * Replays as `replay` does, and adds to the counts of the job in the same transaction. Leaves deliveries unchanged
   * that this job or a later one has replayed before, and reports them as `repeated`. Extends the lease.
   * @returns undefined, and changes nothing, if the job is no longer held
   */
  replayInJob(
    lease: JobLease,
    targets: readonly ReplayTarget[]
  ): Promise<readonly (JobReplayResult | RiverhookError)[] | undefined>

  /** Stores the progress of a job, and extends its lease. @returns false if the job is no longer held */
  advanceJob(lease: JobLease, progress: JobProgress): Promise<boolean>

  /**
   * Ends a job, or hands it back as `waiting`. Hides the value of `about` in the filter of a job that ends.
   * @returns false if the job is no longer held
   */
  endJob(lease: JobLease, end: JobEnd): Promise<boolean>
}

/** `repeated`: this job has replayed the delivery before, or a later one has. */
export type JobReplayResult = ReplayResult | 'repeated'

export interface JobsRequest {
  /** From 1 to 1,000. */
  readonly limit: number
  /** Only jobs with a lower id: the last one of the previous page. */
  readonly before?: number | undefined
}

export interface AddedJob extends Job {
  /** False if the job was added before, with the same idempotency key. */
  readonly isNew: boolean
}

export interface JobClaim {
  /** The name of the process that claims. */
  readonly owner: string
  readonly leaseMs: number
  /** Only this job. */
  readonly id?: number | undefined
}

/** The right to work on a job. */
export interface JobLease {
  readonly id: number
  /** The fencing token: each claim of a job gets a higher one. */
  readonly token: number
  /** From now: each call extends the lease. */
  readonly leaseMs: number
}

/** A job that this process works on. */
export interface ClaimedJob {
  readonly job: Job
  readonly token: number
  /** The position of the last event that is finished: `after` of the next page. */
  readonly cursor: number
}

export interface JobProgress {
  /** The position of the last event that is finished. Default: as it was. */
  readonly cursor?: number | undefined
  /** The job is to replay at least this many deliveries. */
  readonly planned?: number | undefined
  /** To add to the count. */
  readonly skipped?: number | undefined
  /** To add to the count. */
  readonly refused?: number | undefined
  /** The reason for the last refused delivery. */
  readonly error?: string | undefined
}

export interface JobEnd {
  /** `waiting`: another process may continue. */
  readonly state: 'done' | 'failed' | 'waiting'
  readonly error?: string | undefined
}
