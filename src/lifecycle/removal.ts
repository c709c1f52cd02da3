import { removeResult } from '../inbox/act-results.ts'
import { checkRemovalTargets } from '../inbox/check.ts'
import type { Inbox, RemovalTarget } from '../inbox/inbox.ts'
import type { RemoveOptions } from '../interface.ts'
import { eventsTarget, filterTarget } from './act-target.ts'
import type { Audit } from './audit.ts'

/** Events per transaction: few enough that requests need not wait for it. */
const batchSize = 200

/** Removes events in batches. See `Riverhook.removeEvents`. */
export function removeEvents(
  { inbox, audit }: { readonly inbox: Inbox; readonly audit: Audit },
  given: readonly RemovalTarget[],
  { by, filter, onProgress }: RemoveOptions = {}
): Promise<number> {
  const targets = checkRemovalTargets(given, 'removeEvents()')
  const target = filter === undefined ? eventsTarget(targets) : filterTarget(filter)
  return audit.run(
    { action: 'events.remove', target, by },
    async (act) => {
      let removed = 0
      // One batch at least, so that there is an entry.
      for (let start = 0; start === 0 || start < targets.length; start += batchSize) {
        const batch = targets.slice(start, start + batchSize)
        removed += await inbox.remove(batch, act)
        onProgress?.(batch.length)
      }
      return removed
    },
    (removed) => removeResult(targets.length, removed)
  )
}
