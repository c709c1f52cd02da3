import { Type } from 'typebox'

import { count, named, stateNames, strict, time } from './basic.ts'

type StateCounts = { readonly [State in (typeof stateNames.delivery)[number]]: typeof count }

const stateFields = Object.fromEntries(stateNames.delivery.map((state) => [state, count])) as StateCounts

export const DeliveryCounts = Type.Object(stateFields, {
  ...strict,
  description: 'how many deliveries there are in each state'
})

const { done: _, ...unfinishedFields } = stateFields

export const Handler = Type.Object(
  {
    name: Type.String(),
    source: Type.Optional(Type.String({ description: 'missing if no server has a handler of this name any more' })),
    pattern: Type.Optional(Type.String({ description: 'the event types that it takes' })),
    ordered: Type.Optional(Type.Boolean({ description: 'true if it takes the events of one order key one by one' })),
    pausedSince: Type.Optional(time),
    deliveries: Type.Object(unfinishedFields, {
      ...strict,
      description: 'how many of its deliveries are in each state, except those that are done'
    }),
    oldestDueAt: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'when its longest overdue delivery fell due; missing if nothing is overdue'
      })
    ),
    lengths: Type.Optional(
      Type.Object(
        {
          attempts: Type.Integer({ minimum: 0, description: 'of how many attempts: the newest ones, at most 500' }),
          p50Ms: Type.Number({ minimum: 0, description: 'half of them took at most this long' }),
          p95Ms: Type.Number({ minimum: 0, description: '95 % of them took at most this long' })
        },
        { ...strict, description: 'how long its newest attempts took; missing if it has none' }
      )
    )
  },
  strict
)

export const HandlerList = Type.Object({ handlers: Type.Array(named('Handler', Handler)) }, strict)

export const HandlerBody = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 256, description: 'the name of the handler' }) },
  strict
)

export const Changed = Type.Object({ changed: Type.Boolean({ description: 'false if it was so already' }) }, strict)

const eventCounts = {
  events: count,
  quarantined: count,
  backfilled: count,
  duplicates: count,
  conflicts: count,
  deliveries: named('DeliveryCounts', DeliveryCounts)
}

export const LastDay = Type.Object(
  {
    since: time,
    refused: Type.Array(
      Type.Object({ endpoint: Type.String(), code: Type.String(), count, firstAt: time, lastAt: time }, strict),
      { description: 'refused requests by endpoint and code, the most frequent first' }
    ),
    attempts: Type.Array(
      Type.Object(
        {
          handler: Type.String(),
          done: count,
          failed: Type.Integer({ minimum: 0, description: 'with those that were retried' }),
          lost: count,
          averageMs: Type.Number({ minimum: 0 }),
          longestMs: Type.Number({ minimum: 0 })
        },
        strict
      )
    )
  },
  { ...strict, description: 'the counts of the last 24 hours' }
)

export const Stats = Type.Object(
  {
    ...eventCounts,
    byRealm: Type.Array(Type.Object({ realm: Type.String(), ...eventCounts }, strict)),
    byHandler: Type.Array(Type.Object({ handler: Type.String(), ...stateFields }, strict)),
    oldestDueAt: Type.Optional(time),
    retrying: Type.Integer({ minimum: 0, description: 'how many deliveries failed and wait for a retry' }),
    failing: Type.Array(Type.Object({ handler: Type.String(), error: Type.String(), count }, strict), {
      description: 'their last errors, by handler and the beginning of the error'
    }),
    nextAt: Type.Optional(time),
    lost: Type.Object(
      { deliveries: count, runs: count },
      { ...strict, description: 'deliveries that wait and have lost runs, and how many' }
    ),
    mismatches: Type.Integer({ minimum: 0, description: 'kinds of payload mismatches that are not acknowledged' }),
    isPartial: Type.Boolean({ description: 'true if `failing` is only of the newest 5,000 failed deliveries' }),
    pauses: Type.Array(Type.Object({ handler: Type.String(), since: time }, strict)),
    lastDay: named('LastDay', LastDay)
  },
  { ...strict, description: 'what the inbox holds, what fails, and what happened in the last 24 hours' }
)
