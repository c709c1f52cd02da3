import type { CountQueryJson, EventCountJson, EventPageJson, EventQueryJson } from '../api-types.ts'
import { beginSearch, readCursor, writeCursor } from '../event-query.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const listEvents: ScopedRoute<{ query: EventQueryJson }> = {
  method: 'GET',
  path: 'events',
  scope: 'read',
  schema: {
    summary: 'List a page of events that match all conditions',
    querystring: schemas.EventQuery,
    response: { 200: schemas.EventPage }
  },
  async handle(context, { query }): Promise<Sent<EventPageJson>> {
    const { limit = 50, after: cursor, order, ...conditions } = query
    const after = readCursor(cursor, query)
    const { riverhook } = context
    const filter = await beginSearch(conditions, context)
    const { events, next, searchedTo } = await riverhook.inbox.events({
      ...filter,
      limit,
      after,
      oldestFirst: order === 'oldest'
    })
    if (events.length === 0) await riverhook.checkFilter(filter)
    return { events: await riverhook.maskList(events), next: writeCursor(next, query), searchedTo }
  }
}

/** More are not counted: that would take as long as it takes to read them. */
const mostCounted = 10_001
const pageSize = 1_000

export const countEvents: ScopedRoute<{ query: CountQueryJson }> = {
  method: 'GET',
  path: 'events/count',
  scope: 'read',
  schema: {
    summary: 'Count the events that match all conditions, up to 10,001',
    querystring: schemas.CountQuery,
    response: { 200: schemas.EventCount }
  },
  async handle(context, { query }): Promise<Sent<EventCountJson>> {
    const { riverhook, signal } = context
    const filter = await beginSearch(query, context)
    let n = 0
    let after: number | undefined
    do {
      const { events, next, searchedTo } = await riverhook.inbox.events({
        ...filter,
        limit: Math.min(pageSize, mostCounted - n),
        after
      })
      n += events.length
      if (searchedTo !== undefined) return { n, capped: true, searchedTo }
      after = next
    } while (after !== undefined && n < mostCounted && !signal.aborted)
    if (n === 0) await riverhook.checkFilter(filter)
    return { n, capped: n >= mostCounted }
  }
}
