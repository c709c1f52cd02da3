import { eraseResult, removeResult } from '../inbox/act-results.ts'
import { checkSeenEvents } from '../inbox/check.ts'
import type { Inbox, RemovalTarget } from '../inbox/inbox.ts'
import type { EraseOptions, Erasure, RemoveOptions } from '../interface.ts'
import type { Act } from '../model/audit.ts'
import { eventsTarget, filterTarget } from './act-target.ts'
import type { Audit, AuditedAct } from './audit.ts'

interface Parts {
  readonly inbox: Inbox
  readonly audit: Audit
}

/** Events per transaction: few enough that requests need not wait for it. */
const batchSize = 200

/**
 * Removes events in batches. See `Riverhook.removeEvents`. The deliveries of a handler that is removed from the code
 * are parked instead: see `adopt.ts` of each engine.
 */
export function removeEvents(
  { inbox, audit }: Parts,
  given: readonly RemovalTarget[],
  options: RemoveOptions = {}
): Promise<number> {
  const targets = checkSeenEvents(given, 'removeEvents()')
  return audit.run(
    { action: 'events.remove', ...about(targets, options) },
    (act) => inBatches(targets, options, (batch) => inbox.remove(batch, act)),
    (removed) => removeResult(targets.length, removed)
  )
}

/** Erases the personal data of events in batches. See `Riverhook.eraseEvents`. */
export function eraseEvents(
  { inbox, audit }: Parts,
  given: readonly RemovalTarget[],
  options: EraseOptions = {}
): Promise<Erasure> {
  const targets = checkSeenEvents(given, 'eraseEvents()')
  return audit.run(
    { action: 'events.erase', ...about(targets, options) },
    async (act: Act) => ({
      erased: await inBatches(targets, options, (batch) => inbox.erase(batch, act)),
      left: await inbox.scrub()
    }),
    ({ erased }) => eraseResult(targets.length, erased)
  )
}

function about(targets: readonly RemovalTarget[], { by, filter }: RemoveOptions): Pick<AuditedAct, 'target' | 'by'> {
  return { target: filter === undefined ? eventsTarget(targets) : filterTarget(filter), by }
}

/** @param work returns how many events of a batch it changed @returns how many it changed of all */
async function inBatches(
  targets: readonly RemovalTarget[],
  { onProgress }: RemoveOptions,
  work: (batch: readonly RemovalTarget[]) => Promise<number>
): Promise<number> {
  let changed = 0
  // One batch at least, so that there is an entry.
  for (let start = 0; start === 0 || start < targets.length; start += batchSize) {
    const batch = targets.slice(start, start + batchSize)
    changed += await work(batch)
    onProgress?.(batch.length)
  }
  return changed
}
