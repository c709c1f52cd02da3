import { Type } from 'typebox'

import { named, oneOf, strict, time } from './basic.ts'

export const Alarm = Type.Object(
  {
    condition: Type.String({ description: 'the condition that holds, such as `dead`' }),
    subject: Type.String({ description: 'the endpoint or the handler; empty if it is about the inbox' }),
    level: oneOf(['warn', 'error']),
    text: Type.String({ description: 'what was found last, without personal data' }),
    value: Type.Optional(Type.Number()),
    threshold: Type.Optional(Type.Number()),
    since: time
  },
  { ...strict, description: 'a condition that needs attention' }
)

export const AlarmList = Type.Object({ alarms: Type.Array(named('Alarm', Alarm)) }, strict)
