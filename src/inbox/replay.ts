import {
  deliveryStates,
  modeFault,
  type DeliveryState,
  type EventKey,
  type AnyEvent,
  type EventMode,
  type EventState
} from '../model/event.ts'
import { RiverhookError } from '../model/errors.ts'
import { checkReplayFilter } from './check.ts'
import type { Admission, EventDetail, EventSummary, Inbox, NewDelivery, ReplayResult, ReplayTarget } from './inbox.ts'

/** Which deliveries a replay is for. All that is given must hold. */
export interface ReplayFilter {
  /** Only events of this id; in every realm, unless `realm` is given. */
  readonly id?: string | undefined
  readonly realm?: string | undefined
  /** The name of a source. */
  readonly source?: string | undefined
  /** An event type or a pattern such as `order.*`. */
  readonly type?: string | undefined
  /** Only deliveries in this state; without it also those that do not exist yet. */
  readonly state?: DeliveryState | EventState | undefined
  readonly handler?: string | undefined
  /** Received at or after. */
  readonly since?: Date | undefined
  /** Received before. */
  readonly until?: Date | undefined
  /**
   * Also what is done, so that its handlers run again for events that they have handled. Default false; `state:
   * 'done'` asks for it too.
   */
  readonly includeDone?: boolean | undefined
}

/** A delivery that a replay's filter finds. */
export interface ReplayCandidate extends ReplayTarget {
  /** `missing`: the handler wants the event, and was not there when it came. */
  readonly state: DeliveryState | 'missing'
  /**
   * It is left alone: it is running; it is done, and `includeDone` is not given; or it is parked, as its handler is
   * not in the code.
   */
  readonly isSkipped: boolean
}

/** What decides who is to be told of an event: the registry in a server, the handlers last adopted elsewhere. */
export interface ReplayHandlers {
  /** The names of the handlers that want the event: those of its source whose pattern covers its type. */
  for(event: Pick<EventSummary, 'source' | 'type'>): readonly string[]
  /** The order key of a delivery that is created. */
  orderKey?(handler: string, event: EventDetail): string | undefined
}

const pageSize = 500

/** True for a replay filter's or event filter's state that is one of a delivery. */
export function isDeliveryState(state: string | undefined): state is DeliveryState {
  return (deliveryStates as readonly string[]).includes(state ?? '')
}

/**
 * Finds the deliveries of a replay, oldest event first: those that exist, and, where no state is asked for, those
 * that are missing because the handler was not there when the event came. Quarantined events have no deliveries.
 */
export async function* selectReplay(
  inbox: Inbox,
  given: ReplayFilter,
  handlers: ReplayHandlers
): AsyncGenerator<ReplayCandidate> {
  const filter = checkReplayFilter(given)
  const present = await inbox.handlers()
  const unlessDone = filter.includeDone !== true && filter.state !== 'done'
  for await (const event of eventsOf(inbox, filter)) {
    if (event.state !== 'accepted') continue
    const key = { realm: event.realm, id: event.id }
    const wanted = handlers.for(event).filter((handler) => handler === (filter.handler ?? handler))
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
    const missing = wanted.filter((handler) => event.deliveries.every((delivery) => delivery.handler !== handler))
    if (missing.length === 0) continue
    const detail = handlers.orderKey === undefined ? undefined : await inbox.event(key)
    for (const handler of missing) {
      const orderKey = detail === undefined ? undefined : handlers.orderKey?.(handler, detail)
      yield { event: key, handler, orderKey, state: 'missing', isSkipped: false, unlessDone }
    }
  }
}

/** Small enough that requests get their turn in between. */
const batchSize = 200
/** The most deliveries of one order key that are put in line in one transaction. */
const largestLine = 1_000
/**
 * How long a longer line is kept from running while it is put together; after a kill in the middle, what is in line
 * by then runs.
 */
const holdMs = 60_000

/** How a replay ended: how many deliveries of each result. */
export interface ReplayCounts extends Readonly<Record<ReplayResult, number>> {
  /**
   * What the inbox refuses, as a trigger or a constraint of the database does: those deliveries are as they were.
   * Most often empty.
   */
  readonly refused: readonly RefusedReplay[]
}

export interface RefusedReplay {
  readonly event: EventKey
  readonly handler: string
  readonly error: RiverhookError
}

/**
 * Makes the deliveries due that `selectReplay` has found. All of one order key are in line before any of them runs,
 * whatever else arrives or ends meanwhile. In batches, so that a replay of very many holds up no request.
 * @param onProgress called with how many more are done
 */
export async function replayInOrder(
  inbox: Inbox,
  candidates: readonly ReplayCandidate[],
  onProgress: (count: number) => void = () => undefined
): Promise<ReplayCounts> {
  const counts = { replayed: 0, created: 0, running: 0, done: 0, unknown_event: 0, refused: [] as RefusedReplay[] }
  const run = async (targets: readonly ReplayTarget[]): Promise<void> => {
    for (const [index, result] of (await inbox.replay(targets)).entries()) {
      if (!(result instanceof RiverhookError)) counts[result] += 1
      else if (targets[index] !== undefined)
        counts.refused.push({ event: targets[index].event, handler: targets[index].handler, error: result })
    }
    onProgress(targets.length)
  }
  let batch: ReplayTarget[] = []
  for (const line of linesOf(candidates.filter(({ isSkipped }) => !isSkipped))) {
    if (batch.length > 0 && batch.length + line.length > batchSize) {
      await run(batch)
      batch = []
    }
    if (line.length > largestLine) await replayLongLine(inbox, line, run)
    else batch.push(...line)
  }
  if (batch.length > 0) await run(batch)
  return counts
}

/** In the order given, each line at the place of its first: a delivery without an order key is one of its own. */
function linesOf(candidates: readonly ReplayCandidate[]): Iterable<ReplayTarget[]> {
  const lines = new Map<string | symbol, ReplayTarget[]>()
  for (const { event, handler, orderKey, unlessDone } of candidates) {
    const key = orderKey === undefined ? Symbol(handler) : JSON.stringify([event.realm, handler, orderKey])
    const line = lines.get(key) ?? []
    lines.set(key, line)
    line.push({ event, handler, orderKey, unlessDone })
  }
  return lines.values()
}

/** The first of the line is made due later, and keeps the others waiting, until all are in line. */
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
 * How the retry of a quarantined event ended. `conflict`: its id is known with another body, and it stays
 * quarantined. `notStored`: the inbox refuses this one, as a trigger or a constraint of the database does, and it
 * stays quarantined.
 */
export type QuarantineResult =
  | 'accepted'
  | 'duplicate'
  | 'conflict'
  | { readonly stillInvalid: string }
  | { readonly notStored: string }

/** How quarantined requests are read again. */
export interface QuarantineReading {
  /** Gives the Event in the stored bytes, or says why it is none. */
  readonly read: (
    request: EventDetail
  ) => { readonly ok: true; readonly event: AnyEvent } | { readonly ok: false; readonly message: string }
  /** Who is to be told of the event. */
  readonly deliveriesOf: (event: AnyEvent, request: EventDetail) => readonly NewDelivery[]
  /** The `mode` of an endpoint, where it is known; else the one that the endpoint had when the request came. */
  readonly modeOf?: ((endpoint: string) => EventMode | undefined) | undefined
}

/**
 * Reads quarantined requests again, with the rules of today, and accepts the events of those that are valid now.
 * Those of up to 200 requests are in line, by their arrival, before any of them runs.
 * @param keys in the order of their arrival
 * @returns for each the result; undefined where there is no quarantined request of that id
 */
export async function* retryAllQuarantined(
  inbox: Inbox,
  keys: readonly EventKey[],
  how: QuarantineReading
): AsyncGenerator<{ readonly request: EventKey; readonly result: QuarantineResult | undefined }> {
  for (let start = 0; start < keys.length; start += batchSize) {
    const readings = new Map<EventKey, Admission | QuarantineResult | undefined>()
    for (const key of keys.slice(start, start + batchSize)) readings.set(key, await readAgain(inbox, key, how))
    const admissions = [...readings.values()].filter(
      (reading): reading is Admission => typeof reading === 'object' && 'request' in reading
    )
    const results = admissions.length === 0 ? [] : await inbox.admit(admissions)
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
  { read, deliveriesOf, modeOf }: QuarantineReading
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
    deliveries: deliveriesOf(event, detail).map(({ handler, orderKey }) => ({ handler, orderKey }))
  }
}

async function* eventsOf(inbox: Inbox, filter: ReplayFilter): AsyncGenerator<EventSummary> {
  const { id, realm, source, type, since, until } = filter
  // The handler narrows the pages only together with a delivery's state: an event without that delivery may get it now.
  const handler = isDeliveryState(filter.state) ? filter.handler : undefined
  let after: number | undefined
  do {
    const page = await inbox.events({
      id,
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
