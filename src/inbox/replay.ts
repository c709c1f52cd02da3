import { RiverhookError } from '../errors.ts'
import { deliveryStates, modeFault, type DeliveryState, type Event, type EventMode, type EventState } from '../event.ts'
import { checkReplayFilter } from './check.ts'
import type { EventSummary, Inbox, ReplayTarget } from './inbox.ts'

/** Which deliveries a replay is for. All that is given must hold. */
export interface ReplayFilter {
  /** One event by its id. */
  readonly id?: string | undefined
  /** An event type or a pattern such as `order.*`. */
  readonly type?: string | undefined
  /** Only deliveries in this state; without it also those that do not exist yet. */
  readonly state?: DeliveryState | EventState | undefined
  readonly handler?: string | undefined
  /** Received at or after. */
  readonly since?: Date | undefined
  /** Received before. */
  readonly until?: Date | undefined
}

/** What decides who is to be told of an event: the registry in a server, the handlers last adopted elsewhere. */
export interface ReplayHandlers {
  /** The names of the handlers that want events of the type. */
  for(type: string): readonly string[]
  /** The order key of a delivery that is created. */
  orderKey?(handler: string, event: { readonly id: string; readonly type: string; readonly body: Uint8Array }): string | undefined
}

const pageSize = 500

/** True for a replay filter's or event filter's state that is one of a delivery. */
export function isDeliveryState(state: string | undefined): state is DeliveryState {
  return (deliveryStates as readonly string[]).includes(state ?? '')
}

/**
 * Finds the deliveries that a replay makes due, newest event first: those that exist, and, where no state is asked for, those
 * that are missing because the handler was not there when the event came. Running ones are left out. Quarantined events have no deliveries.
 */
export async function* selectReplay(inbox: Inbox, given: ReplayFilter, handlers: ReplayHandlers): AsyncGenerator<ReplayTarget> {
  const filter = checkReplayFilter(given)
  for await (const event of eventsOf(inbox, filter)) {
    if (event.state !== 'accepted') continue
    const wanted = handlers.for(event.type).filter((handler) => handler === (filter.handler ?? handler))
    for (const { handler, state } of event.deliveries) {
      if (handler !== (filter.handler ?? handler) || state === 'running') continue
      if (isDeliveryState(filter.state) && state !== filter.state) continue
      yield { eventId: event.id, handler }
    }
    if (isDeliveryState(filter.state)) continue
    const missing = wanted.filter((handler) => event.deliveries.every((delivery) => delivery.handler !== handler))
    if (missing.length === 0) continue
    const detail = handlers.orderKey === undefined ? undefined : await inbox.event(event.id)
    for (const handler of missing) {
      const orderKey = detail === undefined ? undefined : handlers.orderKey?.(handler, detail)
      yield { eventId: event.id, handler, orderKey }
    }
  }
}

/** How the retry of a quarantined event ended. `conflict`: its id is known with another body, and it stays quarantined. */
export type QuarantineResult = 'accepted' | 'duplicate' | 'conflict' | { readonly stillInvalid: string }

/**
 * Reads a quarantined request again, with the rules of today, and accepts its event when it is valid now.
 * @param read gives the Event in the stored bytes, or says why it is none
 * @param deliveriesOf who is to be told of the event
 * @param modeOf the `mode` of an endpoint, where it is known; else the one that the endpoint had when the request came
 */
export async function retryQuarantined(
  inbox: Inbox,
  id: string,
  read: (body: Uint8Array) => { readonly ok: true; readonly event: Event } | { readonly ok: false; readonly message: string },
  deliveriesOf: (event: Event) => readonly { readonly handler: string; readonly orderKey?: string | undefined }[],
  modeOf: (endpoint: string) => EventMode | undefined = () => undefined
): Promise<QuarantineResult | undefined> {
  const detail = await inbox.event(id)
  if (detail?.state !== 'quarantined') return undefined
  const { body, endpoint, receivedAt, receipt } = detail
  const reading = read(body)
  if (!reading.ok) return { stillInvalid: reading.message }
  const { event } = reading
  const fault = modeFault(modeOf(endpoint) ?? receipt.mode, event)
  if (fault !== undefined) return { stillInvalid: fault }
  const { type, liveMode, createdTime } = event
  const deliveries = deliveriesOf(event)
  const [result] = await inbox.record([
    { state: 'accepted', id: event.id, type, liveMode, createdTime, body, endpoint, receivedAt, receipt, deliveries }
  ])
  if (result instanceof RiverhookError) throw result
  // Another event has taken the id: these bytes are stored nowhere else.
  if (result === 'conflict') return result
  // Only now: were we to end in between, the event would be there twice at worst, once as quarantined.
  await inbox.remove([id])
  return result
}

async function* eventsOf(inbox: Inbox, filter: ReplayFilter): AsyncGenerator<EventSummary> {
  if (filter.id !== undefined) {
    const detail = await inbox.event(filter.id)
    if (detail !== undefined) yield detail
    return
  }
  const { type, since, until } = filter
  // The handler narrows the pages only together with a delivery's state: an event without that delivery may get it now.
  const handler = isDeliveryState(filter.state) ? filter.handler : undefined
  let after: number | undefined
  do {
    const page = await inbox.events({ type, state: filter.state, handler, since, until, limit: pageSize, after })
    yield* page.events
    after = page.next
  } while (after !== undefined)
}
