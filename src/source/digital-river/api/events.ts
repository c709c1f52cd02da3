import { RiverhookError } from '../../../model/errors.ts'
import type { ListedRange } from '../../source.ts'
import type { Connection } from '../../http/connection.ts'
import { readEventsFilter, type EventsFilter, type EventsPageFilter } from './events-query.ts'
import type { ListedEvent } from './models.ts'
import { readPage, walkPages, type Page } from './pages.ts'
import { resourcePath } from './resource-path.ts'
import { isAsked, TypesFilter } from './types-filter.ts'

/** One page of events. */
export interface EventsPage extends Page<ListedEvent> {
  /** The `startingAfter` of the next page; undefined if no event of the page has an id. */
  readonly next: string | undefined
}

/**
 * The two operations of `/events`. They reject with a DigitalRiverApiError if the call fails, and with
 * RIVERHOOK_OPTIONS_INVALID, before anything is sent, if an argument is wrong. Events are returned as listed, without
 * validation.
 */
export interface DigitalRiverEvents {
  /** How far back events can be listed, in milliseconds: 30 days. */
  readonly horizonMs: number
  /**
   * One page. With `types` (fewer than 20), events may be missing until an answer has shown how the provider reads a
   * list of types.
   */
  list(filter?: EventsPageFilter): Promise<EventsPage>
  retrieve(id: string): Promise<ListedEvent>
  /**
   * Every event that matches the filter, with any number of types: all pages, each event once. The provider promises no
   * order.
   */
  each(filter?: EventsFilter): AsyncIterable<ListedEvent>
  /** Every event created at or after `since` and before `until`, and those whose time cannot be read. */
  all(range: ListedRange): AsyncIterable<ListedEvent>
}

const root = '/events'
const listing = { method: 'GET', path: root } as const
const pageSize = 100
/** Documented as "fewer than 20". */
const mostTypes = 19
/** The provider's default for `limit`. */
const defaultLimit = 10

/** The operations on a connection. */
export function eventsOver(connection: Connection): DigitalRiverEvents {
  const typesFilter = new TypesFilter()

  const fetchPage = async (filter: EventsPageFilter): Promise<Page<ListedEvent>> => {
    const { query, types } = readEventsFilter(filter)
    return typesFilter.ask(
      types,
      async (typesQuery) => {
        const answer = await connection.json({ ...listing, query: [...query, ...typesQuery] })
        const page = readPage(answer, filter.limit ?? defaultLimit, readEvent)
        if (page === undefined) throw connection.unreadable(listing, 'with something that is not a list of events')
        return page
      },
      typesOf
    )
  }

  const walk = (filter: EventsFilter) =>
    walkPages(
      (startingAfter) => fetchPage({ ...filter, limit: pageSize, startingAfter }),
      idOf,
      (why) => connection.unreadable(listing, `that there are more events, but ${why}`)
    )

  /**
   * Until an answer has shown how the provider reads a list of types, an answer may silently lack events. So a list
   * that fits one page is read without the filter and filtered here. For a longer list, each type is also requested on
   * its own, which is documented.
   */
  async function* walkParts(rest: EventsFilter, parts: readonly (readonly string[])[]) {
    if (parts.flat().length > 1 && !typesFilter.isProven) {
      const { data, hasMore } = await fetchPage({ ...rest, limit: pageSize })
      yield* data
      if (!hasMore) return
    }
    for (const part of parts) {
      yield* walk({ ...rest, types: part })
      if (part.length === 1 || typesFilter.isProven) continue
      for (const type of part) yield* walk({ ...rest, type })
    }
  }

  async function* each(filter: EventsFilter = {}): AsyncGenerator<ListedEvent, void, undefined> {
    const { type, types, ...rest } = filter
    if (type === undefined && types === undefined) return yield* walk(filter)
    const asked = [...new Set(types ?? (type === undefined ? [] : [type]))]
    const parts = chunks(asked, mostTypes)
    // Check before the first call: an error in the last part would come after thousands of events.
    for (const part of parts) readEventsFilter({ ...filter, types: types && part })
    const given = new Set<string>()
    for await (const event of walkParts(rest, parts)) {
      if (!isAsked(typesOf(event), asked)) continue
      const id = idOf(event)
      if (id !== undefined) {
        if (given.has(id)) continue
        given.add(id)
      }
      yield event
    }
  }

  return {
    horizonMs: 30 * 86_400_000,
    async list(filter = {}) {
      const { types } = readEventsFilter(filter)
      const { data, hasMore } = await fetchPage(filter)
      const asked = types.length === 0 ? data : data.filter((event) => isAsked(typesOf(event), types))
      // Use the whole page: events that are filtered out here still move the cursor.
      return { hasMore, data: asked, next: data.map(idOf).findLast((id) => id !== undefined) }
    },
    async retrieve(id) {
      const call = { method: 'GET', path: resourcePath(root, id) } as const
      const event = readEvent(await connection.json(call))
      if (event === undefined || idOf(event) === undefined) {
        throw connection.unreadable(call, 'with something that is not an event: it has no id')
      }
      return event
    },
    each,
    async *all({ since, until, types }) {
      const [from, to] = [since.getTime(), until.getTime()]
      if (Number.isNaN(from) || Number.isNaN(to)) {
        throw new RiverhookError(
          'RIVERHOOK_OPTIONS_INVALID',
          'The range of events: "since" and "until" must be valid Dates'
        )
      }
      if (from >= to) return
      for await (const event of each({ createdTime: { gte: since, lt: until }, types })) {
        const createdAt = typeof event['createdTime'] === 'string' ? Date.parse(event['createdTime']) : NaN
        // Filter again, in case the provider does not.
        if (Number.isNaN(createdAt) || (createdAt >= from && createdAt < to)) yield event
      }
    }
  }
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    items.slice(part * size, (part + 1) * size)
  )
}

function readEvent(value: unknown): ListedEvent | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as ListedEvent) : undefined
}

function idOf(event: ListedEvent): string | undefined {
  return typeof event['id'] === 'string' && event['id'] !== '' ? event['id'] : undefined
}

function typesOf(event: ListedEvent): readonly string[] {
  return typeof event['type'] === 'string' ? [event['type']] : []
}
