import type { EventDetail, EventPage, Inbox } from '../inbox/inbox.ts'
import { checkKey } from '../inbox/check.ts'
import type { EventKey } from '../model/event.ts'
import type { Sources } from './sources.ts'

/** The parts of a receiver that know which events are about the same resource. */
export interface ResourceParts {
  readonly inbox: Inbox
  readonly sources: Sources
}

/** The most events before one that are read to find the last one of its resource. */
const mostCandidates = 50

/** Lists the newest events about the resource of an event, with the event. See `Riverhook.relatedEvents`. */
export async function relatedEvents(
  { inbox, sources }: ResourceParts,
  key: EventKey,
  limit: number
): Promise<EventPage | undefined> {
  const event = await inbox.event(checkKey(key, 'relatedEvents()'))
  if (event === undefined) return undefined
  const about = event.state === 'accepted' ? sources.readResource(event) : undefined
  const { id, realm } = event
  return inbox.events(about === undefined ? { id, realm, limit } : { about, realm, limit })
}

/** Finds the event of the same resource that arrived before an event. See `Riverhook.previousEvent`. */
export async function previousEvent(
  { inbox, sources }: ResourceParts,
  key: EventKey
): Promise<EventDetail | undefined> {
  const event = await inbox.event(checkKey(key, 'previousEvent()'))
  const about = event?.state === 'accepted' ? sources.readResource(event) : undefined
  if (event === undefined || about === undefined) return undefined
  const { id, realm, receivedAt } = event
  // Events of one millisecond are sorted by their arrival too: those before this one come after it in the list.
  const until = new Date(receivedAt.getTime() + 1)
  const { events } = await inbox.events({ about, realm, until, limit: mostCandidates })
  const own = events.findIndex((each) => each.id === id)
  for (const { id: before } of own === -1 ? [] : events.slice(own + 1)) {
    const candidate = await inbox.event({ realm, id: before })
    // Others only mention the resource, as a refund does its order.
    if (candidate !== undefined && sources.readResource(candidate) === about) return candidate
  }
  return undefined
}
