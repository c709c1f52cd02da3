import { RiverhookError, type ReplayFilter } from '../index.ts'
import type { ReplayBodyJson } from './api-types.ts'
import { beginSearch } from './event-query.ts'
import type { AdminContext } from './route.ts'

/** The body of a request that plans a change, or carries out what was planned. */
type PlanBody = Pick<ReplayBodyJson, 'filter' | 'events' | 'dryRun' | 'plan' | 'expectedCount'>

/** The step of a request: to plan, or to carry out a plan. */
export type Step<Body> =
  | { readonly plan: undefined; readonly body: Body }
  | { readonly plan: string; readonly expectedCount: number }

/** @throws {RiverhookError} RIVERHOOK_ADMIN_INVALID for a body that is neither a dry run nor a plan */
export function readStep<Body extends PlanBody>(body: Body): Step<Body> {
  const { plan, expectedCount, ...others } = body
  if (plan === undefined) {
    if (others.dryRun === true && expectedCount === undefined) return { plan, body }
    throw invalid('Plan first: send "filter" or "events" with "dryRun": true; then send "plan" and "expectedCount"')
  }
  const [other] = Object.keys(others)
  if (other !== undefined) throw invalid(`A plan already has its filter and its options: leave out "${other}"`)
  if (expectedCount === undefined) throw invalid('Send "expectedCount" with the plan: the count that you have seen')
  return { plan, expectedCount }
}

/** The events that a request is about. @throws {RiverhookError} RIVERHOOK_ADMIN_INVALID, RIVERHOOK_ADMIN_FORBIDDEN */
export async function readSelection(
  { filter, events }: Pick<PlanBody, 'filter' | 'events'>,
  context: Pick<AdminContext, 'riverhook' | 'actor' | 'scopes'>
): Promise<ReplayFilter> {
  if (filter !== undefined && events === undefined) return beginSearch(filter, context)
  if (filter === undefined && events !== undefined) return { events }
  throw invalid('Send either "filter" or "events". An empty filter selects all events')
}

function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_ADMIN_INVALID', message)
}

/**
 * Refuses a selection without a condition.
 * @param act what would be done to all events
 * @throws {RiverhookError} RIVERHOOK_ADMIN_INVALID
 */
export function refuseEmpty(selection: ReplayFilter, act: 'erase' | 'remove'): void {
  if (Object.values(selection).every((value) => value === undefined || (Array.isArray(value) && value.length === 0)))
    throw new RiverhookError('RIVERHOOK_ADMIN_INVALID', `An empty filter would ${act} all events: give a condition`)
}
