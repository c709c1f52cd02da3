import { Type } from 'typebox'

import { givenText, named, oneOf, strict } from './basic.ts'
import { GivenEventKey } from './event.ts'

const event = named('GivenEventKey', GivenEventKey)

export const ReplayOneBody = Type.Object(
  {
    event,
    handlers: Type.Optional(
      Type.Array(givenText('the name of a handler'), {
        minItems: 1,
        maxItems: 100,
        description: 'only their deliveries; default: all handlers that take the event'
      })
    ),
    includeDone: Type.Optional(Type.Boolean({ description: 'also deliveries that are done: their handlers run again' }))
  },
  strict
)

export const Replayed = Type.Object(
  { replayed: Type.Integer({ minimum: 0, description: 'how many deliveries are due now' }) },
  strict
)

export const Removed = Type.Object(
  { removed: Type.Boolean({ description: 'false if a delivery is running: try again when it has ended' }) },
  strict
)

export const RetryBody = Type.Object({ id: givenText('the id of a quarantined request') }, strict)

export const Retried = Type.Object(
  {
    result: oneOf(['accepted', 'duplicate', 'conflict', 'still_invalid', 'not_stored']),
    reason: Type.Optional(Type.String({ description: 'why it stays quarantined' }))
  },
  strict
)

export const ErrorAnswer = Type.Object(
  {
    statusCode: Type.Integer(),
    code: Type.String({ description: 'one of the codes of the README' }),
    error: Type.String(),
    message: Type.String()
  },
  strict
)
