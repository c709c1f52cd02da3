import type { EventKey } from '../model/event.ts'
import type { EventFilter, Inbox } from './inbox.ts'

/** The events that an erasure is about. */
export interface Erasable {
  readonly keys: readonly EventKey[]
  /** How many of their deliveries are not done. They are deleted, and never run. */
  readonly open: number
  /** True if there are more. */
  readonly capped: boolean
}

/** Finds the events of a filter that are not erased yet. @param most the most events */
export async function findErasable(
  inbox: Inbox,
  filter: Omit<EventFilter, 'limit' | 'after'>,
  most = Infinity
): Promise<Erasable> {
  const keys: EventKey[] = []
  let open = 0
  let after: number | undefined
  do {
    const page = await inbox.events({ ...filter, limit: 500, after })
    for (const { realm, id, state, deliveries } of page.events) {
      if (state === 'erased') continue
      if (keys.length === most) return { keys, open, capped: true }
      keys.push({ realm, id })
      open += deliveries.filter((delivery) => delivery.state !== 'done').length
    }
    after = page.next
  } while (after !== undefined)
  return { keys, open, capped: false }
}
