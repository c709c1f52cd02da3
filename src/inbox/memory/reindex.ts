import type { IndexEntry } from '../inbox.ts'
import { sortKeys } from './rows.ts'
import type { Store } from './store.ts'

/** Replaces the search keys of events, except erased ones. @returns how many of these events there are */
export function reindex(store: Store, entries: readonly IndexEntry[]): number {
  return entries.filter(({ event, about, resource }) => {
    const row = store.find(event)
    if (row === undefined || row.arrival.state === 'erased') return false
    row.about = sortKeys(about)
    row.resource = resource
    return true
  }).length
}
