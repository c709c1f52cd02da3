import { randomUUID } from 'node:crypto'

import type { AlarmChange } from '../../model/alarm.ts'
import { loggedError } from '../../model/error-text.ts'
import type { Log } from '../../model/log.ts'
import { hourMs } from './words.ts'

/** A message about alarms that changed at the same time. */
export interface AlarmMessage {
  /** The same for each try, so that the receiver can detect a repetition. */
  readonly id: string
  /** JSON. */
  readonly body: string
  /** How many tries were begun. */
  readonly tries: number
  /** When it is sent, in milliseconds since the epoch. */
  readonly dueAt: number
  /** True from before a try until its result is stored. If that process dies, it may have been accepted. */
  readonly isOnTheWay?: boolean | undefined
}

/** Sends a message. @throws if it was not accepted */
export type SendMessage = (message: Pick<AlarmMessage, 'id' | 'body'>, signal: AbortSignal) => Promise<void>

/** The waits between five tries: ten minutes in total. */
const waitsMs = [30_000, 60_000, 180_000, 330_000]

/** How long after its time a message waits for a process that can send it. */
const longestWaitMs = hourMs

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
  /** Stores the messages that are to be sent. @returns false if another process sends them */
  readonly store: (unsent: readonly AlarmMessage[]) => Promise<boolean>
  readonly signal: AbortSignal
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly log: Pick<Log, 'warn' | 'error'>
}

/**
 * Sends the messages that are due, each at least once. Stores each try before it begins, so that no other process sends
 * the message at that time. If the process dies during a try, the next one sends the message again and says so.
 * @returns those that are still to be sent
 */
export async function sendDue(messages: readonly AlarmMessage[], options: SendDue): Promise<readonly AlarmMessage[]> {
  const { signal, now, log, store } = options
  let unsent = messages
  const replace = (id: string, ...next: readonly AlarmMessage[]): void => {
    unsent = unsent.flatMap((message) => (message.id === id ? next : [message]))
  }
  for (const message of messages) {
    if (message.dueAt > now) continue
    if (signal.aborted) break
    const { id, tries, isOnTheWay } = message
    if (tries > waitsMs.length) {
      log.error({ message_id: id, tries }, 'the process died during the last try to send a message; it is dropped')
      replace(id)
      continue
    }
    if (isOnTheWay === true)
      log.warn({ message_id: id, tries }, 'the process died while it sent a message; sending it again, maybe twice')
    const begun = { ...message, tries: tries + 1, dueAt: now + (waitsMs[tries] ?? 0), isOnTheWay: true }
    replace(id, begun)
    if (!(await store(unsent))) break
    const left = await trySend(message, begun, options)
    replace(id, ...(left === undefined ? [] : [left]))
    // The receiver is away: it must not delay the next check. The others are due in the next round.
    if (left !== undefined) break
  }
  return unsent
}

/** @returns the message if it must be sent again */
async function trySend(
  message: AlarmMessage,
  begun: AlarmMessage,
  { send, signal, log }: SendDue
): Promise<AlarmMessage | undefined> {
  try {
    await send(message, signal)
    return undefined
  } catch (error) {
    // It may have been accepted.
    if (signal.aborted) return { ...message, isOnTheWay: true }
    const { id, tries } = begun
    const waitMs = waitsMs[message.tries]
    const keys = { message_id: id, tries, err: loggedError(error) }
    if (waitMs === undefined) {
      log.error(keys, 'a message about alarms could not be sent, and is dropped')
      return undefined
    }
    log.warn({ ...keys, next_ms: waitMs }, 'a message about alarms could not be sent; trying again')
    return { ...begun, isOnTheWay: undefined }
  }
}

/** Keeps messages for a process that can send them, and drops those for which none came. */
export function keepUnsent(
  messages: readonly AlarmMessage[],
  { now, log }: Pick<SendDue, 'now' | 'log'>
): readonly AlarmMessage[] {
  const kept = messages.filter(({ dueAt }) => now - dueAt < longestWaitMs)
  const dropped = messages.length - kept.length
  if (dropped > 0)
    log.error({ messages: dropped }, 'messages about alarms are dropped: no server has had a URL for them for an hour')
  return kept
}
