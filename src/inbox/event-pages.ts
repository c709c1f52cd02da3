import type { EventFilter, EventPage, Inbox } from './inbox.ts'

/**
 * Reads all events that match a filter, page by page. Reads a page when it is asked for, so what was done with the one
 * before is in it.
 */
export async function* eventPages(
  inbox: Pick<Inbox, 'events'>,
  filter: Omit<EventFilter, 'after'>
): AsyncGenerator<EventPage, void> {
  let after: number | undefined
  do {
    const page = await inbox.events({ ...filter, after })
    yield page
    after = page.next
  } while (after !== undefined)
}
