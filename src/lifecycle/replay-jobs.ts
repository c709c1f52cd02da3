import type { Actor } from '../model/audit.ts'
import { loggedError } from '../model/error-text.ts'
import { RiverhookError } from '../model/errors.ts'
import type { Job, JobState, ReplayFilter } from '../model/job.ts'
import type { Log } from '../model/log.ts'
import { inOwnContext } from '../model/own-context.ts'
import { ownerName } from '../model/owner-name.ts'
import { clearInterval, delay, setInterval } from '../model/timers.ts'
import type { FindTracing } from '../model/tracing.ts'
import { addJobResult, stopJobResult } from '../inbox/act-results.ts'
import { checkJobId, checkReplayFilter, checkStart } from '../inbox/check.ts'
import type { ClaimedJob, Inbox } from '../inbox/inbox.ts'
import { selectPages, type ReplayCandidate, type ReplayHandlers } from '../inbox/replay.ts'
import { isPassing, runJob } from '../inbox/run-job.ts'
import type { ActOptions, ReplayPlan, StartReplayOptions } from '../interface.ts'
import { filterTarget } from './act-target.ts'
import type { Audit } from './audit.ts'
import { digestHidden, isSameWork } from './same-work.ts'

export interface ReplayJobsOptions {
  readonly inbox: Inbox
  readonly audit: Audit
  readonly log: Log
  readonly handlers: ReplayHandlers
  /** @throws {RiverhookError} for a filter with a name that nothing has */
  readonly checkNames: (filter: ReplayFilter) => Promise<void>
  readonly tracing: FindTracing
  /** The longest that a plan may count, in milliseconds. Default: no limit. */
  readonly planMs?: number | undefined
}

/** The lease of a job. If its process dies, another one continues after this time. */
const leaseMs = 30_000
/** The interval at which a server looks for jobs of other processes. */
const lookMs = 5_000
/** The most jobs that a server takes from others at a time. */
const mostTaken = 4
/** The interval at which a job that another process runs is looked at. */
const watchMs = 250
/** The most deliveries that a plan counts. */
const mostPlanned = 10_001

/** Plans replays, and runs them as jobs. */
export class ReplayJobs {
  readonly #options: ReplayJobsOptions
  readonly #owner = ownerName()
  readonly #ending = new AbortController()
  /** The jobs that this process runs. Each resolves with the error that ended its run, if there was one. */
  readonly #runs = new Map<number, Promise<Error | undefined>>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: ReplayJobsOptions) {
    this.#options = options
  }

  /** See `Riverhook.planReplay`. */
  async plan(
    given: ReplayFilter,
    { limit = mostPlanned }: { readonly limit?: number | undefined } = {}
  ): Promise<ReplayPlan> {
    const { inbox, handlers, checkNames, planMs = Infinity } = this.#options
    const filter = checkReplayFilter(given)
    await checkNames(filter)
    const upTo = await inbox.position()
    const endsAt = performance.now() + planMs
    const plan = new PlanCount(Math.min(limit, mostPlanned))
    for await (const { candidates, next } of selectPages(inbox, filter, handlers, { upTo })) {
      plan.add(candidates)
      if (plan.isFull) return plan.result(upTo, limit >= mostPlanned)
      if (performance.now() > endsAt) return plan.result(upTo, next !== undefined)
    }
    return plan.result(upTo, false)
  }

  /** See `Riverhook.startReplay`. */
  async start(given: ReplayFilter, options: StartReplayOptions = {}): Promise<Job> {
    const { inbox, audit, checkNames, tracing } = this.#options
    const { includeDone = false, ...filter } = checkReplayFilter(given)
    const { upTo, planned, limit, ratePerSecond, idempotencyKey, by } = checkStart(options)
    await checkNames(filter)
    const plan = upTo === undefined || planned === undefined ? await this.plan(given) : undefined
    const job = {
      kind: 'replay' as const,
      filter,
      includeDone,
      upTo: upTo ?? plan?.upTo ?? 0,
      planned: Math.min(planned ?? plan?.count ?? 0, limit ?? Infinity),
      limit,
      ratePerSecond,
      idempotencyKey,
      hiddenDigest: idempotencyKey === undefined ? undefined : await digestHidden(inbox, filter)
    }
    const added = await audit.run(
      { action: 'events.replay', target: filterTarget({ ...filter, includeDone }), by },
      (act) => inbox.addJob({ ...job, actor: act.actor, trace: tracing()?.activeTrace() }, act),
      addJobResult
    )
    if (added.isNew) await this.#take(added.id)
    else if (!isSameWork(added, { ...job, upTo: upTo ?? added.upTo }))
      throw new RiverhookError(
        'RIVERHOOK_INBOX_KEY_USED',
        `The idempotency key belongs to replay ${added.id}, which has another filter or other options: use a new key`
      )
    return (await inbox.job(added.id)) ?? added
  }

  list(limit = 50): Promise<readonly Job[]> {
    return this.#options.inbox.jobs({ limit })
  }

  find(id: number): Promise<Job | undefined> {
    return this.#options.inbox.job(id)
  }

  /** See `Riverhook.stopJob`. */
  async stop(id: number, { by }: ActOptions = {}): Promise<Job | undefined> {
    const { inbox, audit } = this.#options
    if ((await inbox.job(checkJobId(id))) === undefined) return undefined
    await audit.run(
      { action: 'replay.stop', target: `replay ${id}`, by },
      (act) => inbox.stopJob(id, act),
      stopJobResult
    )
    return inbox.job(id)
  }

  /** Starts a job and waits for its end. @returns how many deliveries were made due or created */
  async replay(filter: ReplayFilter, by?: Actor): Promise<number> {
    const plan = await this.plan(filter)
    const { id } = await this.start(filter, { upTo: plan.upTo, planned: plan.count, by })
    const error = await this.#runs.get(id)
    if (error !== undefined) throw error
    return countOf(await this.#waitFor(id))
  }

  /** Begins to run the jobs that other processes added or left. */
  keep(): void {
    const look = (): void => {
      void this.#look()
    }
    this.#timer = setInterval(look, lookMs)
    this.#timer.unref()
    look()
  }

  /** Hands the jobs of this process back. Resolves when none runs here. */
  async end(): Promise<void> {
    this.#ending.abort()
    clearInterval(this.#timer)
    await Promise.all(this.#runs.values())
  }

  async #look(): Promise<void> {
    try {
      while (this.#runs.size < mostTaken && (await this.#take())) continue
    } catch (error) {
      if (!this.#ending.signal.aborted)
        this.#options.log.warn({ err: loggedError(error) }, 'could not look for replays; retrying')
    }
  }

  /** Claims a job, and runs it in the background. @returns false if there is none to claim */
  async #take(id?: number): Promise<boolean> {
    if (this.#ending.signal.aborted) return false
    const claimed = await this.#options.inbox.claimJob({ owner: this.#owner, leaseMs, id })
    if (claimed === undefined) return false
    const run = inOwnContext(() => this.#run(claimed)).finally(() => {
      this.#runs.delete(claimed.job.id)
    })
    this.#runs.set(claimed.job.id, run)
    return true
  }

  /** @returns the error that ended the run, if there was one */
  async #run(claimed: ClaimedJob): Promise<Error | undefined> {
    const { inbox, handlers, log } = this.#options
    const { id } = claimed.job
    try {
      log.info({ job: id, planned: claimed.job.planned }, 'replay begins')
      const end = await runJob(claimed, { inbox, handlers, leaseMs, signal: this.#ending.signal })
      const { replayed, created, skipped, refused } = (await inbox.job(id)) ?? claimed.job
      log.info({ job: id, replayed, created, skipped, refused }, endings[end])
      return undefined
    } catch (error) {
      log.warn(
        { job: id, err: loggedError(error) },
        isPassing(error) ? 'replay interrupted; it is continued when the inbox works again' : 'replay failed'
      )
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async #waitFor(id: number): Promise<Job | undefined> {
    for (;;) {
      const job = await this.#options.inbox.job(id)
      if (job === undefined || !isOpen(job.state)) return job
      await delay(watchMs, undefined, { signal: this.#ending.signal })
    }
  }
}

const endings = {
  done: 'replay done',
  waiting: 'replay handed back: the next server continues it',
  lost: 'replay stopped, or continued by another process'
} as const

function isOpen(state: JobState): boolean {
  return state === 'waiting' || state === 'running'
}

/** @throws {RiverhookError} if the job did not replay all */
function countOf(job: Job | undefined): number {
  const { id, state = 'stopped', replayed = 0, created = 0, refused = 0, error } = job ?? {}
  const count = replayed + created
  if (state !== 'done')
    throw new RiverhookError(
      'RIVERHOOK_INBOX_JOB_ENDED',
      `The replay ${id ?? ''} ${state === 'failed' ? `failed: ${String(error)}` : 'was stopped'}; ${count} replayed`
    )
  if (refused === 0) return count
  throw new RiverhookError(
    'RIVERHOOK_INBOX_UNAVAILABLE',
    `${count} replayed; the inbox refused ${refused} and left them unchanged, for example: ${String(error)}`
  )
}

/** Counts what a replay selects. */
class PlanCount {
  count = 0
  readonly #most: number
  readonly #events = new Set<string>()
  readonly #groups = new Map<
    string,
    { handler: string; state: ReplayCandidate['state']; count: number; skipped: boolean }
  >()
  #oldest: Date | undefined
  #newest: Date | undefined

  constructor(most: number) {
    this.#most = most
  }

  get isFull(): boolean {
    return this.count >= this.#most
  }

  add(candidates: readonly ReplayCandidate[]): void {
    for (const { event, handler, state, isSkipped, receivedAt } of candidates) {
      if (this.isFull) return
      const key = JSON.stringify([handler, state, isSkipped])
      const group = this.#groups.get(key) ?? { handler, state, count: 0, skipped: isSkipped }
      this.#groups.set(key, group)
      group.count += 1
      if (isSkipped) continue
      this.count += 1
      this.#events.add(JSON.stringify([event.realm, event.id]))
      if (this.#oldest === undefined || receivedAt < this.#oldest) this.#oldest = receivedAt
      if (this.#newest === undefined || receivedAt > this.#newest) this.#newest = receivedAt
    }
  }

  result(upTo: number, capped: boolean): ReplayPlan {
    const byHandler = [...this.#groups.values()].sort((one, other) => (one.handler < other.handler ? -1 : 1))
    return {
      count: this.count,
      capped,
      events: this.#events.size,
      byHandler,
      upTo,
      oldest: this.#oldest,
      newest: this.#newest
    }
  }
}
