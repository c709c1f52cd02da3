import { RiverhookError } from '../../../model/errors.ts'
import schemas from '../schemas.json' with { type: 'json' }
import { checker } from './check.ts'
import type { Query } from './connection.ts'
import type { EventsQuery } from './models.ts'

/** A Date, or an ISO 8601 instant in UTC. */
export type Instant = Date | string

/** Which events are listed. All fields hold at once. */
export interface EventsFilter {
  /** An exact instant, or bounds. */
  readonly createdTime?:
    | Instant
    | {
        readonly gt?: Instant | undefined
        readonly gte?: Instant | undefined
        readonly lt?: Instant | undefined
        readonly lte?: Instant | undefined
      }
    | undefined
  /** May hold `*`. Not together with `types`. */
  readonly type?: string | undefined
  readonly types?: readonly string[] | undefined
}

/** Which page of them. */
export interface EventsPageFilter extends EventsFilter {
  /** From 1 to 100. Default (the provider's): 10. */
  readonly limit?: number | undefined
  /** The id of the last event seen: gives the page after it. */
  readonly startingAfter?: string | undefined
  /** The id of the first event seen: gives the page before it. */
  readonly endingBefore?: string | undefined
}

const check = checker<EventsQuery>(schemas.eventsQuery, 'The filter of events')

/**
 * What is sent for a filter.
 * @returns the types on their own, as their encoding is another matter
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID
 */
export function readEventsFilter(filter: EventsPageFilter): {
  readonly query: Query
  readonly types: readonly string[]
} {
  if (filter.type !== undefined && filter.types !== undefined) {
    throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', 'The filter of events: give "type" or "types", not both')
  }
  const { createdTime, ...rest } = filter
  const { type, types, ...sent } = check({ ...rest, ...boundsOf(createdTime) })
  const query = Object.entries(sent).map(([name, value]) => [name, String(value)] as const)
  return { query, types: types ?? (type === undefined ? [] : [type]) }
}

function boundsOf(createdTime: EventsFilter['createdTime']): Record<string, unknown> {
  if (typeof createdTime !== 'object' || createdTime instanceof Date) return { createdTime: textOf(createdTime) }
  return Object.fromEntries(Object.entries(createdTime).map(([bound, at]) => [`createdTime[${bound}]`, textOf(at)]))
}

/** An invalid Date stays what it is, and the check refuses it. */
function textOf(at: unknown): unknown {
  return at instanceof Date && !Number.isNaN(at.getTime()) ? at.toISOString() : at
}
