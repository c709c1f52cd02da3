import { loggedError } from '../error-text.ts'
import type { Log } from '../log.ts'
import type { Inbox } from './inbox.ts'
import { clearInterval, setInterval } from '../timers.ts'

export interface RetentionOptions {
  readonly retentionMs: number
  readonly log: Log
  /** Milliseconds since the epoch; given by tests. */
  readonly clock?: () => number
  /** How often old events are looked for. Default 10 minutes. */
  readonly everyMs?: number
}

/** How many events one transaction looks at: few enough that no request waits noticeably for it. */
const batchSize = 200

/**
 * Purges events that are older than the retention and whose deliveries are all done, in small batches so
 * that requests get their turn in between. Dead letters and quarantined requests stay.
 * @returns a function that ends it and resolves when no batch is under way any more
 */
export function keepRetention(inbox: Inbox, options: RetentionOptions): () => Promise<void> {
  const { retentionMs, log, clock = Date.now, everyMs = 600_000 } = options
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
      if (!ended) log.warn({ err: loggedError(error) }, 'old events could not be purged; the next try follows')
    })
  }

  async function purge(): Promise<void> {
    const before = new Date(clock() - retentionMs)
    let purged = 0
    let after: number | undefined
    do {
      const batch = await inbox.prune({ before, limit: batchSize, after })
      purged += batch.purged
      after = batch.next
    } while (after !== undefined && !ended)
    if (purged > 0) log.info({ purged, before }, 'old events purged')
  }
}
