import { Type } from 'typebox'

import { count, named, strict, time } from './basic.ts'
import { ChosenEvents, ReplayFilter } from './event.ts'
import { expected, givenPlan } from './replay.ts'

export const RemovalBody = Type.Object(
  {
    filter: Type.Optional(named('ReplayFilter', ReplayFilter)),
    events: Type.Optional(named('ChosenEvents', ChosenEvents)),
    dryRun: Type.Optional(Type.Boolean({ description: 'only plan: change nothing' })),
    plan: Type.Optional(givenPlan),
    expectedCount: Type.Optional(expected)
  },
  {
    ...strict,
    description:
      'to plan: `filter` or `events`, and `dryRun: true`; to remove: the `plan` of the answer, and `expectedCount`'
  }
)

export const RemovalPlan = Type.Object(
  {
    plan: Type.String({ description: 'removes these events: send it back with `expectedCount`' }),
    expiresAt: time,
    count: Type.Integer({ minimum: 0, description: 'how many events would be removed' }),
    capped: Type.Boolean({
      description:
        'true if there are or may be more: at most 10,000 are removed at a time, and a plan looks for them for at most 2 s'
    }),
    kept: Type.Integer({
      minimum: 0,
      description:
        'how many match too, but are kept, because they are erased, or have other deliveries that are not done'
    })
  },
  { ...strict, description: 'what a removal would do' }
)

export const RemovedEvents = Type.Object(
  { removed: count },
  {
    ...strict,
    description: 'how many events were removed; not those with a running delivery, or whose states changed meanwhile'
  }
)

export const Removal = Type.Union([named('RemovalPlan', RemovalPlan), named('RemovedEvents', RemovedEvents)])
