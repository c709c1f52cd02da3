import { RiverhookError } from '../../model/errors.ts'
import { readKeySearch } from '../../model/search-keys.ts'
import { holdAll, readCondition, type Condition } from '../../model/where.ts'
import { checkEventFilter } from '../check.ts'
import type { EventFilter, EventPage, EventSummary, Inbox } from '../inbox.ts'
import { hasError, isSearch } from '../search.ts'
import { openBody, openSummary } from './fields.ts'
import type { Keys } from './state.ts'

/** How long a search by `error` or `where` begins new parts, in milliseconds. */
const searchMs = 1_000
/** The most events that are looked at before the time is. */
const partSize = 50

/** Lists events. The engine sees only encrypted values: what it cannot compare is compared here. */
export async function listEncrypted(
  inner: Inbox,
  keys: Keys,
  given: EventFilter,
  now = () => performance.now()
): Promise<EventPage> {
  if (keys.index === undefined) return inner.events(given)
  const filter = sealFilter(keys, checkEventFilter(given))
  if (isSearch(filter)) return search(inner, keys, filter, now)
  const page = await inner.events(filter)
  return { ...page, events: page.events.map((event) => openSummary(keys, event)) }
}

function sealFilter({ index, writesWith, isPartlyPlain }: Keys, filter: EventFilter): EventFilter {
  if (filter.about === undefined || index === undefined) return filter
  if (isPartlyPlain)
    throw refused(
      'while only a part of the events is encrypted. It is possible again when "riverhook inbox reencrypt" has ended'
    )
  if (writesWith === undefined) return filter
  const wanted = readKeySearch(filter.about)
  if (wanted === undefined || !('key' in wanted))
    throw refused('by the beginning of a key, because the inbox is encrypted: give the whole key, without a *')
  return { ...filter, about: index.searchKey(wanted.key) }
}

function refused(why: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `events(): "about": events cannot be found ${why}`)
}

/** Looks at each event that the other filters select, for a limited time. At least one part is looked at. */
async function search(
  inner: Inbox,
  keys: Keys,
  { error, where = [], ...filter }: EventFilter,
  now: () => number
): Promise<EventPage> {
  const endsAt = now() + searchMs
  const conditions = where.map(readCondition).filter((condition) => condition !== undefined)
  const found: EventSummary[] = []
  let after = filter.after
  for (;;) {
    // No more than are wanted: the position of a page is that of its last event.
    const limit = Math.min(partSize, filter.limit - found.length)
    const page = await inner.events({ ...filter, limit, after })
    const opened = page.events.map((event) => openSummary(keys, event))
    for (const event of opened)
      if (await isWanted(inner, keys, event, { ...filter, error }, conditions)) found.push(event)
    after = page.next
    if (after === undefined || found.length === filter.limit) return { events: found, next: after }
    if (now() > endsAt) return { events: found, next: after, searchedTo: opened.at(-1)?.receivedAt }
  }
}

async function isWanted(
  inner: Inbox,
  keys: Keys,
  event: EventSummary,
  { error, handler, state }: EventFilter,
  conditions: readonly Condition[]
): Promise<boolean> {
  const isOfError = (delivery: EventSummary['deliveries'][number]): boolean =>
    (handler ?? delivery.handler) === delivery.handler &&
    (state === undefined || state === event.state || state === delivery.state) &&
    hasError(delivery, error ?? '')
  if (error !== undefined && !event.deliveries.some(isOfError)) return false
  if (conditions.length === 0) return true
  const stored = await inner.event({ realm: event.realm, id: event.id })
  if (stored === undefined) return false
  try {
    return holdAll(conditions, openBody(keys, event, stored.body))
  } catch (cause) {
    if (cause instanceof RiverhookError) return false
    throw cause
  }
}
