import type { IndexEntry } from '../inbox.ts'
import { sortKeys } from './rows.ts'
import type { Store } from './store.ts'

/** Replaces the search keys of events. @returns how many of these events there are */
export function reindex(store: Store, entries: readonly IndexEntry[]): number {
  return entries.filter(({ event, about }) => {
    const row = store.find(event)
    if (row !== undefined) row.about = sortKeys(about)
    return row !== undefined
  }).length
}
