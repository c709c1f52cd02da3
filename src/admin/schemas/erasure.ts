import { Type } from 'typebox'

import { count, named, strict, time } from './basic.ts'

export const ErasurePlan = Type.Object(
  {
    plan: Type.String({ description: 'erases these events: send it back with `expectedCount`' }),
    expiresAt: time,
    count: Type.Integer({ minimum: 0, description: 'how many events would be erased' }),
    open: Type.Integer({ minimum: 0, description: 'how many of their deliveries are not done, and would never run' }),
    capped: Type.Boolean({
      description:
        'true if there are or may be more: at most 10,000 are erased at a time, and a plan looks for them for at most 2 s'
    })
  },
  { ...strict, description: 'what an erasure would do' }
)

export const ErasedEvents = Type.Object(
  {
    erased: count,
    left: Type.Optional(
      Type.String({
        description: 'how a person removes what the files of the store may still have; missing if nothing'
      })
    )
  },
  {
    ...strict,
    description: 'how many events were erased; not those with a running delivery, or whose states changed meanwhile'
  }
)

export const Erasure = Type.Union([named('ErasurePlan', ErasurePlan), named('ErasedEvents', ErasedEvents)])
