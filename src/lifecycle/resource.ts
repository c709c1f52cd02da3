import type { EventDetail, EventPage, Inbox } from '../inbox/inbox.ts'
import { checkKey } from '../inbox/check.ts'
import type { EventKey } from '../model/event.ts'

/** The most events before one that are looked at to find the last one of its resource. */
const mostCandidates = 50

/** Lists the newest events about the resource of an event, with the event. See `Riverhook.relatedEvents`. */
export async function relatedEvents(inbox: Inbox, key: EventKey, limit: number): Promise<EventPage | undefined> {
  const event = await inbox.event(checkKey(key, 'relatedEvents()'))
  if (event === undefined) return undefined
  const { id, realm, resource: about } = event
  return inbox.events(about === undefined ? { id, realm, limit } : { about, realm, limit })
}

/** Finds the event of the same resource that arrived before an event. See `Riverhook.previousEvent`. */
export async function previousEvent(inbox: Inbox, key: EventKey): Promise<EventDetail | undefined> {
  const event = await inbox.event(checkKey(key, 'previousEvent()'))
  if (event?.resource === undefined) return undefined
  const { id, realm, receivedAt, resource } = event
  // Events of one millisecond are sorted by their arrival too: those before this one come after it in the list.
  const until = new Date(receivedAt.getTime() + 1)
  const { events } = await inbox.events({ about: resource, realm, until, limit: mostCandidates })
  const own = events.findIndex((each) => each.id === id)
  // Others only mention the resource, as a refund does its order.
  const previous = own === -1 ? undefined : events.slice(own + 1).find((each) => each.resource === resource)
  return previous && inbox.event({ realm, id: previous.id })
}
