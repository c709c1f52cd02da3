import {
  deliveryStates,
  modeFault,
  type DeliveryState,
  type EventKey,
  type AnyEvent,
  type EventMode
} from '../model/event.ts'
import type { Act } from '../model/audit.ts'
import { RiverhookError } from '../model/errors.ts'
import type { ReplayFilter } from '../model/job.ts'
import { delay } from '../model/timers.ts'
import type { SearchKeys } from '../model/search-keys.ts'
import { checkReplayFilter } from './check.ts'
import type {
  Admission,
  EventDetail,
  EventFilter,
  EventPage,
  EventSummary,
  HandlerName,
  Inbox,
  JobReplayResult,
  NewDelivery,
  ReplayTarget
} from './inbox.ts'
import { hasError } from './search.ts'
import type { ReplayPace } from './replay-pace.ts'

/** A delivery that the filter of a replay selects. */
export interface ReplayCandidate extends ReplayTarget {
  /** When its event arrived. */
  readonly receivedAt: Date
  /** `missing`: the handler was added after the event arrived. */
  readonly state: DeliveryState | 'missing'
  /**
   * True if it is running, done without `includeDone`, parked because its handler is missing, or was replayed by a
   * later job.
   */
  readonly isSkipped: boolean
}

/** Decides which handlers get an event: the registry of a server, or for a command, the handlers last adopted. */
export interface ReplayHandlers {
  /** Lists the handlers that get the event: those of its source whose pattern covers its type. */
  for(event: Pick<EventSummary, 'source' | 'type'>): readonly string[]
  /** Computes the order key of a new delivery. */
  orderKey?(handler: string, event: EventDetail): string | undefined
}

const usualPageSize = 500

/** True if the state in a filter is one of a delivery, not of an event. */
export function isDeliveryState(state: string | undefined): state is DeliveryState {
  return (deliveryStates as readonly string[]).includes(state ?? '')
}

/** The part of the events in which a replay looks. */
export interface ReplayRange {
  /** The end of the last page. */
  readonly after?: number | undefined
  /** The position of the last event. */
  readonly upTo?: number | undefined
  /** The most events of a page. Default 500. */
  readonly pageSize?: number | undefined
  /** Leaves out what this job has replayed, and skips what a later one has. */
  readonly jobId?: number | undefined
}

/** The deliveries of a page of events. */
export interface ReplayPage {
  readonly candidates: readonly ReplayCandidate[]
  /** The position of its last event; undefined on the last page. */
  readonly next: number | undefined
}

/**
 * Finds the deliveries of a replay, oldest event first. Without a state in the filter, includes missing deliveries,
 * whose handler was added after the event arrived. Quarantined requests have no deliveries.
 */
export async function* selectReplay(
  inbox: Inbox,
  given: ReplayFilter,
  handlers: ReplayHandlers
): AsyncGenerator<ReplayCandidate> {
  for await (const { candidates } of selectPages(inbox, given, handlers)) yield* candidates
}

/** Finds the deliveries of a replay as `selectReplay` does, in pages. */
export async function* selectPages(
  inbox: Inbox,
  given: ReplayFilter,
  handlers: ReplayHandlers,
  range: ReplayRange = {}
): AsyncGenerator<ReplayPage> {
  const filter = checkReplayFilter(given)
  const present = await inbox.handlers()
  for await (const { events, next } of listEvents(inbox, filter, range)) {
    const candidates: ReplayCandidate[] = []
    for (const event of events.filter(({ state }) => state === 'accepted'))
      for await (const candidate of selectIn(event, filter, { inbox, handlers, present, jobId: range.jobId }))
        candidates.push(candidate)
    yield { candidates, next }
  }
}

/** Finds the deliveries of an event. */
async function* selectIn(
  event: EventSummary,
  filter: ReplayFilter,
  {
    inbox,
    handlers,
    present,
    jobId
  }: {
    readonly inbox: Inbox
    readonly handlers: ReplayHandlers
    readonly present: readonly HandlerName[]
    readonly jobId: number | undefined
  }
): AsyncGenerator<ReplayCandidate> {
  const key = { realm: event.realm, id: event.id }
  const unlessDone = filter.includeDone !== true && filter.state !== 'done'
  const shared = { event: key, receivedAt: event.receivedAt, unlessDone }
  for (const delivery of event.deliveries) {
    const { handler, state, orderKey, jobId: lastJobId } = delivery
    if (handler !== (filter.handler ?? handler)) continue
    if (isDeliveryState(filter.state) && state !== filter.state) continue
    if (jobId !== undefined && lastJobId === jobId) continue
    if (filter.error !== undefined && !hasError(delivery, filter.error)) continue
    const isSkipped =
      (jobId !== undefined && lastJobId !== undefined && lastJobId > jobId) ||
      state === 'running' ||
      (state === 'done' && unlessDone) ||
      (state === 'parked' && !present.some(({ name, source }) => name === handler && source === event.source))
    yield { ...shared, handler, orderKey, state, isSkipped }
  }
  if (isDeliveryState(filter.state) || filter.error !== undefined) return
  const wanted = handlers.for(event).filter((handler) => handler === (filter.handler ?? handler))
  const missing = wanted.filter((handler) => event.deliveries.every((delivery) => delivery.handler !== handler))
  if (missing.length === 0) return
  const detail = handlers.orderKey === undefined ? undefined : await patiently(() => inbox.event(key))
  for (const handler of missing) {
    const orderKey = detail === undefined ? undefined : handlers.orderKey?.(handler, detail)
    yield { ...shared, handler, orderKey, state: 'missing', isSkipped: false }
  }
}

/** Deliveries per transaction: few enough that requests need not wait for it. */
const batchSize = 200
/** The most deliveries of one line to replay in one transaction. */
const maxLine = 1_000
/**
 * How long the first delivery of a longer line is delayed, while the others are put in line. If this process is killed
 * meanwhile, the deliveries that are in line run after this time.
 */
const holdMs = 60_000

/** The result of a replay: the number of deliveries with each result. */
export interface ReplayCounts extends Readonly<Record<JobReplayResult, number>> {
  /** Deliveries that the inbox rejected, for example by a trigger of the database. They are unchanged. */
  readonly refused: readonly RefusedReplay[]
}

export interface RefusedReplay {
  readonly event: EventKey
  readonly handler: string
  readonly error: RiverhookError
}

export interface ReplayHow {
  /** Replays a batch. Default: `replay` of the inbox. */
  readonly replay?: (targets: readonly ReplayTarget[]) => Promise<readonly (JobReplayResult | RiverhookError)[]>
  /** Default: as fast as possible. */
  readonly pace?: ReplayPace | undefined
}

/**
 * Makes the deliveries due that `selectReplay` has found. Puts all deliveries of a line in line before any of them
 * runs; with a pace, before the line has run up to them. Uses batches, so that requests are served in between.
 */
export async function replayInOrder(
  inbox: Inbox,
  candidates: readonly ReplayCandidate[],
  { replay = (targets) => inbox.replay(targets), pace }: ReplayHow = {}
): Promise<ReplayCounts> {
  const refused: RefusedReplay[] = []
  const counts = { replayed: 0, created: 0, running: 0, done: 0, unknown_event: 0, repeated: 0, refused }
  const run: RunBatch = async (targets) => {
    const results = await replay(targets)
    for (const [index, result] of results.entries()) {
      if (!(result instanceof RiverhookError)) counts[result] += 1
      else if (targets[index] !== undefined)
        refused.push({ event: targets[index].event, handler: targets[index].handler, error: result })
    }
    return results
  }
  const lines = groupByLine(candidates.filter(({ isSkipped }) => !isSkipped))
  if (pace === undefined) await replayLines(inbox, lines, run)
  else {
    const targets = [...lines].flat()
    for (let start = 0; start < targets.length; start += pace.batchSize)
      await run(await pace.next(targets.slice(start, start + pace.batchSize)))
  }
  return counts
}

type RunBatch = (targets: readonly ReplayTarget[]) => Promise<readonly (JobReplayResult | RiverhookError)[]>

/** Replays whole lines, as many as fit into a batch. */
async function replayLines(inbox: Inbox, lines: Iterable<ReplayTarget[]>, run: RunBatch): Promise<void> {
  let batch: ReplayTarget[] = []
  for (const line of lines) {
    if (batch.length > 0 && batch.length + line.length > batchSize) {
      await run(batch)
      batch = []
    }
    if (line.length > maxLine) await replayLongLine(inbox, line, run)
    else batch.push(...line)
  }
  if (batch.length > 0) await run(batch)
}

/** Groups deliveries by line, in the order of the first of each. A delivery without an order key is its own line. */
function groupByLine(candidates: readonly ReplayCandidate[]): Iterable<ReplayTarget[]> {
  const lines = new Map<string | symbol, ReplayTarget[]>()
  for (const candidate of candidates) {
    const { event, handler, orderKey, unlessDone } = candidate
    const key = lineOf(candidate) ?? Symbol(handler)
    const line = lines.get(key) ?? []
    lines.set(key, line)
    line.push({ event, handler, orderKey, unlessDone })
  }
  return lines.values()
}

/** The name of the line of a delivery; undefined without an order key. */
export function lineOf({ event, handler, orderKey }: ReplayTarget): string | undefined {
  return orderKey === undefined ? undefined : JSON.stringify([event.realm, handler, orderKey])
}

/** Delays the first delivery of the line until all are in line. Meanwhile the others wait behind it. */
async function replayLongLine(inbox: Inbox, line: readonly ReplayTarget[], run: RunBatch): Promise<void> {
  let first: ReplayTarget | undefined
  let heldAt = 0
  let next = 0
  for (; next < line.length && first === undefined; next += 1) {
    const target = line[next]
    if (target === undefined) break
    heldAt = performance.now()
    const [result] = await run([{ ...target, dueInMs: holdMs }])
    // It may have run since, if the others took longer than the delay.
    if (result === 'replayed' || result === 'created') first = { ...target, unlessDone: true }
  }
  try {
    for (; next < line.length; next += batchSize) {
      if (first !== undefined && performance.now() - heldAt > holdMs / 3) {
        heldAt = performance.now()
        await inbox.replay([{ ...first, dueInMs: holdMs }])
      }
      await run(line.slice(next, next + batchSize))
    }
  } finally {
    if (first !== undefined) await inbox.replay([first])
  }
}

/**
 * The result of the retry of a quarantined request. `conflict`: its event is known with another body. `notStored`: the
 * inbox rejected it, for example by a trigger of the database. In both cases, and for `stillInvalid`, it stays
 * quarantined.
 */
export type QuarantineResult =
  | 'accepted'
  | 'duplicate'
  | 'conflict'
  | { readonly stillInvalid: string }
  | { readonly notStored: string }

/** Reads quarantined requests again. */
export interface QuarantineReading {
  /** Reads the event in the stored bytes, or says why there is none. */
  readonly read: (
    request: EventDetail
  ) => { readonly ok: true; readonly event: AnyEvent } | { readonly ok: false; readonly message: string }
  /** Finds the search keys of the event. Default: none. */
  readonly keysOf?: ((event: AnyEvent, request: EventDetail) => SearchKeys) | undefined
  /** Creates the deliveries of the event. */
  readonly deliveriesOf: (event: AnyEvent, request: EventDetail) => readonly NewDelivery[]
  /** Returns the `mode` of an endpoint. If it is not known, its `mode` when the request arrived is used. */
  readonly modeOf?: ((endpoint: string) => EventMode | undefined) | undefined
}

/**
 * Reads quarantined requests again, with the current rules, and accepts the events of those that are valid now. Puts
 * the deliveries of up to 200 requests in line before any of them runs.
 * @param keys in the order of their arrival
 * @param act is entered in the audit log, once for up to 200 requests
 * @returns the result of each; undefined if there is no quarantined request with that id
 */
export async function* retryAllQuarantined(
  inbox: Inbox,
  keys: readonly EventKey[],
  how: QuarantineReading,
  act?: Act
): AsyncGenerator<{ readonly request: EventKey; readonly result: QuarantineResult | undefined }> {
  // One batch at least with an act, so that there is an entry.
  for (let start = 0; start < keys.length || (start === 0 && act !== undefined); start += batchSize) {
    const readings = new Map<EventKey, Admission | QuarantineResult | undefined>()
    for (const key of keys.slice(start, start + batchSize)) readings.set(key, await readAgain(inbox, key, how))
    const admissions = [...readings.values()].filter(
      (reading): reading is Admission => typeof reading === 'object' && 'request' in reading
    )
    const results = admissions.length === 0 && act === undefined ? [] : await inbox.admit(admissions, act)
    admissions.forEach(({ request }, index) => {
      const result = results[index]
      readings.set(
        request,
        result instanceof RiverhookError
          ? { notStored: result.message }
          : result === 'unknown_request'
            ? undefined
            : result
      )
    })
    for (const [request, result] of readings) yield { request, result: result as QuarantineResult | undefined }
  }
}

async function readAgain(
  inbox: Inbox,
  key: EventKey,
  { read, keysOf, deliveriesOf, modeOf }: QuarantineReading
): Promise<Admission | { readonly stillInvalid: string } | undefined> {
  const detail = await inbox.event(key)
  if (detail?.state !== 'quarantined') return undefined
  const { endpoint, receipt } = detail
  const reading = read(detail)
  if (!reading.ok) return { stillInvalid: reading.message }
  const { event } = reading
  const fault = modeFault(modeOf?.(endpoint) ?? receipt.mode, event)
  if (fault !== undefined) return { stillInvalid: fault }
  const { type, liveMode, createdTime } = event
  return {
    request: key,
    id: event.id,
    type,
    liveMode,
    createdTime,
    ...keysOf?.(event, detail),
    deliveries: deliveriesOf(event, detail).map(({ handler, orderKey }) => ({ handler, orderKey }))
  }
}

/** The most events that are looked at for one page of a job, after a read took too long. */
const narrowWindow = 20_000

/** Lists the events of a filter in pages, in the order of their arrival. */
async function* listEvents(
  inbox: Inbox,
  filter: ReplayFilter,
  { after: first, upTo = Infinity, pageSize = usualPageSize, jobId }: ReplayRange
): AsyncGenerator<EventPage> {
  if (filter.events !== undefined) {
    yield await listChosen(inbox, filter.events, filter, { after: first, upTo, jobId })
    return
  }
  const narrowing = { ...eventFilterOf(filter), limit: pageSize }
  let after = first
  let window = Infinity
  do {
    const end = Math.min(upTo, (after ?? 0) + window)
    let page: EventPage
    try {
      const read = () => inbox.events({ ...narrowing, after, upTo: finite(end) })
      page = await (jobId === undefined ? read() : patiently(read))
    } catch (error) {
      const isTooLong = error instanceof RiverhookError && error.code === 'RIVERHOOK_INBOX_READ_LIMIT'
      if (jobId === undefined || !isTooLong || window === narrowWindow) throw error
      window = narrowWindow
      continue
    }
    after = page.next ?? (end === upTo ? undefined : end)
    yield { events: page.events, next: after }
  } while (after !== undefined)
}

/** Lists those of the chosen events that match the rest of the filter, in the order of their arrival. */
async function listChosen(
  inbox: Inbox,
  keys: readonly EventKey[],
  filter: ReplayFilter,
  { after, upTo, jobId }: Pick<ReplayRange, 'after' | 'jobId'> & { readonly upTo: number }
): Promise<EventPage> {
  const { id, realm, ...narrowing } = eventFilterOf(filter)
  const events = new Map<string, EventSummary>()
  for (const key of keys) {
    if ((id ?? key.id) !== key.id || (realm ?? key.realm) !== key.realm) continue
    const read = () => inbox.events({ ...narrowing, realm: key.realm, id: key.id, limit: 1, after, upTo: finite(upTo) })
    for (const event of (await (jobId === undefined ? read() : patiently(read))).events)
      events.set(JSON.stringify([key.realm, key.id]), event)
  }
  const sorted = [...events.values()].sort((one, other) => one.receivedAt.getTime() - other.receivedAt.getTime())
  return { events: sorted, next: undefined }
}

/** The part of a replay's filter that selects events. */
function eventFilterOf({
  events: _chosen,
  includeDone: _how,
  handler,
  ...filter
}: ReplayFilter): Omit<EventFilter, 'limit'> {
  // Without the state or error of a delivery, do not filter by handler: an event without a delivery may get one.
  const isOfDelivery = isDeliveryState(filter.state) || filter.error !== undefined
  return { ...filter, handler: isOfDelivery ? handler : undefined, oldestFirst: true }
}

function finite(position: number): number | undefined {
  return Number.isFinite(position) ? position : undefined
}

/** How long a job waits while the inbox is busy with other reads, in milliseconds. */
const busyPauseMs = 500

/** Repeats a read of a job until it has its turn: a job has more time than a person. */
async function patiently<Result>(read: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof RiverhookError) || error.code !== 'RIVERHOOK_INBOX_READS_BUSY') throw error
      await delay(busyPauseMs)
    }
  }
}
