import { readKeySearch, type KeySearch } from '../../model/search-keys.ts'
import type { EventFilter } from '../inbox.ts'
import { hasDelivery, isDeliveryState, kindPartsOf, type Part, type Wanted } from '../wanted.ts'
import type { StoredKind } from './kinds.ts'
import type { AddValue } from './list-values.ts'

/** Lists what must still be checked of an event that a path leads to. */
export function listChecks(
  value: AddValue,
  filter: EventFilter,
  { kinds }: Wanted<StoredKind>,
  { covers }: { readonly covers: readonly Part[] }
): readonly string[] {
  const { about, error, type, state, handler, since, until } = filter
  const has = (part: Part, isGiven: boolean): boolean => isGiven && !covers.includes(part)
  const checks: string[] = []
  if (kindPartsOf(filter).some((part) => !covers.includes(part)))
    checks.push(
      `event.kind = ANY (${value(
        kinds?.map(({ id }) => id),
        'bigint[]'
      )})`
    )
  else if (has('type', type === '*')) checks.push("event.state <> 'quarantined'")
  if (has('state', state !== undefined && !isDeliveryState(state))) checks.push(`event.state = ${value(state)}`)
  if (has('time', since !== undefined)) checks.push(`event.received_at >= ${value(since, 'timestamptz')}`)
  if (has('time', until !== undefined)) checks.push(`event.received_at < ${value(until, 'timestamptz')}`)
  const search = about === undefined ? undefined : readKeySearch(about)
  if (has('error', error !== undefined)) checks.push(checkRow('delivery', [isFailing('other')]))
  if (search !== undefined && !covers.includes('about')) checks.push(checkKey(search, value))
  if (has('delivery', hasDelivery(filter)))
    checks.push(
      checkRow('delivery', [
        ...(handler === undefined ? [] : [`other.handler = ${value(handler)}`]),
        ...(isDeliveryState(state) ? [`other.state = ${value(state)}`] : [])
      ])
    )
  return checks
}

/** Checks the event with this key. */
export function checkEvent(key: string, checks: readonly string[]): string {
  return `(SELECT true FROM riverhook.event AS event WHERE event.seq = ${key} AND ${checks.join(' AND ')} LIMIT 1)`
}

function checkKey(search: KeySearch, value: AddValue): string {
  return checkRow(
    'event_key',
    'key' in search
      ? [`other.value = ${value(search.key)}`]
      : [`other.value >= ${value(search.from)}`, `other.value < ${value(search.end)}`]
  )
}

/** Checks whether an event has such a row in another table. */
function checkRow(table: 'delivery' | 'event_key', conditions: readonly string[]): string {
  return `(SELECT true FROM riverhook.${table} AS other WHERE other.event_seq = event.seq AND ${conditions.join(' AND ')} LIMIT 1)`
}

/** True for a failing delivery: the condition of the index `delivery_error`. */
export const isFailing = (alias: string): string =>
  `${alias}.last_error IS NOT NULL AND ${alias}.state IN ('dead', 'pending', 'waiting')`
