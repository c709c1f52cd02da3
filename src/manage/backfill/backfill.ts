import { purgedMark } from '../../model/purged-mark.ts'
import { RiverhookError } from '../../model/errors.ts'
import { modeFault, quarantineIdOf, type AnyEvent, type EventMode } from '../../model/event.ts'
import type { Arrival, Inbox, NewDelivery } from '../../inbox/inbox.ts'
import { isOneType } from '../../model/pattern.ts'
import type { SearchKeys } from '../../model/search-keys.ts'
import { keptHeaders } from '../../source/kept-headers.ts'
import type { ListedEvents, Reading, Source, SourceRequest } from '../../source/source.ts'
import type { Interest } from '../registration/wanted-types.ts'

export interface BackfillRequest {
  readonly api: { readonly events: ListedEvents }
  readonly inbox: Inbox
  readonly source: Pick<Source, 'name' | 'keep' | 'requestOf'>
  /** The same validation as on arrival. */
  readonly read: (request: SourceRequest) => Reading
  readonly deliveriesOf: (event: AnyEvent) => readonly NewDelivery[]
  /** Lists the search keys of an event. Default: none. */
  readonly keysOf?: ((event: AnyEvent) => SearchKeys) | undefined
  /**
   * Returns why an event must be quarantined although it can be read, as `validate: 'reject'` does on arrival. Default:
   * never.
   */
  readonly refusalOf?: ((event: AnyEvent, endpoint: string) => string | undefined) | undefined
  /**
   * Which events the endpoint is for. Others are quarantined, as on arrival. Default: all.
   */
  readonly mode?: EventMode | undefined
  /** Only events for these handlers are fetched: only these would have been sent. */
  readonly interest: Interest
  /** The realm of the endpoint. Only events that have arrived in this realm count as arrived. */
  readonly realm: string
  /** The endpoint that the events would have been sent to. */
  readonly endpoint: string
  readonly since: Date
  readonly until: Date
  /** Changes nothing. */
  readonly dryRun?: boolean | undefined
  /** Called after each part of the time that was read completely. */
  readonly onProgress?: ((report: BackfillReport) => unknown) | undefined
  readonly signal?: AbortSignal | undefined
  /** Default: by the inbox's clock. */
  readonly now?: Date
}

export interface BackfillReport {
  /** The time that was read: from here ... */
  readonly since: Date
  /** ... to here. Earlier than requested while the backfill runs, or if it was stopped. */
  readonly until: Date
  /** The part of the requested time that the provider no longer lists. Its events cannot be fetched. */
  readonly gap: { readonly since: Date; readonly until: Date } | undefined
  /** How many events of the wanted types the provider lists. */
  readonly listed: number
  /** How many of them had arrived. */
  readonly arrived: number
  /** How many were recovered; in a dry run, how many would be. */
  readonly recovered: number
  /** How many were not valid: stored as quarantined. */
  readonly quarantined: number
  /** How many were skipped: so old that the inbox may have handled and purged them. */
  readonly forgotten: number
  /** The creation times of the oldest and the newest listed event, as the provider wrote them. */
  readonly oldest: string | undefined
  readonly newest: string | undefined
}

/** The time that is read at once. Its missing events are held in memory, to record them oldest first for `orderBy`. */
const partMs = 6 * 3_600_000

/** Events in one transaction: few, so that requests need not wait. `inbox.known` takes up to 1,000. */
const batchSize = 100

/**
 * Lists the provider's events of a span of time and records those that the inbox does not have, with the same
 * validation and deduplication, marked as backfilled. If it is stopped or killed, a second run loses and repeats
 * nothing.
 * @throws what the API and the inbox throw; what was recorded before stays
 */
export async function backfill(request: BackfillRequest): Promise<BackfillReport> {
  const { api, inbox, until, onProgress, signal } = request
  const now = request.now ?? (await inbox.now())
  const horizon = new Date(now.getTime() - api.events.horizonMs)
  const since = request.since < horizon ? horizon : request.since
  const gap = request.since < horizon ? { since: request.since, until: until < horizon ? until : horizon } : undefined
  const mark = await inbox.watermark(request.realm, purgedMark)
  // A mark in the future was written by a wrong clock.
  const purgedBefore = mark !== undefined && mark > now ? undefined : mark
  let report: BackfillReport = { since, until: since, gap, ...nothing }
  for (let start = since; start < until && signal?.aborted !== true; ) {
    const end = new Date(Math.min(start.getTime() + partMs, until.getTime()))
    const part = await backfillPart(request, start, end, purgedBefore)
    report = { ...add(report, part), until: end }
    await onProgress?.(report)
    start = end
  }
  return report
}

/** The most events of one part that are held in memory: an endless list must not use up the memory. */
const mostListed = 200_000

type Counts = Omit<BackfillReport, 'since' | 'until' | 'gap'>

const nothing: Counts = {
  listed: 0,
  arrived: 0,
  recovered: 0,
  quarantined: 0,
  forgotten: 0,
  oldest: undefined,
  newest: undefined
}

async function backfillPart(
  request: BackfillRequest,
  since: Date,
  until: Date,
  purgedBefore: Date | undefined
): Promise<Counts> {
  const { inbox, realm, interest, dryRun = false } = request
  const missing: Candidate[] = []
  let counts = nothing
  let page: Candidate[] = []
  const look = async (): Promise<void> => {
    const known = await inbox.known(
      realm,
      page.map(({ arrival }) => arrival.id)
    )
    const unseen = page.filter(({ arrival }) => !known.has(arrival.id))
    const kept = unseen.filter(
      ({ createdAt = Infinity }) => purgedBefore === undefined || createdAt > purgedBefore.getTime()
    )
    missing.push(...kept)
    counts = {
      ...counts,
      arrived: counts.arrived + known.size,
      forgotten: counts.forgotten + unseen.length - kept.length
    }
    page = []
  }
  for await (const raw of request.api.events.all({ since, until, types: typesOf(interest) })) {
    if (typeof raw['type'] === 'string' && interest.for(raw['type']).length === 0 && interest.all.length > 0) continue
    const found = candidate(request, raw)
    const createdTime = found.arrival.state === 'accepted' ? found.arrival.createdTime : raw['createdTime']
    counts = { ...counts, ...span(counts, createdTime), listed: counts.listed + 1 }
    if (counts.listed > mostListed) throw endlessPart(since, until)
    page.push(found)
    if (page.length === batchSize) await look()
  }
  await look()
  const recorded = dryRun ? count(missing) : await recordAll(inbox, missing)
  return { ...counts, ...recorded, arrived: counts.arrived + recorded.arrived }
}

function endlessPart(since: Date, until: Date): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_API_ANSWER',
    `The provider listed more than ${mostListed} events from ${since.toISOString()} to ${until.toISOString()}: the list may be endless, so none of them was recorded`
  )
}

/** The event types to list, if every handler names its type. With patterns, all are listed: some types are unknown. */
function typesOf({ all }: Interest): readonly string[] | undefined {
  const patterns = all.map(({ pattern }) => pattern)
  return patterns.length > 0 && patterns.every(isOneType) ? [...new Set(patterns)] : undefined
}

interface Candidate {
  readonly arrival: Arrival
  /** Milliseconds since the epoch; undefined if the event could not be read. */
  readonly createdAt: number | undefined
}

function candidate(
  { source, read, deliveriesOf, keysOf, refusalOf, mode, realm, endpoint }: BackfillRequest,
  raw: Readonly<Record<string, unknown>>
): Candidate {
  const { headers: sent, body } = source.requestOf?.(raw) ?? { headers: {}, body: Buffer.from(JSON.stringify(raw)) }
  const headers = keptHeaders(source, sent)
  const receivedAt = new Date()
  const receipt = {
    judgedAt: receivedAt.toISOString(),
    checks: ['api'],
    backfilled: true,
    ...(mode === undefined ? {} : { mode })
  } as const
  const reading = read({ headers, body })
  const kept = { realm, source: source.name, headers }
  const reason = reading.ok ? (modeFault(mode, reading.event) ?? refusalOf?.(reading.event, endpoint)) : reading.message
  if (!reading.ok || reason !== undefined) {
    const id = quarantineIdOf({ realm, endpoint, headers, body })
    return {
      arrival: { ...kept, state: 'quarantined', id, body, endpoint, receivedAt, receipt, reason: reason ?? '' },
      createdAt: undefined
    }
  }
  const { id, type, liveMode, createdTime } = reading.event
  const deliveries = deliveriesOf(reading.event)
  const arrival: Arrival = {
    ...kept,
    state: 'accepted',
    id,
    type,
    liveMode,
    createdTime,
    body,
    endpoint,
    receivedAt,
    receipt,
    ...keysOf?.(reading.event),
    deliveries
  }
  return { arrival, createdAt: createdTime === undefined ? undefined : Date.parse(createdTime) }
}

async function recordAll(inbox: Inbox, missing: readonly Candidate[]): Promise<ReturnType<typeof count>> {
  const inOrder = [...missing].sort((one, other) => (one.createdAt ?? 0) - (other.createdAt ?? 0))
  let total = count([])
  for (let start = 0; start < inOrder.length; start += batchSize) {
    const batch = inOrder.slice(start, start + batchSize)
    const results = await inbox.record(batch.map(({ arrival }) => arrival))
    const failure = results.find((result) => result instanceof RiverhookError)
    if (failure !== undefined) throw failure
    const recorded = count(batch.filter((_, index) => results[index] === 'accepted'))
    // Some of the missing events may have arrived in the meantime.
    const arrived = results.filter((result) => result !== 'accepted').length
    total = {
      arrived: total.arrived + arrived,
      recovered: total.recovered + recorded.recovered,
      quarantined: total.quarantined + recorded.quarantined
    }
  }
  return total
}

function count(candidates: readonly Candidate[]): { arrived: number; recovered: number; quarantined: number } {
  const recovered = candidates.filter(({ arrival }) => arrival.state === 'accepted').length
  return { arrived: 0, recovered, quarantined: candidates.length - recovered }
}

function span({ oldest, newest }: Counts, created: unknown): Pick<Counts, 'oldest' | 'newest'> {
  if (typeof created !== 'string' || Number.isNaN(Date.parse(created))) return { oldest, newest }
  return {
    oldest: oldest === undefined || Date.parse(created) < Date.parse(oldest) ? created : oldest,
    newest: newest === undefined || Date.parse(created) > Date.parse(newest) ? created : newest
  }
}

function add(report: BackfillReport, part: Counts): BackfillReport {
  const first = part.oldest === undefined ? report : span(report, part.oldest)
  const last = part.newest === undefined ? first : span({ ...nothing, ...first }, part.newest)
  return {
    ...report,
    listed: report.listed + part.listed,
    arrived: report.arrived + part.arrived,
    recovered: report.recovered + part.recovered,
    quarantined: report.quarantined + part.quarantined,
    forgotten: report.forgotten + part.forgotten,
    oldest: last.oldest,
    newest: last.newest
  }
}
