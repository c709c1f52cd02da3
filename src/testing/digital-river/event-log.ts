import type { Event } from '../../index.ts'
import type { Clock } from '../clock.ts'
import { invalid, Refusal } from './refuse.ts'

type Values = readonly string[] | undefined

/** The query of `GET /events`, every parameter with all its values. */
export type EventsQuery = Readonly<Record<string, Values>>

const horizonMs = 30 * 24 * 3_600_000
const comparisons: Readonly<Record<string, (created: number, at: number) => boolean>> = {
  createdTime: (created, at) => created === at,
  'createdTime[gt]': (created, at) => created > at,
  'createdTime[gte]': (created, at) => created >= at,
  'createdTime[lt]': (created, at) => created < at,
  'createdTime[lte]': (created, at) => created <= at
}

/**
 * The provider's list of events. The order of its answers is not documented; the dashboard's log shows the newest
 * first.
 */
export class EventLog {
  readonly #clock: Clock
  readonly #order: 'newest' | 'oldest'
  readonly #events = new Map<string, Event>()

  constructor(clock: Clock, order: 'newest' | 'oldest') {
    this.#clock = clock
    this.#order = order
  }

  add(event: Event): void {
    this.#events.set(event.id, event)
  }

  /** @throws {Refusal} 404 */
  find(id: string): Event {
    const event = this.#events.get(id)
    if (event === undefined) throw new Refusal(404, `Event '${id}' not found.`, { code: 'not_found', parameter: 'id' })
    return event
  }

  /** @throws {Refusal} 400 */
  list(query: EventsQuery, types: readonly string[] | undefined): { hasMore: boolean; data: readonly Event[] } {
    const limit = readLimit(query['limit']?.[0])
    const found = this.#inOrder().filter(
      (event) => isInRange(event, query) && (types === undefined || types.some((type) => isOfType(event.type, type)))
    )
    const after = this.#position(found, 'startingAfter', query['startingAfter']?.[0])
    const before = this.#position(found, 'endingBefore', query['endingBefore']?.[0])
    if (before !== undefined) {
      const start = Math.max(0, before - limit)
      return { hasMore: start > 0, data: found.slice(start, before) }
    }
    const start = after === undefined ? 0 : after + 1
    return { hasMore: start + limit < found.length, data: found.slice(start, start + limit) }
  }

  #inOrder(): readonly Event[] {
    const oldest = this.#clock.now().getTime() - horizonMs
    const events = [...this.#events.values()].filter(({ createdTime }) => Date.parse(createdTime) >= oldest)
    const sign = this.#order === 'newest' ? -1 : 1
    return events.sort((one, other) => sign * (Date.parse(one.createdTime) - Date.parse(other.createdTime)))
  }

  #position(found: readonly Event[], parameter: string, id: string | undefined): number | undefined {
    if (id === undefined) return undefined
    const index = found.findIndex((event) => event.id === id)
    if (index === -1) throw invalid(parameter, `${parameter} is not the id of an event in this list.`)
    return index
  }
}

/** Whether an event type matches the requested one, which may contain `*`. */
export function isOfType(type: string, asked: string): boolean {
  return asked.endsWith('*') ? type.startsWith(asked.slice(0, -1)) : type === asked
}

function isInRange({ createdTime }: Event, query: EventsQuery): boolean {
  return Object.entries(comparisons).every(([name, holds]) => {
    const given = query[name]?.[0]
    if (given === undefined) return true
    const at = Date.parse(given)
    if (Number.isNaN(at)) throw invalid(name, `${name} must be an ISO 8601 instant.`)
    return holds(Date.parse(createdTime), at)
  })
}

function readLimit(given: string | undefined): number {
  if (given === undefined) return 10
  const limit = Number(given)
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) throw invalid('limit', 'limit must be between 1 and 100.')
  return limit
}
