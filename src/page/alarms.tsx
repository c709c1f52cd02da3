import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

import type { AlarmListJson } from '../admin/api-types.ts'
import { call } from './api.ts'
import { visible } from './text.ts'
import { Icon } from './ui/icon.tsx'

const alarms = signal<AlarmListJson['alarms']>([])

/** How often the alarms are read, in milliseconds. */
const everyMs = 60_000

/** The alarms that are raised, above every view. */
export function Alarms() {
  useEffect(() => {
    const read = (): void => {
      // Without an answer, the last ones stay: the view below says what is wrong.
      void call<AlarmListJson>('alarms').then(
        (answer) => {
          alarms.value = answer.alarms
        },
        () => undefined
      )
    }
    read()
    const timer = setInterval(read, everyMs)
    return () => {
      clearInterval(timer)
    }
  }, [])
  if (alarms.value.length === 0) return null
  return (
    <div class="alarms" role="status">
      {alarms.value.map(({ condition, subject, level, state, text }) => (
        <p key={condition + subject} class={level === 'warn' ? 'warn' : 'bad'}>
          <Icon name={state === 'acknowledged' ? 'check' : 'failures'} />
          <span>
            <b>{visible(`${condition} ${subject}`)}</b> {visible(text)}
            {state === 'acknowledged' && ' (acknowledged)'}
          </span>
        </p>
      ))}
    </div>
  )
}
