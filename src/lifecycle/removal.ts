import { removeResult } from '../inbox/act-results.ts'
import { checkEventKeys } from '../inbox/check.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { RemoveOptions } from '../interface.ts'
import type { EventKey } from '../model/event.ts'
import { eventsTarget, filterTarget } from './act-target.ts'
import type { Audit } from './audit.ts'

/** Events per transaction: few enough that requests need not wait for it. */
const batchSize = 200

/** Removes events in batches. See `Riverhook.removeEvents`. */
export function removeEvents(
  { inbox, audit }: { readonly inbox: Inbox; readonly audit: Audit },
  given: readonly EventKey[],
  { by, filter, onProgress }: RemoveOptions = {}
): Promise<number> {
  const keys = checkEventKeys(given, 'removeEvents()')
  const target = filter === undefined ? eventsTarget(keys) : filterTarget(filter)
  return audit.run(
    { action: 'events.remove', target, by },
    async (act) => {
      let removed = 0
      // One batch at least, so that there is an entry.
      for (let start = 0; start === 0 || start < keys.length; start += batchSize) {
        const batch = keys.slice(start, start + batchSize)
        removed += await inbox.remove(batch, act)
        onProgress?.(batch.length)
      }
      return removed
    },
    (removed) => removeResult(keys.length, removed)
  )
}
