import { errorText } from '../model/error-text.ts'
import { RiverhookError } from '../model/errors.ts'
import { clearInterval, delay, setInterval } from '../model/timers.ts'
import type { ClaimedJob, Inbox, JobLease } from './inbox.ts'
import {
  lineOf,
  replayInOrder,
  selectPages,
  type ReplayCandidate,
  type ReplayHandlers,
  type ReplayRange
} from './replay.ts'
import { ReplayPace } from './replay-pace.ts'

export interface RunJobOptions {
  readonly inbox: Inbox
  readonly handlers: ReplayHandlers
  readonly leaseMs: number
  /** Hands the job back at the next batch. */
  readonly signal: AbortSignal
  /** The most deliveries that are held in memory at a time, beside the rest of their lines. Default 50,000. */
  readonly mostInMemory?: number | undefined
}

/** The end of a run: `lost`: the job was stopped, or another process has it. `waiting`: it was handed back. */
export type RunEnd = 'done' | 'waiting' | 'lost'

/**
 * Runs a claimed job: oldest event first, in sections of events. The deliveries of a line are replayed together with
 * the first of them, also those of later sections. So a later event of a line, which may arrive meanwhile, cannot run
 * between two of them.
 *
 * The cursor moves with each section. After a crash, the section is read again, without what the job has replayed.
 * @throws what the inbox throws, with the job still leased; what prevents the replay, with the job ended as failed
 */
export async function runJob({ job, token, cursor }: ClaimedJob, options: RunJobOptions): Promise<RunEnd> {
  const { inbox, leaseMs, signal } = options
  const lease: JobLease = { id: job.id, token, leaseMs }
  const lost = new AbortController()
  const heartbeat = setInterval(() => {
    inbox.advanceJob(lease, {}).then(
      (isHeld) => {
        if (!isHeld) lost.abort()
      },
      // The next batch meets the same error, and reports it.
      () => undefined
    )
  }, leaseMs / 3)
  heartbeat.unref()
  try {
    await new JobRun({ job, lease, cursor }, { ...options, signal: AbortSignal.any([signal, lost.signal]) }).run()
    return (await inbox.endJob(lease, { state: 'done' })) ? 'done' : 'lost'
  } catch (error) {
    if (error instanceof LostJob || lost.signal.aborted) return 'lost'
    if (signal.aborted) return (await inbox.endJob(lease, { state: 'waiting' })) ? 'waiting' : 'lost'
    if (!isPassing(error)) await inbox.endJob(lease, { state: 'failed', error: errorText(error) })
    throw error
  } finally {
    clearInterval(heartbeat)
  }
}

/** True if the job can continue when the inbox works again. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof RiverhookError &&
    ['RIVERHOOK_INBOX_UNAVAILABLE', 'RIVERHOOK_INBOX_CLOSED', 'RIVERHOOK_INBOX_READS_BUSY'].includes(error.code)
  )
}

/** Another process has the job, or it was stopped. */
class LostJob extends Error {}

const usualInMemory = 50_000

/** A part of the events, with the deliveries to replay. */
interface Section {
  readonly targets: readonly ReplayCandidate[]
  readonly skipped: number
  /** The position of its last event; undefined in the last section. */
  readonly end: number | undefined
}

class JobRun {
  readonly #options: RunJobOptions
  readonly #claimed: Pick<ClaimedJob, 'job' | 'cursor'> & { readonly lease: JobLease }
  readonly #pace: ReplayPace | undefined
  #done: number

  constructor(claimed: Pick<ClaimedJob, 'job' | 'cursor'> & { readonly lease: JobLease }, options: RunJobOptions) {
    this.#options = options
    this.#claimed = claimed
    const { ratePerSecond, replayed, created } = claimed.job
    this.#pace = ratePerSecond === undefined ? undefined : new ReplayPace(ratePerSecond, options.signal)
    this.#done = replayed + created
  }

  async run(): Promise<void> {
    const { job, cursor } = this.#claimed
    let after: number | undefined = cursor
    while (after !== undefined && this.#left() > 0) {
      const section = await this.#read(after)
      const isLast = section.end === undefined || section.targets.length === this.#left()
      const later = isLast ? [] : await this.#readLater(section)
      const planned = this.#done + section.targets.length + later.length
      await this.#advance({ planned })
      const counts = await replayInOrder(this.#options.inbox, [...section.targets, ...later], {
        replay: (targets) => this.#replay(targets),
        pace: this.#pace
      })
      const { running, done, unknown_event: removed, refused } = counts
      await this.#advance({
        cursor: section.end ?? job.upTo,
        skipped: section.skipped + running + done + removed,
        refused: refused.length,
        error: refused.at(-1)?.error.message
      })
      after = section.end
    }
  }

  /** How many deliveries may still be replayed. */
  #left(): number {
    return (this.#claimed.job.limit ?? Infinity) - this.#done
  }

  /** Reads events until enough deliveries are found. */
  async #read(after: number): Promise<Section> {
    const most = Math.min(this.#options.mostInMemory ?? usualInMemory, this.#left())
    const targets: ReplayCandidate[] = []
    let skipped = 0
    for await (const { candidates, next } of this.#pages(after)) {
      skipped += candidates.filter(({ isSkipped }) => isSkipped).length
      targets.push(...candidates.filter(({ isSkipped }) => !isSkipped))
      if (next === undefined || targets.length >= most)
        return { targets: targets.slice(0, this.#left()), skipped, end: next }
    }
    return { targets, skipped, end: undefined }
  }

  /** Reads the rest of the lines of a section. */
  async #readLater({ targets, end }: Section): Promise<readonly ReplayCandidate[]> {
    const lines = new Set(targets.flatMap((target) => lineOf(target) ?? []))
    const later: ReplayCandidate[] = []
    if (lines.size === 0) return later
    for await (const { candidates } of this.#pages(end))
      later.push(...candidates.filter((each) => !each.isSkipped && lines.has(lineOf(each) ?? '')))
    return later.slice(0, this.#left() - targets.length)
  }

  async *#pages(after: number | undefined): ReturnType<typeof selectPages> {
    const { inbox, handlers, signal, mostInMemory } = this.#options
    const { id: jobId, upTo, filter, includeDone } = this.#claimed.job
    const range: ReplayRange = { after, upTo, jobId, pageSize: mostInMemory && Math.min(mostInMemory, 500) }
    for await (const page of selectPages(inbox, { ...filter, includeDone }, handlers, range)) {
      signal.throwIfAborted()
      yield page
    }
  }

  async #replay(targets: Parameters<Inbox['replayInJob']>[1]): ReturnType<typeof replayBatch> {
    this.#options.signal.throwIfAborted()
    const startedAt = performance.now()
    const results = await replayBatch(this.#options.inbox, this.#claimed.lease, targets)
    // Leave half of the time to requests.
    await delay(performance.now() - startedAt)
    this.#done += results.filter((result) => result === 'replayed' || result === 'created').length
    return results
  }

  async #advance(progress: Parameters<Inbox['advanceJob']>[1]): Promise<void> {
    if (!(await this.#options.inbox.advanceJob(this.#claimed.lease, progress))) throw new LostJob()
  }
}

async function replayBatch(
  inbox: Inbox,
  lease: JobLease,
  targets: Parameters<Inbox['replayInJob']>[1]
): Promise<NonNullable<Awaited<ReturnType<Inbox['replayInJob']>>>> {
  const results = await inbox.replayInJob(lease, targets)
  if (results === undefined) throw new LostJob()
  return results
}
