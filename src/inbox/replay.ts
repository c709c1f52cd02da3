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
import { checkReplayFilter } from './check.ts'
import type { Admission, EventDetail, EventSummary, Inbox, NewDelivery, ReplayResult, ReplayTarget } from './inbox.ts'

/** A delivery that the filter of a replay selects. */
export interface ReplayCandidate extends ReplayTarget {
  /** `missing`: the handler was added after the event arrived. */
  readonly state: DeliveryState | 'missing'
  /** True if it is running, done without `includeDone`, or parked because its handler is missing. */
  readonly isSkipped: boolean
}

/** Decides which handlers get an event: the registry of a server, or for a command, the handlers last adopted. */
export interface ReplayHandlers {
  /** Lists the handlers that get the event: those of its source whose pattern covers its type. */
  for(event: Pick<EventSummary, 'source' | 'type'>): readonly string[]
  /** Computes the order key of a new delivery. */
  orderKey?(handler: string, event: EventDetail): string | undefined
}

const pageSize = 500

/** True if the state in a filter is one of a delivery, not of an event. */
export function isDeliveryState(state: string | undefined): state is DeliveryState {
  return (deliveryStates as readonly string[]).includes(state ?? '')
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
  const filter = checkReplayFilter(given)
  const present = await inbox.handlers()
  const unlessDone = filter.includeDone !== true && filter.state !== 'done'
  for await (const event of listEvents(inbox, filter)) {
    if (event.state !== 'accepted') continue
    const key = { realm: event.realm, id: event.id }
    for (const { handler, state, orderKey } of event.deliveries) {
      if (handler !== (filter.handler ?? handler)) continue
      if (isDeliveryState(filter.state) && state !== filter.state) continue
      const isSkipped =
        state === 'running' ||
        (state === 'done' && unlessDone) ||
        (state === 'parked' && !present.some(({ name, source }) => name === handler && source === event.source))
      yield { event: key, handler, orderKey, state, isSkipped, unlessDone }
    }
    if (isDeliveryState(filter.state)) continue
    const wanted = handlers.for(event).filter((handler) => handler === (filter.handler ?? handler))
    const missing = wanted.filter((handler) => event.deliveries.every((delivery) => delivery.handler !== handler))
    if (missing.length === 0) continue
    const detail = handlers.orderKey === undefined ? undefined : await inbox.event(key)
    for (const handler of missing) {
      const orderKey = detail === undefined ? undefined : handlers.orderKey?.(handler, detail)
      yield { event: key, handler, orderKey, state: 'missing', isSkipped: false, unlessDone }
    }
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
export interface ReplayCounts extends Readonly<Record<ReplayResult, number>> {
  /** Deliveries that the inbox rejected, for example by a trigger of the database. They are unchanged. */
  readonly refused: readonly RefusedReplay[]
}

export interface RefusedReplay {
  readonly event: EventKey
  readonly handler: string
  readonly error: RiverhookError
}

export interface ReplayHow {
  readonly act?: Act | undefined
  readonly onProgress?: ((count: number) => void) | undefined
}

/**
 * Makes the deliveries due that `selectReplay` has found. Puts all deliveries of a line in line before any of them
 * runs. Uses batches, so that requests are served in between.
 * @param how.act is entered in the audit log with each batch
 * @param how.onProgress called after each batch, with its size
 */
export async function replayInOrder(
  inbox: Inbox,
  candidates: readonly ReplayCandidate[],
  { act, onProgress = () => undefined }: ReplayHow = {}
): Promise<ReplayCounts> {
  const counts = { replayed: 0, created: 0, running: 0, done: 0, unknown_event: 0, refused: [] as RefusedReplay[] }
  const run = async (targets: readonly ReplayTarget[]): Promise<void> => {
    for (const [index, result] of (await inbox.replay(targets, act)).entries()) {
      if (!(result instanceof RiverhookError)) counts[result] += 1
      else if (targets[index] !== undefined)
        counts.refused.push({ event: targets[index].event, handler: targets[index].handler, error: result })
    }
    onProgress(targets.length)
  }
  let batch: ReplayTarget[] = []
  // Nothing to do is entered too.
  if (candidates.every(({ isSkipped }) => isSkipped) && act !== undefined) await run([])
  for (const line of groupByLine(candidates.filter(({ isSkipped }) => !isSkipped))) {
    if (batch.length > 0 && batch.length + line.length > batchSize) {
      await run(batch)
      batch = []
    }
    if (line.length > maxLine) await replayLongLine(inbox, line, run)
    else batch.push(...line)
  }
  if (batch.length > 0) await run(batch)
  return counts
}

/** Groups deliveries by line, in the order of the first of each. A delivery without an order key is its own line. */
function groupByLine(candidates: readonly ReplayCandidate[]): Iterable<ReplayTarget[]> {
  const lines = new Map<string | symbol, ReplayTarget[]>()
  for (const { event, handler, orderKey, unlessDone } of candidates) {
    const key = orderKey === undefined ? Symbol(handler) : JSON.stringify([event.realm, handler, orderKey])
    const line = lines.get(key) ?? []
    lines.set(key, line)
    line.push({ event, handler, orderKey, unlessDone })
  }
  return lines.values()
}

/** Delays the first delivery of the line until all are in line. Meanwhile the others wait behind it. */
async function replayLongLine(
  inbox: Inbox,
  line: readonly ReplayTarget[],
  run: (targets: readonly ReplayTarget[]) => Promise<void>
): Promise<void> {
  let first: ReplayTarget | undefined
  let heldAt = 0
  let next = 0
  const hold = async (target: ReplayTarget): Promise<boolean> => {
    heldAt = performance.now()
    const [result] = await inbox.replay([{ ...target, dueInMs: holdMs }])
    return result === 'replayed' || result === 'created'
  }
  try {
    for (; next < line.length && first === undefined; next += 1) {
      const target = line[next]
      if (target === undefined) break
      if (await hold(target)) first = target
      else await run([target])
    }
    for (; next < line.length; next += batchSize) {
      if (first !== undefined && performance.now() - heldAt > holdMs / 3) await hold(first)
      await run(line.slice(next, next + batchSize))
    }
  } finally {
    if (first !== undefined) await run([first])
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
  /** Lists the search keys of the event. Default: none. */
  readonly aboutOf?: ((event: AnyEvent, request: EventDetail) => readonly string[]) | undefined
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
  { read, aboutOf, deliveriesOf, modeOf }: QuarantineReading
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
    about: aboutOf?.(event, detail),
    deliveries: deliveriesOf(event, detail).map(({ handler, orderKey }) => ({ handler, orderKey }))
  }
}

async function* listEvents(inbox: Inbox, filter: ReplayFilter): AsyncGenerator<EventSummary> {
  const { id, about, realm, source, type, since, until } = filter
  // Without a delivery's state, do not filter by handler: an event without a delivery for the handler may get one.
  const handler = isDeliveryState(filter.state) ? filter.handler : undefined
  let after: number | undefined
  do {
    const page = await inbox.events({
      id,
      about,
      realm,
      source,
      type,
      state: filter.state,
      handler,
      since,
      until,
      limit: pageSize,
      oldestFirst: true,
      after
    })
    yield* page.events
    after = page.next
  } while (after !== undefined)
}
