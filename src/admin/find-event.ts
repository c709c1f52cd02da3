import { RiverhookError, type EventDetail, type EventKey, type Inbox } from '../index.ts'
import type { OneEventQueryJson } from './api-types.ts'

/**
 * Finds the event of an id, in whatever realm it is.
 * @throws {RiverhookError} RIVERHOOK_ADMIN_NOT_FOUND; RIVERHOOK_ADMIN_INVALID if several realms have the id
 */
export async function findEvent(inbox: Inbox, { id, realm }: OneEventQueryJson): Promise<EventDetail> {
  const key = realm === undefined ? await findKey(inbox, id) : { realm, id }
  const event = key === undefined ? undefined : await inbox.event(key)
  if (event !== undefined) return event
  throw new RiverhookError(
    'RIVERHOOK_ADMIN_NOT_FOUND',
    realm === undefined ? 'The inbox has no event with this id' : 'This realm of the inbox has no event with this id'
  )
}

async function findKey(inbox: Inbox, id: string): Promise<EventKey | undefined> {
  const { events } = await inbox.events({ id, limit: 100 })
  if (events.length < 2) return events[0]
  const realms = events.map((event) => event.realm).sort()
  throw new RiverhookError(
    'RIVERHOOK_ADMIN_INVALID',
    `${realms.length} realms have an event with this id: give "realm", one of ${realms.join(', ')}`
  )
}
