import { eraseResult } from '../inbox/act-results.ts'
import { checkEventKeys } from '../inbox/check.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { EraseOptions, Erasure } from '../interface.ts'
import type { EventKey } from '../model/event.ts'
import { eventsTarget, filterTarget } from './act-target.ts'
import type { Audit } from './audit.ts'

/** Events per transaction: few enough that requests need not wait for it. */
const batchSize = 200

/** Erases the personal data of events in batches. See `Riverhook.eraseEvents`. */
export function eraseEvents(
  { inbox, audit }: { readonly inbox: Inbox; readonly audit: Audit },
  given: readonly EventKey[],
  { by, filter, onProgress }: EraseOptions = {}
): Promise<Erasure> {
  const keys = checkEventKeys(given, 'eraseEvents()')
  const target = filter === undefined ? eventsTarget(keys) : filterTarget(filter)
  return audit.run(
    { action: 'events.erase', target, by },
    async (act) => {
      let erased = 0
      // One batch at least, so that there is an entry.
      for (let start = 0; start === 0 || start < keys.length; start += batchSize) {
        const batch = keys.slice(start, start + batchSize)
        erased += await inbox.erase(batch, act)
        onProgress?.(batch.length)
      }
      return { erased, left: await inbox.scrub() }
    },
    ({ erased }) => eraseResult(keys.length, erased)
  )
}
