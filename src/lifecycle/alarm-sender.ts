import { Poster } from '../forward/post.ts'
import { signatureHeaders } from '../forward/sign.ts'
import { RiverhookError } from '../model/errors.ts'
import type { AlarmChange } from '../model/alarm.ts'
import { composeMessage, type SendMessage } from '../observe/alarms/messages.ts'
import type { AlarmOptions } from '../options/riverhook-options.ts'

/** How long the receiver of a message may take to answer, in milliseconds. */
const timeoutMs = 10_000

/** Sends messages to the URL of the options, signed by the rules of Standard Webhooks. Undefined without a URL. */
export function alarmSender({ url, secret }: Pick<AlarmOptions, 'url' | 'secret'>): SendMessage | undefined {
  if (url === undefined) return undefined
  const target = new URL(url)
  const poster = new Poster(target)
  const secrets = secret === undefined ? [] : [secret]
  return async ({ id, body: text }, signal) => {
    const body = Buffer.from(text)
    const headers = {
      'user-agent': 'riverhook',
      'content-type': 'application/json',
      'content-length': String(body.byteLength),
      ...(await signatureHeaders(id, body, secrets, new Date()))
    }
    const { status } = await poster.send({ headers, body, timeoutMs, signal })
    if (status < 200 || status > 299)
      throw new RiverhookError('RIVERHOOK_FORWARD_FAILED', `${target.origin} answered ${status}`)
  }
}

/**
 * Sends a test message to the URL of the options.
 * @throws {RiverhookError} RIVERHOOK_FORWARD_FAILED if it was not accepted
 * @throws {TypeError} without a URL
 */
export async function sendTestAlarm(options: Pick<AlarmOptions, 'url' | 'secret'>): Promise<void> {
  const send = alarmSender(options)
  if (send === undefined) throw new TypeError('sendTestAlarm: there is no URL')
  const now = new Date()
  const change: AlarmChange = {
    condition: 'inbox',
    subject: '',
    level: 'warn',
    text: 'this is a test of the alarms: nothing happened',
    value: undefined,
    threshold: undefined,
    since: now,
    change: 'test'
  }
  await send(composeMessage([change], now.getTime()), new AbortController().signal)
}
