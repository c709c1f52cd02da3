import type { Actor } from '../model/audit.ts'
import type { EventDetail, EventFilter, Inbox } from '../inbox/inbox.ts'
import { filterTarget } from './act-target.ts'

export interface ExportOptions {
  readonly filter: Omit<EventFilter, 'limit' | 'after' | 'oldestFirst'>
  readonly actor: Actor
  /** Whether personal data is shown, for the audit log. */
  readonly isRevealed: boolean
  /** The most events. Default: all. */
  readonly most?: number | undefined
  /** Called after the last event, if there are more than `most`. */
  readonly onMore?: (() => void) | undefined
  /** Ends the export. */
  readonly signal?: AbortSignal | undefined
}

const pageSize = 200

/**
 * Begins an export. Writes into the audit log that it begins, and later how it ended. Without the first entry, nothing
 * is read.
 * @returns the events, the oldest first
 */
export async function beginExport(inbox: Inbox, options: ExportOptions): Promise<AsyncGenerator<EventDetail, void>> {
  const { actor, filter, isRevealed } = options
  const act = { actor, action: 'events.export', target: filterTarget(filter) }
  const audit = (count: number, outcome: string): Promise<void> =>
    inbox.audit(act, { count, outcome: `${outcome}, ${isRevealed ? 'unmasked' : 'masked'}` })
  await audit(0, 'begun')
  return readAll(inbox, options, audit)
}

async function* readAll(
  inbox: Inbox,
  { filter, most = Infinity, onMore, signal }: ExportOptions,
  audit: (count: number, outcome: string) => Promise<void>
): AsyncGenerator<EventDetail, void> {
  let count = 0
  let isWhole = false
  try {
    let after: number | undefined
    do {
      const page = await inbox.events({ ...filter, oldestFirst: true, after, limit: Math.min(pageSize, most - count) })
      for (const key of page.events) {
        const event = await inbox.event(key)
        // It was purged meanwhile.
        if (event === undefined) continue
        count += 1
        yield event
      }
      after = page.next
    } while (after !== undefined && count < most && signal?.aborted !== true)
    isWhole = signal?.aborted !== true
    if (after !== undefined && isWhole) onMore?.()
  } finally {
    await audit(count, isWhole ? 'sent' : 'ended early')
  }
}
