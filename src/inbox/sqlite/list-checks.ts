import { readKeySearch } from '../../model/search-keys.ts'
import type * as contract from '../inbox.ts'
import { type EventKind, hasTime, isDeliveryState, type KindPart, kindPartsOf, type Part } from '../wanted.ts'
import { hasKeyTerm } from './list-keys.ts'
import { join, type Path, type Term, term } from './list-path.ts'
import type { Wanted } from './list-wanted.ts'

/** Lists what must still be checked of an event that a path leads to. */
export function listChecks(filter: contract.EventFilter, { kinds }: Wanted, { covers }: Path): readonly Term[] {
  const { about, error, type, state, handler } = filter
  const search = about === undefined ? undefined : readKeySearch(about)
  const ofDelivery = [
    ...(handler === undefined ? [] : [term('other.handler = ?', handler)]),
    ...(isDeliveryState(state) ? [term('other.state = ?', state)] : [])
  ]
  const all: readonly (readonly [Part, Term | undefined])[] = [
    ...listKindChecks(filter, kinds),
    ['type', type === '*' ? term("event.state <> 'quarantined'") : undefined],
    ['state', state === undefined || isDeliveryState(state) ? undefined : term('event.state = ?', state)],
    ['time', hasTime(filter) ? join(timeTerms(filter)) : undefined],
    ['error', error === undefined ? undefined : hasDeliveryTerm([term(isFailing('other'))])],
    ['about', search === undefined ? undefined : hasKeyTerm(search)],
    ['delivery', ofDelivery.length === 0 ? undefined : hasDeliveryTerm(ofDelivery)]
  ]
  return all.flatMap(([part, check]) => (check === undefined || covers.includes(part) ? [] : [check]))
}

/** Lists the checks of the kind of an event. */
export function listKindChecks(
  filter: contract.EventFilter,
  kinds: readonly EventKind[] = []
): readonly (readonly [KindPart, Term])[] {
  const { realm, source, endpoint, live } = filter
  const types = JSON.stringify([...new Set(kinds.map((kind) => kind.type))])
  const checks: Readonly<Record<KindPart, Term>> = {
    realm: term('event.realm = ?', realm ?? ''),
    source: term('event.source = ?', source ?? ''),
    endpoint: term('event.endpoint = ?', endpoint ?? ''),
    live: term('event.live_mode = ?', Number(live)),
    type: term('event.type IN (SELECT value FROM json_each(?))', types)
  }
  return kindPartsOf(filter).map((part) => [part, checks[part]])
}

export const isFailing = (alias: string): string =>
  `${alias}.last_error IS NOT NULL AND ${alias}.state IN ('dead', 'pending', 'waiting')`

function hasDeliveryTerm(terms: readonly Term[]): Term {
  const { sql, values } = join(terms)
  return term(`EXISTS (SELECT 1 FROM delivery AS other WHERE other.event_seq = event.seq AND ${sql})`, ...values)
}

function timeTerms({ since, until }: contract.EventFilter): readonly Term[] {
  return [
    ...(since === undefined ? [] : [term('event.received_at >= ?', since.getTime())]),
    ...(until === undefined ? [] : [term('event.received_at < ?', until.getTime())])
  ]
}
