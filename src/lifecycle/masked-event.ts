import type { EventDetail } from '../inbox/inbox.ts'
import type { MaskedEvent } from '../interface.ts'
import type { Sources } from './sources.ts'

/** Hides the personal data of a stored event. See `Riverhook.mask`. */
export function maskEvent(sources: Sources, { body, headers: _headers, ...event }: EventDetail): MaskedEvent {
  const redaction = sources.redactionOf(event.source)
  const hide = redaction.hiderOf(body)
  const hideOptional = (text: string | undefined): string | undefined => (text === undefined ? undefined : hide(text))
  return {
    ...event,
    // The paths are those of an event. What cannot be read as one may hold personal data anywhere.
    payload: event.state === 'accepted' ? redaction.json(body) : undefined,
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
