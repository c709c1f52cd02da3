import type { SearchKeys } from '../model/search-keys.ts'
import { eventPages } from './event-pages.ts'
import type { EventDetail, Inbox, IndexEntry } from './inbox.ts'

/** How many events were looked at, and what became of them. */
export interface RebuiltKeys {
  readonly seen: number
  /** Events whose search keys were different. */
  readonly changed: number
  /** Events that cannot be read any more, for example because no endpoint has their source. They keep their keys. */
  readonly unread: number
}

/** Events per page and per transaction: few, so that requests need not wait. */
const batchSize = 100

/**
 * Computes the search keys of all events again, beside a running server: after the paths of `search.keys` or a source
 * have changed. It can be stopped at any time, and repeated.
 * @param keysOf finds the keys of an event; undefined if it cannot be read any more
 * @param onProgress called after each batch, with its size
 */
export async function rebuildKeys(
  inbox: Inbox,
  keysOf: (event: EventDetail) => SearchKeys | undefined,
  onProgress: (count: number) => void = () => undefined
): Promise<RebuiltKeys> {
  let report: RebuiltKeys = { seen: 0, changed: 0, unread: 0 }
  for await (const { events } of eventPages(inbox, { state: 'accepted', limit: batchSize, oldestFirst: true })) {
    const entries: IndexEntry[] = []
    let unread = 0
    for (const { realm, id } of events) {
      const event = { realm, id }
      const detail = await inbox.event(event)
      if (detail === undefined) continue
      const keys = keysOf(detail)
      if (keys === undefined) unread += 1
      else if (!isSame(keys, detail)) entries.push({ event, ...keys })
    }
    const changed = entries.length === 0 ? 0 : await inbox.reindex(entries)
    const seen = events.length
    report = { seen: report.seen + seen, changed: report.changed + changed, unread: report.unread + unread }
    onProgress(seen)
  }
  return report
}

/** True if both have the same resource, and the same keys in any order. A list has each key once. */
function isSame(one: SearchKeys, other: SearchKeys): boolean {
  return (
    one.resource === other.resource &&
    one.about.length === other.about.length &&
    one.about.every((key) => other.about.includes(key))
  )
}
