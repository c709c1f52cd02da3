import type { Act } from '../../model/audit.ts'
import type { RiverhookError } from '../../model/errors.ts'
import type { Job, NewJob } from '../../model/job.ts'
import { addJobResult, stopJobResult } from '../act-results.ts'
import type * as contract from '../inbox.ts'
import { countReplays, packJob, readJob, repackEnded } from '../rows.ts'
import { writeAudit } from './audit.ts'
import type { Times } from './claim.ts'
import type { Database, Session, Transaction } from './database.ts'
import { replayFor } from './replay.ts'

const columns =
  'id, state, given, planned, replayed, created, skipped, refused, owner, created_at, started_at, ended_at, error'
/** The condition of the partial index. */
const isOpen = "state IN ('waiting', 'running')"

/** Returns the position of the newest event. */
export async function findPosition(session: Session): Promise<number> {
  const [row] = await session.query('SELECT coalesce(max(seq), 0) AS seq FROM riverhook.event')
  return Number(row?.['seq'])
}

/** Adds a job, or finds the one with its idempotency key. */
export function addJob(
  database: Database,
  job: NewJob,
  act: Act | undefined,
  { fixed }: Times
): Promise<contract.AddedJob> {
  return database.transaction(async (tx) => {
    const added = await insertOrFind(tx, job, fixed)
    await writeAudit(tx, act, addJobResult(added), fixed)
    return added
  })
}

async function insertOrFind(tx: Transaction, job: NewJob, fixed: Times['fixed']): Promise<contract.AddedJob> {
  const key = job.idempotencyKey ?? null
  for (;;) {
    const [added] = await tx.query(
      `INSERT INTO riverhook.job (state, given, idempotency_key, planned, created_at)
       VALUES ('waiting', $1, $2, $3, coalesce($4::timestamptz, statement_timestamp()))
       ON CONFLICT (idempotency_key) DO NOTHING RETURNING ${columns}`,
      [packJob(job), key, job.planned, fixed ?? null]
    )
    if (added !== undefined) return { ...readJob(added), isNew: true }
    const [known] = await tx.query(`SELECT ${columns} FROM riverhook.job WHERE idempotency_key = $1`, [key])
    // Without one, it has been purged since.
    if (known !== undefined) return { ...readJob(known), isNew: false }
  }
}

/** Lists jobs, newest first. */
export async function listJobs(session: Session, { limit, before }: contract.JobsRequest): Promise<readonly Job[]> {
  const rows = await session.query(`SELECT ${columns} FROM riverhook.job WHERE id < $1 ORDER BY id DESC LIMIT $2`, [
    before ?? Number.MAX_SAFE_INTEGER,
    limit
  ])
  return rows.map(readJob)
}

export async function findJob(session: Session, id: number): Promise<Job | undefined> {
  const [row] = await session.query(`SELECT ${columns} FROM riverhook.job WHERE id = $1`, [id])
  return row && readJob(row)
}

/** Stops a job that has not ended. @returns false if there is none */
export function stopJob(database: Database, id: number, act: Act | undefined, { fixed }: Times): Promise<boolean> {
  return database.transaction(async (tx) => {
    const [row] = await tx.query(
      `UPDATE riverhook.job SET state = 'stopped', owner = NULL, ended_at = coalesce($2::timestamptz, statement_timestamp())
       WHERE id = $1 AND ${isOpen} RETURNING given`,
      [id, fixed ?? null]
    )
    if (row !== undefined) await tx.query(setGivenSql, [id, repackEnded(row['given'])])
    await writeAudit(tx, act, stopJobResult(row !== undefined), fixed)
    return row !== undefined
  })
}

/** Claims the oldest job that waits or whose lease has ended. Skips jobs that another process claims now. */
export async function claimJob(
  database: Database,
  { owner, leaseMs, id }: contract.JobClaim,
  { fixed }: Times
): Promise<contract.ClaimedJob | undefined> {
  const [row] = await database.query(claimSql, [owner, leaseMs, id ?? null, fixed ?? null])
  return row && { job: readJob(row), token: Number(row['token']), cursor: Number(row['cursor']) }
}

const claimSql = `
UPDATE riverhook.job SET state = 'running', token = token + 1, owner = $1,
  lease_until = coalesce($4::timestamptz, statement_timestamp()) + $2::integer * interval '1 millisecond',
  started_at = coalesce(started_at, $4::timestamptz, statement_timestamp())
WHERE id = (
  SELECT id FROM riverhook.job
  WHERE ${isOpen} AND (state = 'waiting' OR lease_until <= coalesce($4::timestamptz, statement_timestamp())) AND id = coalesce($3::bigint, id)
  ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING ${columns}, token, cursor`

/** Replays deliveries for a job, and counts them. */
export async function replayInJob(
  database: Database,
  lease: contract.JobLease,
  targets: readonly contract.ReplayTarget[],
  times: Times
): Promise<readonly (contract.JobReplayResult | RiverhookError)[] | undefined> {
  const found = { isHeld: true }
  const results = await replayFor(database, targets, times, {
    jobId: lease.id,
    begin: async (tx) => (found.isHeld = await hold(tx, lease, times)),
    end: async (tx, results) => {
      const { replayed, created } = countReplays(results)
      await tx.query('UPDATE riverhook.job SET replayed = replayed + $2, created = created + $3 WHERE id = $1', [
        lease.id,
        replayed,
        created
      ])
    }
  })
  return found.isHeld ? results : undefined
}

/** Stores the progress of a job. */
export function advanceJob(
  database: Database,
  lease: contract.JobLease,
  { cursor, planned = 0, skipped = 0, refused = 0, error }: contract.JobProgress,
  times: Times
): Promise<boolean> {
  return whileHeld(database, lease, times, (tx) =>
    tx.query(
      `UPDATE riverhook.job SET cursor = coalesce($2, cursor), planned = greatest(planned, $3), skipped = skipped + $4, refused = refused + $5,
         error = coalesce($6, error) WHERE id = $1`,
      [lease.id, cursor ?? null, planned, skipped, refused, error ?? null]
    )
  )
}

/** Ends a job, or hands it back. */
export function endJob(
  database: Database,
  lease: contract.JobLease,
  { state, error }: contract.JobEnd,
  times: Times
): Promise<boolean> {
  return whileHeld(database, lease, times, async (tx) => {
    const [row] = await tx.query(
      `UPDATE riverhook.job SET state = $2, error = coalesce($3, error), owner = NULL,
         ended_at = CASE $2 WHEN 'waiting' THEN NULL ELSE coalesce($4::timestamptz, statement_timestamp()) END
       WHERE id = $1 RETURNING given`,
      [lease.id, state, error ?? null, times.fixed ?? null]
    )
    if (state !== 'waiting') await tx.query(setGivenSql, [lease.id, repackEnded(row?.['given'])])
  })
}

const setGivenSql = 'UPDATE riverhook.job SET given = $2 WHERE id = $1'

/** @returns false if the job is no longer held. Then `write` is not called */
function whileHeld(
  database: Database,
  lease: contract.JobLease,
  times: Times,
  write: (tx: Transaction) => Promise<unknown>
): Promise<boolean> {
  return database.transaction(async (tx) => {
    if (!(await hold(tx, lease, times))) return false
    await write(tx)
    return true
  })
}

/** Locks the job until the end of the transaction, and extends its lease. @returns false if it is no longer held */
async function hold(tx: Transaction, { id, token, leaseMs }: contract.JobLease, { fixed }: Times): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE riverhook.job SET lease_until = coalesce($4::timestamptz, statement_timestamp()) + $3::integer * interval '1 millisecond'
     WHERE id = $1 AND token = $2 AND state = 'running' RETURNING id`,
    [id, token, leaseMs, fixed ?? null]
  )
  return rows.length > 0
}

/** Purges the jobs that ended before this time. */
export async function pruneJobs(tx: Transaction, before: Date): Promise<void> {
  await tx.query('DELETE FROM riverhook.job WHERE ended_at < $1', [before])
}
