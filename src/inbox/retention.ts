import { loggedError } from '../model/error-text.ts'
import type { Log } from '../model/log.ts'
import { clearInterval, setInterval } from '../model/timers.ts'
import { arrivedAt } from './arrival-time.ts'
import type { Inbox } from './inbox.ts'

export interface RetentionOptions {
  readonly retentionMs: number
  readonly log: Log
  /** How often old events are looked for. Default 10 minutes. */
  readonly everyMs?: number
}

/** How many of the newest events are read for their time: some may be old ones that a backfill fetched. */
const lastEvents = 100

/** How many events one transaction looks at: few enough that no request waits noticeably for it. */
const batchSize = 200

/**
 * Purges events that are older than the retention and whose deliveries are all done, in small batches so
 * that requests get their turn in between. Dead letters and quarantined requests stay.
 *
 * Purging is final, and a clock can be wrong by years after a start. So the time is the inbox's, and is trusted only up
 * to the newest event's arrival plus the time that this process has run since.
 * @returns a function that ends it and resolves when no batch is under way any more
 */
export function keepRetention(inbox: Inbox, options: RetentionOptions): () => Promise<void> {
  const { retentionMs, log, everyMs = 600_000 } = options
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
    sweep = sweep.then(purge).catch((error: unknown) => {
      if (!ended) log.warn({ err: loggedError(error) }, 'old events could not be purged; retrying')
    })
  }

  async function purge(): Promise<void> {
    const newestAt = await newestArrival()
    if (newestAt === undefined) return
    const before = new Date(Math.max(0, newestAt - retentionMs))
    let purged = 0
    let after: number | undefined
    do {
      const batch = await inbox.prune({ before, limit: batchSize, after })
      purged += batch.purged
      after = batch.next
    } while (after !== undefined && !ended)
    if (purged > 0) log.info({ purged, before }, 'old events purged')
  }

  /** The latest time that is known to have come, in milliseconds since the epoch; undefined for an empty inbox. */
  async function newestArrival(): Promise<number | undefined> {
    const now = (await inbox.now()).getTime()
    const { events } = await inbox.events({ limit: lastEvents })
    if (events.length === 0) return undefined
    const newest = Math.max(
      ...events.map(({ receivedAt, createdTime }) => arrivedAt(receivedAt.getTime(), createdTime, now))
    )
    return Math.min(now, newest + performance.now() - startedAt)
  }
}
