/** The addresses of all views below the base, each with a heading that it has when it is there. */
export function views(eventId: string): readonly { readonly path: string; readonly heading: string }[] {
  return [
    { path: 'events', heading: 'Events' },
    { path: `events/digital-river/${encodeURIComponent(eventId)}`, heading: 'Deliveries' },
    { path: 'events?state=waiting', heading: 'No event matches' },
    { path: 'handlers', heading: 'Handlers' },
    { path: 'failures', heading: 'Failures' },
    { path: 'replays', heading: 'Replays' },
    { path: 'quarantine', heading: 'Quarantine' },
    { path: 'mismatches', heading: 'Mismatches' },
    { path: 'registration', heading: 'Registration' },
    { path: 'backfill', heading: 'Backfill' },
    { path: 'inbox', heading: 'Inbox' },
    { path: 'audit', heading: 'Audit' }
  ]
}
