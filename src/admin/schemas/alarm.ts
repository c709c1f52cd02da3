import { Type } from 'typebox'

import { named, oneOf, strict, time } from './basic.ts'

const condition = Type.String({ minLength: 1, maxLength: 100, description: 'the condition that holds, such as `dead`' })
const subject = Type.String({
  maxLength: 500,
  pattern: '^[^\\u0000]*$',
  description: 'the endpoint or the handler; empty if it is about the inbox'
})

export const Alarm = Type.Object(
  {
    condition,
    subject,
    level: oneOf(['warn', 'error']),
    text: Type.String({ description: 'what was found last, without personal data' }),
    value: Type.Optional(Type.Number()),
    threshold: Type.Optional(Type.Number()),
    since: time,
    state: oneOf(
      ['raised', 'acknowledged', 'unchecked'],
      '`acknowledged`: not reported again until it is resolved, unless it becomes worse; `unchecked`: the condition cannot be checked, and `text` says why'
    )
  },
  { ...strict, description: 'a condition that needs attention' }
)

export const AlarmKey = Type.Object(
  { condition, subject, since: time },
  { ...strict, description: 'an alarm, as it was listed' }
)

export const AlarmList = Type.Object({ alarms: Type.Array(named('Alarm', Alarm)) }, strict)
