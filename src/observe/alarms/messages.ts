import { randomUUID } from 'node:crypto'

import type { AlarmChange } from '../../model/alarm.ts'
import { loggedError } from '../../model/error-text.ts'
import type { Log } from '../../model/log.ts'

/** A message about alarms that changed at the same time. */
export interface AlarmMessage {
  /** The same for each try, so that the receiver can detect a repetition. */
  readonly id: string
  /** JSON. */
  readonly body: string
  readonly tries: number
  /** When it is sent, in milliseconds since the epoch. */
  readonly dueAt: number
}

/** Sends a message. @throws if it was not accepted */
export type SendMessage = (message: Pick<AlarmMessage, 'id' | 'body'>, signal: AbortSignal) => Promise<void>

/** The waits between five tries: ten minutes in total. */
const waitsMs = [30_000, 60_000, 180_000, 330_000]

/** One message about all changes. `text` is what chat programs show. */
export function composeMessage(changes: readonly AlarmChange[], now: number): AlarmMessage {
  const body = {
    type: 'riverhook.alarm',
    timestamp: new Date(now).toISOString(),
    text: changes.map(describeChange).join('\n'),
    alarms: changes
  }
  return { id: `alarm_${randomUUID()}`, body: JSON.stringify(body), tries: 0, dueAt: now }
}

/** One line about a change. */
export function describeChange({ change, condition, subject, level, text }: AlarmChange): string {
  if (change === 'test') return `Riverhook [test] ${text}`
  const name = subject === '' ? condition : `${condition} ${subject}`
  const word = change === 'raised' ? level : `${level}, ${change}`
  return `Riverhook [${change === 'resolved' ? change : word}] ${name}: ${text}`
}

export interface SendDue {
  readonly send: SendMessage
  readonly signal: AbortSignal
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly log: Pick<Log, 'warn' | 'error'>
}

/** Sends the messages that are due. @returns those that are still to be sent */
export async function sendDue(
  messages: readonly AlarmMessage[],
  { send, signal, now, log }: SendDue
): Promise<readonly AlarmMessage[]> {
  const unsent: AlarmMessage[] = []
  const isAborted = (): boolean => signal.aborted
  for (const message of messages) {
    if (message.dueAt > now || isAborted()) {
      unsent.push(message)
      continue
    }
    try {
      await send(message, signal)
    } catch (error) {
      const waitMs = waitsMs[message.tries]
      const tries = message.tries + 1
      const keys = { message_id: message.id, tries, err: loggedError(error) }
      if (isAborted()) unsent.push(message)
      else if (waitMs === undefined) log.error(keys, 'a message about alarms could not be sent, and is dropped')
      else {
        log.warn({ ...keys, next_ms: waitMs }, 'a message about alarms could not be sent; trying again')
        unsent.push({ ...message, tries, dueAt: now + waitMs })
      }
    }
  }
  return unsent
}
