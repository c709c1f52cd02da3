import { RiverhookError } from '../../../model/errors.ts'
import { readSchemas } from '../schemas.ts'
import { checker } from './check.ts'
import type { Query } from '../../http/connection.ts'
import type { EventsQuery } from './models.ts'

/** A Date, or an ISO 8601 instant in UTC. */
export type Instant = Date | string

/** Which events to list. All conditions must hold. */
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
  /** May contain `*`. Not together with `types`. */
  readonly type?: string | undefined
  readonly types?: readonly string[] | undefined
}

/** Which page to list. */
export interface EventsPageFilter extends EventsFilter {
  /** From 1 to 100. Default (the provider's): 10. */
  readonly limit?: number | undefined
  /** The id of the last event seen: lists the page after it. */
  readonly startingAfter?: string | undefined
  /** The id of the first event seen: lists the page before it. */
  readonly endingBefore?: string | undefined
}

const check = checker<EventsQuery>(() => readSchemas().eventsQuery, 'The filter of events')

/**
 * The query for a filter.
 * @returns the types separately, because their encoding is decided elsewhere
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
  const { type, types, ...sent } = check({ ...rest, ...readBounds(createdTime) })
  const query = Object.entries(sent).map(([name, value]) => [name, String(value)] as const)
  return { query, types: types ?? (type === undefined ? [] : [type]) }
}

function readBounds(createdTime: EventsFilter['createdTime']): Record<string, unknown> {
  if (typeof createdTime !== 'object' || createdTime instanceof Date) return { createdTime: textOf(createdTime) }
  return Object.fromEntries(Object.entries(createdTime).map(([bound, at]) => [`createdTime[${bound}]`, textOf(at)]))
}

/** An invalid Date is passed on, and the check refuses it. */
function textOf(at: unknown): unknown {
  return at instanceof Date && !Number.isNaN(at.getTime()) ? at.toISOString() : at
}
