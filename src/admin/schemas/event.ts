import { Type } from 'typebox'

import { count, cursor, givenText, givenTime, named, oneOf, stateNames, strict, time } from './basic.ts'

export const EventKey = Type.Object(
  { realm: Type.String(), id: Type.String() },
  { ...strict, description: 'names an event: ids are unique within their realm only' }
)

const deliveryFields = {
  id: Type.Integer(),
  handler: Type.String(),
  state: oneOf(stateNames.delivery),
  attempts: Type.Integer({ minimum: 0, description: 'runs since it was recorded or replayed' }),
  losses: Type.Integer({ minimum: 0, description: 'lost runs that do not count as an attempt' }),
  dueAt: Type.Optional(time),
  owner: Type.Optional(Type.String({ description: 'the process that runs it' })),
  lastError: Type.Optional(Type.String()),
  settledAt: Type.Optional(time),
  jobId: Type.Optional(Type.Integer({ description: 'the last replay that made it due: see `GET replays`' }))
}

export const Delivery = Type.Object(deliveryFields, strict)

export const Attempt = Type.Object(
  {
    attempt: count,
    state: oneOf(['done', 'retry', 'dead', 'lost', 'released', 'parked', 'replayed']),
    startedAt: time,
    endedAt: time,
    error: Type.Optional(Type.String())
  },
  { ...strict, description: 'an attempt that has ended, or a replay' }
)

export const DeliveryDetail = Type.Object(
  {
    ...deliveryFields,
    orderKey: Type.Optional(
      Type.String({ description: 'what `orderBy` returned; masked if it is personal data; lists do not have it' })
    ),
    attemptLog: Type.Array(named('Attempt', Attempt))
  },
  strict
)

const eventFields = {
  realm: Type.String(),
  id: Type.String(),
  source: Type.String({ description: 'the provider' }),
  type: Type.String({ description: 'empty for a quarantined request' }),
  state: oneOf(stateNames.event),
  liveMode: Type.Optional(Type.Boolean()),
  createdTime: Type.Optional(Type.String({ description: 'when it happened, as the provider wrote it' })),
  resource: Type.Optional(
    Type.String({ description: 'the id of what it is about, such as an order, as the provider writes it' })
  ),
  endpoint: Type.String({ description: 'the path at which it arrived' }),
  receivedAt: time,
  backfilled: Type.Boolean(),
  duplicates: count,
  conflicts: Type.Integer({ minimum: 0, description: 'duplicates with another body' }),
  reason: Type.Optional(Type.String({ description: 'why it is quarantined' }))
}

export const EventSummary = Type.Object({ ...eventFields, deliveries: Type.Array(named('Delivery', Delivery)) }, strict)

export const EventPage = Type.Object(
  {
    events: Type.Array(named('EventSummary', EventSummary)),
    next: Type.Optional(Type.String({ description: 'pass it as `after` for the next page; missing on the last page' })),
    searchedTo: Type.Optional(
      Type.String({
        format: 'date-time',
        description:
          'only for `error` and `where`, which search for at most 2 s: when the last event that was read arrived. `next` continues there'
      })
    )
  },
  strict
)

export const EventCount = Type.Object(
  {
    n: count,
    capped: Type.Boolean({ description: 'true if there are more than `n`, or may be: see `searchedTo`' }),
    searchedTo: Type.Optional(time)
  },
  strict
)

export const Payload = Type.Object(
  {
    bytes: Type.Integer({ minimum: 0, description: 'the length of the body as it arrived' }),
    masked: Type.Boolean({
      description: 'true without `reveal=true`: each value that is personal data is replaced by its type and length'
    }),
    encoding: Type.Optional(oneOf(['json', 'text', 'base64'], 'how `value` holds the body')),
    value: Type.Optional(
      Type.Unknown({
        description:
          'the JSON value with its numbers as they arrived; or a text. Missing if all of it is masked: of a quarantined request, or if it is not JSON'
      })
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'the headers that are stored with the event; missing if it is masked'
      })
    ),
    about: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'the search keys: the ids and addresses that the event is about; if it is masked, without personal data'
      })
    )
  },
  { ...strict, description: 'the part of an event that may be personal data' }
)

export const Receipt = Type.Object(
  {
    judgedAt: time,
    checks: Type.Array(Type.String()),
    secret: Type.Optional(Type.Integer({ description: 'the position of the secret that matched, from 1' })),
    signedAt: Type.Optional(time),
    skewMs: Type.Optional(Type.Number({ description: 'our clock minus the signed time' })),
    mode: Type.Optional(oneOf(['test', 'live'])),
    backfilled: Type.Optional(Type.Boolean())
  },
  { ...strict, description: 'how the request was authenticated' }
)

export const PreviousEvent = Type.Object(
  {
    realm: Type.String(),
    id: Type.String(),
    type: Type.String(),
    receivedAt: time,
    payload: named('Payload', Payload)
  },
  { ...strict, description: 'the event before, about the same resource' }
)

export const EventMismatch = Type.Object(
  {
    path: Type.String({
      description: 'the place in the payload, such as `data.object.items[].sku`; empty for the event type itself'
    }),
    rule: Type.String(),
    handler: Type.String({ description: 'the handler whose schema it is; empty for the schema of the provider' })
  },
  { ...strict, description: 'a place where the payload of an event differs from its schema' }
)

export const EventDetail = Type.Object(
  {
    ...eventFields,
    receipt: named('Receipt', Receipt),
    traceId: Type.Optional(Type.String({ description: 'the trace in which it was recorded' })),
    traceUrl: Type.Optional(Type.String({ description: 'the page of that trace, by the option `trace.url`' })),
    deliveries: Type.Array(named('DeliveryDetail', DeliveryDetail)),
    payload: named('Payload', Payload),
    mismatches: Type.Optional(
      Type.Array(named('EventMismatch', EventMismatch), { description: 'by the current schemas; not in an export' })
    ),
    previous: Type.Optional(named('PreviousEvent', PreviousEvent))
  },
  strict
)

/** Which events a list, a count, a tail, an export or a replay is about. */
const filterFields = {
  about: Type.Optional(
    givenText('only events about this id or address, such as an order; a `*` at the end matches any ending', 201)
  ),
  id: Type.Optional(givenText('only events of this id, in any realm')),
  realm: Type.Optional(givenText('only events of this realm')),
  source: Type.Optional(givenText('only events of this provider')),
  type: Type.Optional(givenText('only events of this type, or of a pattern such as `order.*`')),
  endpoint: Type.Optional(givenText('only events that arrived at this path, exactly')),
  live: Type.Optional(
    Type.Boolean({
      description:
        '`true`: only live events; `false`: only test events. Neither includes events of a provider that does not distinguish them'
    })
  ),
  state: Type.Optional(
    oneOf([...stateNames.delivery, ...stateNames.event], 'only events in this state, or with a delivery in this state')
  ),
  handler: Type.Optional(givenText('only events with a delivery for this handler')),
  error: Type.Optional(
    givenText('only events with a dead or retried delivery whose last error contains this text, ignoring case', 500)
  ),
  where: Type.Optional(
    Type.Array(givenText('such as `data.object.totalAmount>100`', 500), {
      maxItems: 10,
      description:
        'only events whose body meets all these conditions: a path, one of `= != > < >= <= ~`, and a value; or a path and `exists`. Needs the scope `reveal`'
    })
  ),
  since: Type.Optional(givenTime('received at or after')),
  until: Type.Optional(givenTime('received before'))
}

export const EventQuery = Type.Object(
  {
    ...filterFields,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    after: Type.Optional(cursor),
    order: Type.Optional(oneOf(['newest', 'oldest'], 'which comes first; default `newest`'))
  },
  strict
)

export const CountQuery = Type.Object(filterFields, strict)
export const TailQuery = Type.Object(
  {
    ...filterFields,
    lastEventId: Type.Optional(
      Type.String({ maxLength: 20, description: 'the `id` of the last message of a tail before: continue there' })
    )
  },
  strict
)
export const ExportQuery = Type.Object(
  {
    ...filterFields,
    reveal: Type.Optional(Type.Boolean({ description: 'do not mask personal data; needs the scope `reveal`' }))
  },
  strict
)

export const ReplayFilter = Type.Object(filterFields, {
  ...strict,
  description: 'selects events and their deliveries; all conditions hold together'
})

export const GivenEventKey = Type.Object({ realm: givenText('its realm'), id: givenText('its id') }, strict)

export const ChosenEvents = Type.Array(named('GivenEventKey', GivenEventKey), {
  minItems: 1,
  maxItems: 200,
  description: 'only these events'
})

/** The filter of a replay that was started. */
export const JobFilter = Type.Object(
  { ...filterFields, events: Type.Optional(named('ChosenEvents', ChosenEvents)) },
  { ...strict, description: '`about` is hidden: it may be personal data' }
)

const oneEvent = {
  id: givenText('the id of an event, or of a quarantined request'),
  realm: Type.Optional(givenText('its realm; needed only if several realms have the id'))
}

export const OneEventQuery = Type.Object(oneEvent, strict)

export const EventDetailQuery = Type.Object(
  {
    ...oneEvent,
    compare: Type.Optional(oneOf(['previous'], 'add the event before, about the same resource')),
    reveal: Type.Optional(Type.Boolean({ description: 'show personal data; needs the scope `reveal`' }))
  },
  strict
)

export const RelatedQuery = Type.Object(
  { ...oneEvent, limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })) },
  strict
)

export const RelatedEvents = Type.Object(
  {
    events: Type.Array(named('EventSummary', EventSummary), {
      description: 'in order of arrival, with the event itself'
    }),
    more: Type.Boolean({ description: 'true if there are older ones' })
  },
  strict
)
