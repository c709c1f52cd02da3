import { Type } from 'typebox'

import { count, givenText, givenTime, named, oneOf, strict, time } from './basic.ts'

const kindFields = {
  realm: Type.String(),
  type: Type.String(),
  path: Type.String({ description: 'the place in the payload; empty for the event type itself' }),
  rule: Type.String(),
  handler: Type.String({ description: 'the handler whose schema it is; empty for the schema of the provider' })
}

export const MismatchKind = Type.Object(kindFields, { ...strict, description: 'a kind of mismatch, as it was listed' })

export const Mismatch = Type.Object(
  {
    ...kindFields,
    count,
    firstAt: time,
    lastAt: time,
    eventId: Type.String({ description: 'the last event with this mismatch' }),
    acknowledgedAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'since then, it is no cause for a warning' })
    )
  },
  { ...strict, description: 'a place where payloads differ from their schema' }
)

export const MismatchList = Type.Object({ mismatches: Type.Array(named('Mismatch', Mismatch)) }, strict)

export const Registration = Type.Object(
  {
    endpoint: Type.String(),
    address: Type.String({ description: 'the URL that the provider sends to' }),
    state: oneOf(['unknown', 'in_sync', 'changed']),
    webhookId: Type.Optional(Type.String()),
    checkedAt: Type.Optional(time),
    changes: Type.Integer({ minimum: 0, description: 'how often it was found changed since the start' }),
    lastError: Type.Optional(Type.String())
  },
  { ...strict, description: 'the webhook of an endpoint at the provider' }
)

export const RegistrationList = Type.Object({ registrations: Type.Array(named('Registration', Registration)) }, strict)

export const SyncBody = Type.Object(
  {
    endpoint: givenText('the path of the endpoint', 2_000),
    dryRun: Type.Optional(Type.Boolean({ description: 'only plan: change nothing' }))
  },
  strict
)

export const RegistrationPlan = Type.Object(
  {
    address: Type.String(),
    webhookId: Type.Optional(Type.String({ description: 'missing if nothing is registered at this address' })),
    result: Type.Optional(oneOf(['created', 'updated', 'unchanged'], 'missing in a dry run')),
    lines: Type.Array(
      Type.Object({ sign: oneOf(['+', '-', '~']), field: Type.String(), text: Type.String() }, strict),
      { description: 'each difference: to add, to remove, to change; never a secret' }
    ),
    unknown: Type.Array(Type.String(), { description: 'patterns of handlers that match no known event type' }),
    twins: Type.Array(Type.String(), { description: 'other webhooks at the same address; they are not touched' })
  },
  strict
)

export const Watermark = Type.Object(
  { realm: Type.String(), name: Type.String(), at: time },
  { ...strict, description: 'the time up to which something of a realm was read, purged or served: `name` says what' }
)

export const WatermarkList = Type.Object({ watermarks: Type.Array(named('Watermark', Watermark)) }, strict)

export const BackfillBody = Type.Object(
  {
    since: givenTime('created at or after'),
    until: Type.Optional(givenTime('created before; default now')),
    endpoint: Type.Optional(givenText('the path of the endpoint to store the events under', 2_000)),
    type: Type.Optional(givenText('only events of this type, or of a pattern; default: those that the handlers take')),
    dryRun: Type.Optional(Type.Boolean({ description: 'only count: change nothing' }))
  },
  strict
)

export const BackfillReport = Type.Object(
  {
    since: time,
    until: time,
    gap: Type.Optional(Type.Object({ since: time, until: time }, strict)),
    listed: count,
    arrived: Type.Integer({ minimum: 0, description: 'how many of them had arrived' }),
    recovered: Type.Integer({ minimum: 0, description: 'how many did not; they are stored now, unless in a dry run' }),
    quarantined: count,
    forgotten: Type.Integer({ minimum: 0, description: 'how many are so old that they may have been purged' }),
    oldest: Type.Optional(Type.String()),
    newest: Type.Optional(Type.String())
  },
  strict
)

export const Inbox = Type.Object(
  {
    engine: Type.String({ description: '`sqlite`, `postgres` or `memory`' }),
    version: Type.String({ description: 'of Riverhook' }),
    now: Type.Unsafe<string>({ type: 'string', format: 'date-time', description: 'the time of its clock' }),
    oldestEventAt: Type.Optional(time),
    servers: Type.Optional(
      Type.Array(Type.String(), { description: 'the servers that use it now; missing if it can have only one' })
    )
  },
  strict
)
