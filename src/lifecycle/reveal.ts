import type { Actor } from '../model/audit.ts'
import type { EventKey } from '../model/event.ts'
import type { EventFilter, Inbox } from '../inbox/inbox.ts'
import { eventsTarget, filterTarget } from './act-target.ts'

/** Writes into the audit log whose payload a person is about to see. Without the entry, nothing is revealed. */
export async function recordReveal(inbox: Inbox, actor: Actor, events: readonly EventKey[]): Promise<void> {
  await inbox.audit(
    { actor, action: 'events.reveal', target: eventsTarget(events) },
    { count: events.length, outcome: 'revealed' }
  )
}

/**
 * Writes into the audit log that a person is about to search by values that only reveal shows. The values are not in
 * it. Without the entry, nothing is searched.
 */
export async function recordSearch(inbox: Inbox, actor: Actor, filter: Omit<EventFilter, 'limit'>): Promise<void> {
  await inbox.audit(
    { actor, action: 'events.reveal', target: filterTarget(filter) },
    { count: 0, outcome: 'searched by hidden values' }
  )
}
