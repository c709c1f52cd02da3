import type { Actor } from '../model/audit.ts'
import type { EventKey } from '../model/event.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { eventsTarget } from './act-target.ts'

/** Writes into the audit log whose payload a person is about to see. Without the entry, nothing is revealed. */
export async function recordReveal(inbox: Inbox, actor: Actor, events: readonly EventKey[]): Promise<void> {
  await inbox.audit(
    { actor, action: 'events.reveal', target: eventsTarget(events) },
    { count: events.length, outcome: 'revealed' }
  )
}
