import { publish } from '../model/channels.ts'
import { loggedError } from '../model/error-text.ts'
import type { Log } from '../model/log.ts'
import type { RetentionSpans } from '../model/retention-spans.ts'
import { clearInterval, setInterval } from '../model/timers.ts'
import { arrivedAt } from './arrival-time.ts'
import type { Inbox } from './inbox.ts'

export interface RetentionOptions {
  readonly spans: RetentionSpans
  readonly log: Log
  /** The interval between purges. Default 10 minutes. */
  readonly everyMs?: number
}

/** The number of newest events whose time is read. Some may be old events that a backfill fetched. */
const newestCount = 100

/** Events checked per transaction: few enough that requests need not wait for it. */
export const purgeBatch = 50

/** The tally has minutes for this long, and then hours. */
const minutesKeptMs = 2 * 86_400_000
const hoursKeptMs = 90 * 86_400_000
const auditsKeptMs = 400 * 86_400_000
/** Rows of the tally or the audit log that are deleted or folded per transaction. */
const rowsPerBatch = 500

/**
 * Purges events that are older than the retention and whose deliveries are all done. Those with dead letters or parked
 * deliveries, and quarantined requests, have longer retentions. Uses small batches, so that requests are served in
 * between. Prunes the tally too: it keeps minutes for two days and hours for 90 days. Keeps the audit log for 400 days.
 *
 * Purging is final, and a clock can be wrong by years after a start. So this uses the inbox's clock, and limits it to
 * the arrival of the newest event plus the time since this process started.
 * @returns a function that ends the purges, and resolves when the current batch has ended
 */
export function keepRetention(inbox: Inbox, options: RetentionOptions): () => Promise<void> {
  const { spans, log, everyMs = 600_000 } = options
  const startedAt = performance.now()
  let ended = false
  let sweep: Promise<void> = Promise.resolve()
  const timer = setInterval(start, everyMs)
  timer.unref()
  start()
  return async () => {
    ended = true
    clearInterval(timer)
    await sweep
  }

  function start(): void {
    sweep = sweep.then(sweepAll).catch((error: unknown) => {
      if (!ended) log.warn({ err: loggedError(error) }, 'could not purge old events; retrying')
    })
  }

  async function sweepAll(): Promise<void> {
    const now = (await inbox.now()).getTime()
    const safeTime = await findSafeTime(now)
    if (safeTime !== undefined) {
      await purgeEvents(safeTime)
      await pruneAudits(safeTime)
    }
    await pruneTally(safeTime ?? now)
  }

  async function purgeEvents(safeTime: number): Promise<void> {
    const limitOf = (ms: number): Date => new Date(Math.max(0, safeTime - ms))
    const before = limitOf(spans.doneMs)
    const deadBefore = limitOf(spans.deadMs)
    const quarantinedBefore = limitOf(spans.quarantinedMs)
    let [purged, dead, quarantined] = [0, 0, 0]
    let after: number | undefined
    do {
      const batch = await inbox.prune({ before, deadBefore, quarantinedBefore, limit: purgeBatch, after })
      purged += batch.purged
      dead += batch.dead
      quarantined += batch.quarantined
      after = batch.next
    } while (after !== undefined && !ended)
    if (purged === 0) return
    publish('purged', { events: purged })
    log.info(
      {
        ...{ purged, before },
        ...(dead > 0 && { dead, dead_before: deadBefore }),
        ...(quarantined > 0 && { quarantined, quarantined_before: quarantinedBefore })
      },
      'old events purged'
    )
  }

  async function pruneAudits(safeTime: number): Promise<void> {
    const before = new Date(Math.max(0, safeTime - auditsKeptMs))
    let deleted: number
    do {
      deleted = await inbox.pruneAudits({ before, limit: rowsPerBatch })
    } while (deleted === rowsPerBatch && !ended)
  }

  async function pruneTally(safeTime: number): Promise<void> {
    const deleteBefore = new Date(Math.max(0, safeTime - hoursKeptMs))
    const foldBefore = new Date(Math.max(0, safeTime - minutesKeptMs))
    let mayHaveMore: boolean
    do {
      mayHaveMore = await inbox.pruneTally({ deleteBefore, foldBefore, limit: rowsPerBatch })
    } while (mayHaveMore && !ended)
  }

  /** Finds a time that has certainly passed, in milliseconds since the epoch; undefined for an empty inbox. */
  async function findSafeTime(now: number): Promise<number | undefined> {
    const { events } = await inbox.events({ limit: newestCount })
    if (events.length === 0) return undefined
    const newest = Math.max(
      ...events.map(({ receivedAt, createdTime }) => arrivedAt(receivedAt.getTime(), createdTime, now))
    )
    return Math.min(now, newest + performance.now() - startedAt)
  }
}
