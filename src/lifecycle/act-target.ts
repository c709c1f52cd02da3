import type { EventKey } from '../model/event.ts'
import type { ReplayFilter } from '../model/job.ts'
import type { EventFilter } from '../inbox/inbox.ts'
import type { BackfillSpan } from '../interface.ts'

/** How many events are named. */
const mostNamed = 3

/** The target of an act on events that are given by their keys: `shop evt_1, shop evt_2 and 5 more`. */
export function eventsTarget(keys: readonly EventKey[]): string {
  const named = keys.slice(0, mostNamed).map(({ realm, id }) => `${realm} ${id}`)
  const more = keys.length - named.length
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/**
 * The target of an act on all events of a filter: `handler=erp state=dead`. The values of `about`, `error` and `where`
 * are left out: they may be e-mail addresses or names. No digest of them either, because the digest of an address can
 * be guessed. The replayed deliveries have the time of the act in their attempts.
 */
export function filterTarget(filter: Omit<EventFilter & ReplayFilter, 'limit'>): string {
  const { includeDone, events, ...open } = filter
  const texts = targetFields.flatMap((name) => {
    const value = open[name]
    return value === undefined ? [] : [`${name}=${value instanceof Date ? value.toISOString() : String(value)}`]
  })
  return (
    [
      ...texts,
      ...(events === undefined ? [] : [eventsTarget(events)]),
      ...hiddenFields.flatMap((name) => (open[name] === undefined ? [] : [`${name}=...`])),
      ...(includeDone === true ? ['includeDone'] : [])
    ].join(' ') || 'all events'
  )
}

/** The target of a backfill. */
export function spanTarget(
  endpoint: string,
  { since, until, type }: Pick<BackfillSpan, 'since' | 'until' | 'type'>
): string {
  return `${endpoint} ${filterTarget({ type, since, until })}`
}

const hiddenFields = ['about', 'error', 'where'] as const
const targetFields = [
  'id',
  'realm',
  'source',
  'type',
  'endpoint',
  'live',
  'state',
  'handler',
  'since',
  'until'
] as const
