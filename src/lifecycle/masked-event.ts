import type { EventDetail, EventSummary, FailedDelivery, Inbox } from '../inbox/inbox.ts'
import type { MaskedEvent, MaskedSummary } from '../interface.ts'
import { hideAddresses } from '../model/email-addresses.ts'
import { mask, type Hide } from '../model/hidden-values.ts'
import { nextTurn } from '../model/timers.ts'
import type { Sources } from './sources.ts'

type MaskingSources = Pick<Sources, 'redactionOf' | 'wideRedactionOf'>

/** Hides the personal data of a stored event. See `Riverhook.mask`. */
export function maskEvent(sources: MaskingSources, { body, headers: _headers, ...event }: EventDetail): MaskedEvent {
  const hide = hiderOf(sources, { ...event, body })
  const hideOptional = optional(hide)
  return {
    ...event,
    payload: isEvent(event) ? sources.redactionOf(event.source).json(body) : undefined,
    bytes: body.byteLength,
    about: event.about.filter((key) => hide(key) === key),
    reason: hideOptional(event.reason),
    resource: hideOptional(event.resource),
    deliveries: event.deliveries.map((delivery) => ({
      ...delivery,
      orderKey: hideOptional(delivery.orderKey),
      lastError: hideOptional(delivery.lastError),
      attemptLog: delivery.attemptLog.map((attempt) => ({ ...attempt, error: hideOptional(attempt.error) }))
    }))
  }
}

/** In bytes. To look for the values of larger bodies takes long, and every sender decides how large they are. */
const mostSearched = 16 * 1024 * 1024

/**
 * Hides the personal data in the texts of a list. See `Riverhook.maskList`. Reads the body of each event with such a
 * text: that of a list was stored with the paths of its time. Other work has its turn after each of them.
 */
export async function maskSummaries(
  sources: MaskingSources,
  inbox: Pick<Inbox, 'event'>,
  events: readonly EventSummary[]
): Promise<readonly MaskedSummary[]> {
  const masked: MaskedSummary[] = []
  let left = mostSearched
  for (const event of events) {
    if (!hasText(event)) {
      masked.push(maskSummary(event, () => mask))
      continue
    }
    const detail = left > 0 ? await inbox.event(event) : undefined
    left -= detail?.body.byteLength ?? 0
    // Without the body, such as that of an event that was removed meanwhile, no text can be searched.
    const isSearched = detail !== undefined && left >= 0
    masked.push(maskSummary(event, isSearched ? hiderOf(sources, detail) : () => mask))
    if (isSearched) await nextTurn()
  }
  return masked
}

/**
 * True for an event with a text that may quote its body. Its resource is an id: no source lists a person's data there.
 */
function hasText({ reason, deliveries }: EventSummary): boolean {
  return reason !== undefined || deliveries.some(({ lastError }) => lastError !== undefined)
}

function maskSummary(event: EventSummary, hide: Hide): MaskedSummary {
  const hideOptional = optional(hide)
  return {
    ...event,
    reason: hideOptional(event.reason),
    resource: hasText(event) ? hideOptional(event.resource) : event.resource,
    deliveries: event.deliveries.map(({ orderKey: _orderKey, ...delivery }) => ({
      ...delivery,
      lastError: hideOptional(delivery.lastError)
    }))
  }
}

function optional(hide: Hide): (text: string | undefined) => string | undefined {
  return (text) => (text === undefined ? undefined : hide(text))
}

/** Hides the personal data in the error of a delivery. */
export async function maskError(
  sources: MaskingSources,
  inbox: Pick<Inbox, 'event'>,
  { event, error }: Pick<FailedDelivery, 'event' | 'error'>
): Promise<string> {
  const detail = await inbox.event(event)
  return detail === undefined ? mask : hiderOf(sources, detail)(error)
}

/** Returns a function that hides the personal data of a stored event in a text. */
function hiderOf(
  sources: MaskingSources,
  { source, body, state, id, type }: Pick<EventDetail, 'source' | 'body' | 'state' | 'id' | 'type'>
): Hide {
  const redaction = isEvent({ state }) ? sources.redactionOf(source) : sources.wideRedactionOf(source)
  const hide = redaction.hiderOf(body, [id, type])
  // An address that is not in the body is somebody's, too.
  return (text) => hideAddresses(hide(text), mask)
}

/** The paths are those of an event. What cannot be read as one may hold personal data anywhere. */
function isEvent({ state }: Pick<EventDetail, 'state'>): boolean {
  return state === 'accepted'
}
