import type { Backlog } from '../inbox.ts'
import { oldestDueAt } from './read.ts'
import type { Store } from './store.ts'

/** There is no write that could fail. */
export function probe(store: Store, now: number): Backlog {
  return { oldestDueAt: oldestDueAt(store, now) }
}
