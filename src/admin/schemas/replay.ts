import { Type } from 'typebox'

import { count, named, oneOf, origins, stateNames, strict, time } from './basic.ts'
import { ChosenEvents, JobFilter, ReplayFilter } from './event.ts'

const includeDone = Type.Boolean({ description: 'also deliveries that are done: their handlers run again' })
const limit = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: 'at most this many deliveries, of the oldest events; default: all'
})
const ratePerSecond = Type.Integer({
  minimum: 1,
  maximum: 10_000,
  description: 'how many deliveries a second are made due; default: as fast as possible'
})

/** A plan in a request. */
export const givenPlan = Type.String({
  minLength: 1,
  maxLength: 60_000,
  description: 'the `plan` of a dry run; without any other field but `expectedCount`'
})
export const expected = Type.Integer({ minimum: 0, description: 'the `count` of the plan' })

export const ReplayBody = Type.Object(
  {
    filter: Type.Optional(named('ReplayFilter', ReplayFilter)),
    events: Type.Optional(named('ChosenEvents', ChosenEvents)),
    includeDone: Type.Optional(includeDone),
    limit: Type.Optional(limit),
    ratePerSecond: Type.Optional(ratePerSecond),
    dryRun: Type.Optional(Type.Boolean({ description: 'only plan: change nothing' })),
    plan: Type.Optional(givenPlan),
    expectedCount: Type.Optional(expected)
  },
  {
    ...strict,
    description:
      'to plan: `filter` or `events`, the options, and `dryRun: true`; to start: the `plan` of the answer, and `expectedCount`'
  }
)

export const ReplayPlan = Type.Object(
  {
    plan: Type.String({ description: 'starts this replay, once: send it back with `expectedCount`' }),
    expiresAt: time,
    count: Type.Integer({ minimum: 0, description: 'how many deliveries would be made due or created' }),
    capped: Type.Boolean({ description: 'true if there are or may be more: up to 10,001 are counted, for up to 2 s' }),
    events: Type.Integer({ minimum: 0, description: 'how many events have these deliveries' }),
    byHandler: Type.Array(
      Type.Object(
        {
          handler: Type.String(),
          state: oneOf([...stateNames.delivery, 'missing'], '`missing`: the delivery would be created'),
          count,
          skipped: Type.Boolean({ description: 'true if these are not replayed' })
        },
        strict
      )
    ),
    upTo: Type.Integer({ minimum: 0, description: 'the position of the newest event: later ones are not replayed' }),
    oldest: Type.Optional(time),
    newest: Type.Optional(time)
  },
  { ...strict, description: 'what a replay would do' }
)

export const ReplayJob = Type.Object(
  {
    id: Type.Integer({ minimum: 1 }),
    kind: oneOf(['replay']),
    state: oneOf(
      ['waiting', 'running', 'stopped', 'done', 'failed'],
      '`waiting`: no process has it; `stopped`: it is not continued; `failed`: `error` says why'
    ),
    filter: named('JobFilter', JobFilter),
    includeDone,
    upTo: count,
    limit: Type.Optional(limit),
    ratePerSecond: Type.Optional(ratePerSecond),
    planned: Type.Integer({ minimum: 0, description: 'how many deliveries it is expected to replay' }),
    replayed: Type.Integer({ minimum: 0, description: 'how many were made due again' }),
    created: Type.Integer({ minimum: 0, description: 'how many were created' }),
    skipped: Type.Integer({ minimum: 0, description: 'how many are running, are done or have no handler' }),
    refused: Type.Integer({ minimum: 0, description: 'how many the inbox refused; `error` has the last reason' }),
    actor: Type.Object(
      {
        name: Type.String(),
        via: oneOf(origins),
        peer: Type.Optional(Type.String()),
        requestId: Type.Optional(Type.String())
      },
      { ...strict, description: 'who started it' }
    ),
    owner: Type.Optional(Type.String({ description: 'the process that runs it' })),
    createdAt: time,
    startedAt: Type.Optional(time),
    endedAt: Type.Optional(time),
    error: Type.Optional(Type.String())
  },
  { ...strict, description: 'a replay, which continues after a restart' }
)

export const ReplayQuery = Type.Object(
  { limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })) },
  strict
)

export const ReplayList = Type.Object(
  { replays: Type.Array(named('ReplayJob', ReplayJob), { description: 'newest first' }) },
  strict
)

export const ReplayParams = Type.Object(
  { id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'the number of the replay' }) },
  strict
)
