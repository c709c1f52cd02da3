import type { Actor, EventKey, Inbox } from '../index.ts'

/** Writes into the audit log whose payload an operator is about to see. Without the entry, nothing is revealed. */
export async function recordReveal(inbox: Inbox, actor: Actor, events: readonly EventKey[]): Promise<void> {
  const target = events.map(({ realm, id }) => `${realm} ${id}`).join(', ')
  await inbox.audit({ actor, action: 'events.reveal', target }, { count: events.length, outcome: 'revealed' })
}
