import type { DeliveryState } from '../../model/event.ts'
import type * as contract from '../inbox.ts'
import { boundsOf, hasKind, isDeliveryState, kindPartsOf, sortable } from '../wanted.ts'
import { isFailing, listKindChecks } from './list-checks.ts'
import { countUpTo } from './list-choice.ts'
import { readIndexedTo } from './list-index.ts'
import { listKeyPaths } from './list-keys.ts'
import { everything, join, type Merged, ordered, type Path, type Place, place, term } from './list-path.ts'
import type { Sql } from './list-statements.ts'
import type { Span } from './list-time.ts'
import type { StoredKind, Wanted } from './list-wanted.ts'
import { claimable } from './prepared.ts'

/** Lists the paths for a filter: first those that are better if all lead to many events. */
export function listPaths(sql: Sql, filter: contract.EventFilter, wanted: Wanted): readonly Path[] {
  const { id, about, error, state, oldestFirst = false } = filter
  if (id !== undefined) return [ordered([], place('event', 'event_id', term('event.id = ?', id)))]
  const inOrder = wanted.spans === undefined ? everything : timePath(wanted.spans, oldestFirst)
  const byKey = about === undefined ? [] : listKeyPaths(sql, about, { bounds: boundsOf(filter), oldestFirst })
  const isKey = about?.endsWith('*') === false
  const isNotDone = isDeliveryState(state) && state !== 'done'
  return [
    ...(isKey ? byKey : []),
    ...(error === undefined ? [] : [ordered(['error'], place('delivery', 'delivery_error', term(isFailing('d'))))]),
    ...(state === 'quarantined'
      ? [ordered(['state'], place('event', 'event_quarantined', term("event.state = 'quarantined'")))]
      : []),
    ...(isNotDone ? [statePath(sql, filter, state, wanted.kinds ?? [])] : []),
    // Most deliveries are done.
    ...(state === 'done' && !hasKind(filter) && filter.handler === undefined ? [inOrder] : []),
    // All deliveries are never fewer than those in one state: both need not be counted.
    ...(wanted.kinds === undefined || (isNotDone && !hasKind(filter)) ? [] : [kindPath(sql, filter, wanted.kinds)]),
    // Many events have a key with that beginning.
    ...(isKey ? [] : byKey),
    ...(wanted.spans === undefined ? [] : [inOrder])
  ]
}

/** The path by the kinds of events, in the index and in the events that it does not have yet. */
export function kindPath(sql: Sql, filter: contract.EventFilter, kinds: readonly StoredKind[]): Merged {
  const checks = listKindChecks(filter, kinds).map(([, check]) => check)
  const indexed = kinds.flatMap(({ id }) => id ?? [])
  const behind: Place = { table: 'event', term: join([term('true'), ...checks]), above: readIndexedTo(sql) }
  return ordered(
    kindPartsOf(filter),
    ...(indexed.length > 0 ? [{ table: 'event_kind', term: term('true'), kinds: indexed } as const] : []),
    ...(indexed.length < kinds.length ? [behind] : [])
  )
}

/** The path by the time of arrival. */
function timePath(spans: readonly Span[], oldestFirst: boolean): Path {
  const places = spans.map((span): Place => ({ table: 'event', term: term('true'), ...span }))
  return { places: oldestFirst ? places : places.toReversed(), isSequence: true, covers: [] }
}

type NotDone = Exclude<DeliveryState, 'done'>

/** How many deliveries in a state are read and sorted in about a millisecond. */
const fewInState = 1_000

/** The indexes of deliveries that are not done, and the conditions of these partial indexes. */
const stateIndexes = {
  pending: { index: 'delivery_due', isPartOf: `d.${claimable} AND d.state = 'pending'`, isSorted: true },
  running: { index: 'delivery_due', isPartOf: `d.${claimable} AND d.state = 'running'`, isSorted: true },
  waiting: { index: 'delivery_waiting', isPartOf: "d.order_key IS NOT NULL AND d.state = 'waiting'", isSorted: true },
  parked: { index: 'delivery_parked', isPartOf: "d.state = 'parked'", isSorted: true },
  dead: { index: 'delivery_dead', isPartOf: "d.state = 'dead'", isSorted: false }
} as const satisfies Record<NotDone, object>

/**
 * The path by the state of deliveries that are not done. If a handler has too many to sort, they are a large part of
 * its deliveries: these are read in their order.
 */
function statePath(sql: Sql, filter: contract.EventFilter, state: NotDone, kinds: readonly StoredKind[]): Merged {
  const paths = listHandlers(kinds).map((handler) => {
    const found = statePlace(state, handler)
    const path = ordered(['delivery'], found)
    if (found.isSorted !== true || countUpTo(sql, path, {}, sortable) < sortable) return path
    return kindPath(
      sql,
      filter,
      kinds.filter((kind) => kind.handler === handler)
    )
  })
  const covers = (['delivery', ...kindPartsOf(filter)] as const).filter((part) =>
    paths.every((path) => path.covers.includes(part))
  )
  return ordered(covers, ...paths.flatMap(({ places }) => places))
}

function statePlace(state: NotDone, handler: string): Place {
  const { index, isPartOf, isSorted } = stateIndexes[state]
  return { ...place('delivery', index, term(`${isPartOf} AND d.handler = ?`, handler)), isSorted }
}

function listHandlers(kinds: readonly StoredKind[]): readonly string[] {
  return [...new Set(kinds.map(({ handler }) => handler ?? ''))]
}

/** True if the handlers of these kinds have few deliveries in a state: these can be read at once. */
export function hasFewIn(sql: Sql, state: NotDone, kinds: readonly StoredKind[]): boolean {
  const places = listHandlers(kinds).map((handler) => statePlace(state, handler))
  return countUpTo(sql, ordered([], ...places), {}, fewInState) < fewInState
}
