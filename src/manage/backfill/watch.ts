import { loggedError } from '../../model/error-text.ts'
import { publish } from '../../model/channels.ts'
import type { Log } from '../../model/log.ts'
import { inBackground, type FindTracing } from '../../model/tracing.ts'
import type { Source } from '../../source/source.ts'
import { backfill, type BackfillReport, type BackfillRequest } from './backfill.ts'
import { listingApiOf } from '../registration/registration.ts'
import { repeat, type Repeated } from '../repeat.ts'

export interface KeepBackfillOptions
  extends Omit<BackfillRequest, 'api' | 'since' | 'until' | 'dryRun' | 'onProgress' | 'signal' | 'now'> {
  readonly source: Pick<Source, 'name' | 'keep' | 'requestOf' | 'types' | 'withdrawnTypes' | 'api'>
  readonly apiKey?: string | undefined
  readonly apiUrl?: string | undefined
  readonly everyMs: number
  /** How much of the list is read again each time: an event may be listed some time after it was created. */
  readonly overlapMs: number
  readonly log: Log
  readonly tracing?: FindTracing
}

/** The watermark of an endpoint: how far the provider's list of events has been read. */
export function backfillMark(endpoint: string): string {
  return `backfill ${endpoint}`
}

/** The watermark of an endpoint: when it was found that the provider no longer lists the events of some missed time. */
export function backfillGapMark(endpoint: string): string {
  return `backfill gap ${endpoint}`
}

/**
 * Fetches events that never reached the endpoint, at intervals. Each run starts where the last one ended, even in
 * another process: events that were sent while no server ran are fetched at the start. The very first run goes back by
 * the overlap.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when no key is given
 */
export function keepBackfill(options: KeepBackfillOptions): Repeated {
  const { realm, endpoint, inbox, everyMs, overlapMs, log } = options
  const ending = new AbortController()
  const api = listingApiOf(options, ending.signal)
  const mark = backfillMark(endpoint)
  const traced = (): Promise<void> => inBackground(options.tracing?.(), { name: 'backfill', endpoint }, reconcile)
  return repeat(traced, { everyMs, failed, ending })

  async function reconcile(): Promise<void> {
    // The inbox's clock: a replica whose clock is ahead must not move the mark past what was read.
    const until = await inbox.now()
    const last = await inbox.watermark(realm, mark)
    // A clock that was ahead wrote this mark, so it does not say how far the list was really read.
    const isAhead = last !== undefined && last.getTime() - until.getTime() > overlapMs
    if (isAhead)
      log.warn(
        { endpoint, realm, last },
        'the watermark of the backfill lies in the future, so a clock was wrong; reading the whole list again'
      )
    const readTo = isAhead ? new Date(until.getTime() - api.events.horizonMs + overlapMs) : (last ?? until)
    // Stored before the first run: a run that fails for hours, for example because of a wrong key, must not start later
    // each time.
    await inbox.advance(realm, mark, readTo)
    const since = new Date(Math.min(readTo.getTime(), until.getTime()) - overlapMs)
    const onProgress = ({ until: reached }: BackfillReport): Promise<void> => inbox.advance(realm, mark, reached)
    const report = await backfill({ ...options, api, since, until, now: until, onProgress, signal: ending.signal })
    // Stored for the alarms, which another process may raise.
    if (report.gap !== undefined) await inbox.advance(realm, backfillGapMark(endpoint), until)
    tell(report)
  }

  function tell(report: BackfillReport): void {
    const { gap, ...counts } = report
    publish('backfilled', {
      endpoint,
      realm,
      listed: report.listed,
      arrived: report.arrived,
      recovered: report.recovered
    })
    if (gap !== undefined) {
      log.error(
        { endpoint, realm, gap },
        'the provider no longer lists the events of this time: events missed in it cannot be fetched'
      )
    }
    if (report.forgotten > 0) {
      log.warn(
        { endpoint, realm, ...counts },
        'some listed events are older than the retention: they may have been handled and purged, so they were skipped'
      )
    }
    if (report.recovered + report.quarantined > 0)
      log.warn({ endpoint, realm, ...counts }, 'events that had not arrived were fetched')
    else log.info({ endpoint, realm, ...counts }, 'no event is missing')
  }

  function failed(error: unknown, nextMs: number): void {
    log.warn(
      { endpoint, realm, err: loggedError(error), next_ms: nextMs },
      'the backfill failed; it will continue where it stopped'
    )
  }
}
