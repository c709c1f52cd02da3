import { Type } from 'typebox'

import { count, named, stateNames, strict, time } from './basic.ts'

type StateCounts = { readonly [State in (typeof stateNames.delivery)[number]]: typeof count }

const stateFields = Object.fromEntries(stateNames.delivery.map((state) => [state, count])) as StateCounts

export const DeliveryCounts = Type.Object(stateFields, {
  ...strict,
  description: 'how many deliveries there are in each state'
})

export const Handler = Type.Object(
  {
    name: Type.String(),
    source: Type.Optional(Type.String({ description: 'missing if no server has a handler of this name any more' })),
    pattern: Type.Optional(Type.String({ description: 'the event types that it takes' })),
    ordered: Type.Optional(Type.Boolean({ description: 'true if it takes the events of one order key one by one' })),
    pausedSince: Type.Optional(time),
    deliveries: named('DeliveryCounts', DeliveryCounts)
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

export const Stats = Type.Object(
  {
    ...eventCounts,
    byRealm: Type.Array(Type.Object({ realm: Type.String(), ...eventCounts }, strict)),
    byHandler: Type.Array(Type.Object({ handler: Type.String(), ...stateFields }, strict)),
    oldestDueAt: Type.Optional(time)
  },
  { ...strict, description: 'what the inbox holds' }
)
