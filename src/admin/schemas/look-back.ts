import { Type } from 'typebox'

import { count, cursor, givenText, givenTime, named, oneOf, origins, strict, time } from './basic.ts'
import { EventKey, ReplayFilter } from './event.ts'

export const TallyRow = Type.Object(
  {
    at: time,
    kind: oneOf(['event', 'attempt', 'request']),
    name: Type.String({ description: 'the event type, the handler, or the path of the endpoint' }),
    outcome: Type.String(),
    count,
    totalMs: Type.Number({ minimum: 0, description: 'how long the attempts ran in total' }),
    maxMs: Type.Number({ minimum: 0, description: 'the longest of them' })
  },
  { ...strict, description: 'how often something had one outcome within a minute or an hour' }
)

export const SeriesQuery = Type.Object(
  {
    since: givenTime('from the minute or the hour of this time on'),
    until: Type.Optional(givenTime('before; default now')),
    step: Type.Optional(oneOf(['minute', 'hour'], 'default `hour`; minutes are kept for two days')),
    kind: Type.Optional(oneOf(['event', 'attempt', 'request'], 'default: all')),
    name: Type.Optional(givenText('only of this event type, handler or endpoint', 2_000))
  },
  strict
)

export const Series = Type.Object(
  { since: time, until: time, step: oneOf(['minute', 'hour']), rows: Type.Array(named('TallyRow', TallyRow)) },
  strict
)

export const Failure = Type.Object(
  {
    handler: Type.String(),
    error: Type.String({ description: 'their last error, without ids, numbers, addresses and quoted texts' }),
    dead: Type.Integer({ minimum: 0, description: 'how many of them are dead letters' }),
    retrying: Type.Integer({ minimum: 0, description: 'how many of them wait for a retry' }),
    events: count,
    oldest: time,
    newest: time,
    example: named('EventKey', EventKey),
    replay: named('ReplayFilter', ReplayFilter),
    alsoReplays: Type.Integer({ minimum: 0, description: 'how many other failures `replay` selects too' })
  },
  { ...strict, description: 'deliveries of one handler that failed in the same way' }
)

export const FailureList = Type.Object(
  {
    failures: Type.Array(named('Failure', Failure), { description: 'the largest first' }),
    more: Type.Integer({ minimum: 0, description: 'how many more groups there are' }),
    isPartial: Type.Boolean({ description: 'true if only the failures of the newest 5,000 events were read' })
  },
  strict
)

export const FailureQuery = Type.Object(
  {
    handler: Type.Optional(givenText('only of this handler')),
    since: Type.Optional(givenTime('failed at or after')),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }))
  },
  strict
)

export const AuditEntry = Type.Object(
  {
    seq: Type.Integer(),
    at: time,
    actor: Type.String({ description: 'who did it' }),
    via: oneOf(origins),
    peer: Type.Optional(Type.String()),
    requestId: Type.Optional(Type.String()),
    action: Type.String({ description: 'a noun and a verb, such as `handler.pause`' }),
    target: Type.String(),
    count: Type.Integer({ minimum: 0, description: 'how many things it changed' }),
    outcome: Type.String()
  },
  strict
)

export const AuditQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    since: Type.Optional(givenTime('done at or after')),
    after: Type.Optional(cursor)
  },
  strict
)

export const AuditPage = Type.Object(
  {
    entries: Type.Array(named('AuditEntry', AuditEntry), { description: 'newest first' }),
    next: Type.Optional(Type.String())
  },
  strict
)
