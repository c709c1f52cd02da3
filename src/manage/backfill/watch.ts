import { loggedError } from '../../model/error-text.ts'
import { publish } from '../../model/channels.ts'
import type { Log } from '../../model/log.ts'
import type { Source } from '../../source/source.ts'
import { backfill, type BackfillReport, type BackfillRequest } from './backfill.ts'
import { apiOf } from '../registration/registration.ts'
import { repeat, type Repeated } from '../repeat.ts'

export interface KeepBackfillOptions
  extends Omit<BackfillRequest, 'api' | 'since' | 'until' | 'dryRun' | 'onProgress' | 'signal' | 'now'> {
  readonly source: Pick<Source, 'name' | 'types' | 'withdrawnTypes' | 'api'>
  readonly apiKey?: string | undefined
  readonly apiUrl?: string | undefined
  readonly everyMs: number
  /** How much is read again each time: an event may be listed some time after it was created. */
  readonly overlapMs: number
  readonly log: Log
}

/** The name under which the inbox keeps how far the list of an endpoint's events has been read. */
export function backfillMark(source: string, endpoint: string): string {
  return `backfill ${source} ${endpoint}`
}

/**
 * Looks every now and then for events that never reached the endpoint, from where the last look ended, also the last
 * look of a process before this one: what was sent while nothing ran is fetched at the start. The first look ever
 * goes back by the overlap.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when no key is given
 */
export function keepBackfill(options: KeepBackfillOptions): Repeated {
  const { source, endpoint, inbox, everyMs, overlapMs, log } = options
  const ending = new AbortController()
  const api = apiOf(options, ending.signal)
  const mark = backfillMark(source.name, endpoint)
  return repeat(reconcile, { everyMs, failed, ending })

  async function reconcile(): Promise<void> {
    // Of several replicas, one whose clock is ahead must not move the mark past what was read.
    const until = await inbox.now()
    const last = await inbox.watermark(mark)
    // It was written by a clock that was ahead, and says nothing of how far the list was really read.
    const isAhead = last !== undefined && last.getTime() - until.getTime() > overlapMs
    if (isAhead)
      log.warn(
        { endpoint, last },
        'the time up to which events were read lies in the future: a clock was wrong; the whole list is read again'
      )
    const readTo = isAhead ? new Date(until.getTime() - api.events.horizonMs + overlapMs) : (last ?? until)
    // Kept before the first look: one that fails for hours, for want of a good key, must not begin later each time.
    await inbox.advance(mark, readTo)
    const since = new Date(Math.min(readTo.getTime(), until.getTime()) - overlapMs)
    const onProgress = ({ until: reached }: BackfillReport): Promise<void> => inbox.advance(mark, reached)
    tell(await backfill({ ...options, api, since, until, now: until, onProgress, signal: ending.signal }))
  }

  function tell(report: BackfillReport): void {
    const { gap, ...counts } = report
    publish('backfilled', { endpoint, listed: report.listed, arrived: report.arrived, recovered: report.recovered })
    if (gap !== undefined) {
      log.error(
        { endpoint, gap },
        'the provider no longer lists the events of this span: what was missed in it cannot be fetched back'
      )
    }
    if (report.forgotten > 0) {
      log.warn(
        { endpoint, ...counts },
        'some listed events are older than the retention: they may have been handled and purged, so they were left out'
      )
    }
    if (report.recovered + report.quarantined > 0)
      log.warn({ endpoint, ...counts }, 'events that had not arrived were fetched back')
    else log.info({ endpoint, ...counts }, 'no event is missing')
  }

  function failed(error: unknown, nextMs: number): void {
    log.warn(
      { endpoint, err: loggedError(error), next_ms: nextMs },
      'the backfill failed; it goes on from where it was'
    )
  }
}
