import { createHash, timingSafeEqual, verify as isSignatureOf } from 'node:crypto'

import { checkSecrets } from '../model/check-secrets.ts'
import { PermanentError, RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import type { Log } from '../model/log.ts'
import { checkAgainst, isFunction, isPlainObject, isText } from '../model/option-rules.ts'
import { valuesAt } from '../model/values-at.ts'
import { Certificates } from './certificates.ts'
import { judgeTime } from './judge-time.ts'
import { parseJson } from './parse-json.ts'
import type { Reading, SampleInput, Source, SourceRequest, Verdict } from './source.ts'

/** A message as Amazon SNS writes it. All fields but the last two are signed. */
export interface SnsMessage {
  readonly Type: string
  readonly MessageId: string
  readonly TopicArn: string
  /** The published text; often JSON. */
  readonly Message: string
  readonly Subject?: string
  /** ISO 8601: when it was published. */
  readonly Timestamp: string
  readonly Token?: string
  readonly SubscribeURL?: string
  /** Not signed. */
  readonly UnsubscribeURL?: string
  /** Not signed. */
  readonly MessageAttributes?: Readonly<Record<string, { readonly Type: string; readonly Value: string }>>
  readonly [field: string]: unknown
}

export const snsTypes = ['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation'] as const

export interface SnsEvent extends AnyEvent {
  readonly type: (typeof snsTypes)[number]
  readonly payload: SnsMessage
}

export interface SnsOptions {
  /** The name of the source, stored with every event. Default: `sns`. */
  readonly name?: string | undefined
  /** Fetches the certificate. For tests, and for a proxy. Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
}

export type SnsSource = Source<SnsEvent> & { readonly payloadPath: readonly ['payload'] }

/**
 * Amazon SNS over HTTP: notifications, and the confirmations of subscribing and unsubscribing. See
 * `confirmSubscription`.
 *
 * - **Verified**: RSA with SHA-1 (`SignatureVersion` 1) or SHA-256 (2) over `Message`, `MessageId`, `Subject`,
 *   `Timestamp`, `TopicArn` and `Type`; in confirmations `SubscribeURL` and `Token` instead of `Subject`. The
 *   certificate is fetched once from `SigningCertURL`, over https from `sns.REGION.amazonaws.com` (or `.com.cn`).
 * - **Secret**: the ARN of the topic. Anybody with an AWS account can have messages signed, so a signature alone
 *   proves nothing. The signed topic shows whose message it is.
 * - **Not signed**: `UnsubscribeURL`, `MessageAttributes`, and the headers.
 * - **Duplicates**: every retry has the same `MessageId`, and the same time.
 * - **Limits**: Amazon waits 15 s, and retries for at most 1 hour, but not after a 4xx other than 429. So a request
 *   that cannot be verified now is answered 500. The default `tolerance` is 24 hours, because a throttled topic
 *   delivers late; a replay within it is a duplicate.
 *
 * The event is `{ id, type, createdTime, payload }`; `payload` is the message. There is no `sign`: only Amazon has the
 * key. Raw message delivery is not signed, and refused.
 *
 * Facts: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html,
 * https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html,
 * https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html and
 * https://github.com/aws/aws-js-sns-message-validator/blob/master/index.js
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names every option that is wrong
 */
export function sns(options: SnsOptions = {}): SnsSource {
  checkAgainst({ name: isText, fetch: isFunction }, options, 'sns')
  const certificates = new Certificates({
    isTrusted: (host, path) => isSnsHost(host) && /^\/[\w.-]{1,200}\.pem$/.test(path),
    fetch: options.fetch
  })
  return Object.freeze<SnsSource>({
    name: options.name ?? 'sns',
    types: snsTypes,
    payloadPath: ['payload'],
    mediaTypes: ['text/plain'],
    limits: { answerMs: 15_000, retryMs: 3_600_000, toleranceMs: 86_400_000 },
    verifier: (topics) => {
      checkTopics(topics)
      return { verify: (request, now, toleranceMs) => verify(certificates, topics, request, now, toleranceMs) }
    },
    read,
    sample,
    keysOf: valuesAt(['payload.TopicArn']),
    // The published text may be anything. With a link or the token, anybody can change the subscription.
    redact: ['Message', 'Subject', 'MessageAttributes', 'Token', 'SubscribeURL', 'UnsubscribeURL']
  })
}

/**
 * A handler that confirms a subscription: it fetches the signed `SubscribeURL`, with the retries of every handler.
 *
 *     riverhook.from(topic).on('SubscriptionConfirmation', confirmSubscription())
 *
 * Throws a PermanentError if Amazon refuses the token, for example because it has expired: subscribe again.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID
 */
export function confirmSubscription(
  options: Pick<SnsOptions, 'fetch'> = {}
): (
  event: Pick<SnsEvent, 'payload'>,
  context: { readonly signal: AbortSignal; readonly log: Pick<Log, 'info'> }
) => Promise<void> {
  checkAgainst({ fetch: isFunction }, options, 'confirmSubscription')
  return async ({ payload: { SubscribeURL: address = '', TopicArn: topic } }, { signal, log }) => {
    const url = URL.canParse(address) ? new URL(address) : undefined
    if (url?.protocol !== 'https:' || !isSnsHost(url.host) || url.username !== '')
      throw new PermanentError('The field "SubscribeURL" is not an address of Amazon SNS, so it was not fetched')
    const answer = await (options.fetch ?? fetch)(url, { redirect: 'error', signal })
    await answer.body?.cancel()
    if (answer.ok) {
      log.info({ topic }, 'subscription confirmed')
      return
    }
    const what = `Amazon SNS answered ${answer.status} to the confirmation of the subscription to ${topic}`
    if (answer.status === 400 || answer.status === 404)
      throw new PermanentError(`${what}: the token is no longer valid; subscribe the endpoint again`)
    throw new Error(what)
  }
}

function isSnsHost(host: string): boolean {
  return /^sns\.[a-z0-9-]{3,40}\.amazonaws\.com(?:\.cn)?$/.test(host)
}

/** @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET */
function checkTopics(topics: readonly string[]): void {
  checkSecrets(topics)
  const wrong = topics.findIndex((topic) => !/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]{1,256}$/.test(topic))
  if (wrong === -1) return
  throw new RiverhookError(
    'RIVERHOOK_SOURCE_SECRET',
    `Signing secret number ${wrong + 1} is not the ARN of a topic of Amazon SNS, such as arn:aws:sns:eu-west-1:123456789012:orders`
  )
}

async function verify(
  certificates: Certificates,
  topics: readonly string[],
  { body }: SourceRequest,
  now: Date,
  toleranceMs: number
): Promise<Verdict> {
  const message = signedMessage(body)
  if (typeof message === 'string') return { ok: false, reason: 'malformed_header', detail: message }
  const { text, topic, timestamp, signature, algorithm, address } = message
  const at = readTime(timestamp)
  const refused = (detail: string): Verdict => ({ ok: false, reason: 'no_match', detail, signedAt: at })
  // Check the topic before the certificate is fetched: a sender that does not know it must not cause a fetch.
  const secret = topics.map((each) => isEqual(each, topic)).indexOf(true) + 1
  if (secret === 0) return refused(`the message is of another topic than the ${topics.length} configured`)
  const found = await certificates.keyAt(address, now)
  if (!found.ok) return refused(found.detail)
  if (!isSignatureOf(algorithm, Buffer.from(text), found.key, Buffer.from(signature, 'base64')))
    return refused('the signature does not match the message')
  return judgeTime(secret, timestamp, at, now, toleranceMs)
}

interface SignedMessage {
  readonly text: string
  readonly topic: string
  readonly timestamp: string
  readonly signature: string
  readonly algorithm: 'RSA-SHA1' | 'RSA-SHA256'
  readonly address: string
}

/** Reads the signed parts of a body. @returns a sentence for the log, if it holds no signed message */
function signedMessage(body: Uint8Array): SignedMessage | string {
  const parsed = parseJson(body)
  if (!parsed.ok || !isPlainObject(parsed.value))
    return 'the body is not a message of Amazon SNS (is raw message delivery on?)'
  const message = parsed.value
  const { Type: type, TopicArn: topic, Timestamp: timestamp, SignatureVersion: version } = message
  const { Signature: signature, SigningCertURL: address } = message
  const isNotification = type === 'Notification'
  const names = isNotification
    ? ['Message', 'MessageId', ...('Subject' in message ? ['Subject'] : []), 'Timestamp', 'TopicArn', 'Type']
    : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']
  if (!isNotification && !snsTypes.some((known) => known === type)) return 'the "Type" of the message is unknown'
  // A line break would make one signature valid for several messages. Only the published text may hold one.
  const wrong = names.find((name) => {
    const value = message[name]
    return typeof value !== 'string' || (name !== 'Message' && value.includes('\n'))
  })
  if (wrong !== undefined)
    return `the signed field "${wrong}" of the message is missing, is not a text, or has a line break`
  if (version !== '1' && version !== '2') return 'the "SignatureVersion" of the message is neither 1 nor 2'
  if (
    typeof signature !== 'string' ||
    !/^[A-Za-z0-9+/]{300,1400}={0,2}$/.test(signature) ||
    typeof address !== 'string'
  )
    return 'the message lacks "Signature" in Base64, or "SigningCertURL"'
  return {
    text: names.map((name) => `${name}\n${String(message[name])}\n`).join(''),
    topic: topic as string,
    timestamp: timestamp as string,
    signature,
    algorithm: version === '1' ? 'RSA-SHA1' : 'RSA-SHA256',
    address
  }
}

function readTime(text: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(text)) return undefined
  const at = new Date(text)
  return Number.isNaN(at.getTime()) ? undefined : at
}

function isEqual(one: string, other: string): boolean {
  const [left, right] = [one, other].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(left as Buffer, right as Buffer)
}

function read({ body }: SourceRequest): Reading<SnsEvent> {
  const parsed = parseJson(body)
  if (!parsed.ok) return parsed
  const message = parsed.value
  if (!isPlainObject(message)) return bad('The body must be a JSON object')
  const { MessageId: id, Type: type, Timestamp: createdTime } = message
  if (typeof id !== 'string' || id === '') return bad('The message lacks the field "MessageId"')
  if (typeof type !== 'string' || type === '') return bad('The message lacks the field "Type"')
  return {
    ok: true,
    event: {
      id,
      type: type as SnsEvent['type'],
      ...(typeof createdTime === 'string' && createdTime !== '' ? { createdTime } : {}),
      payload: message as unknown as SnsMessage
    }
  }
}

/** Without its signature: only Amazon has the key. */
function sample({ type = 'Notification', id, at }: SampleInput): object {
  const confirmation = {
    Token: 'sample',
    SubscribeURL: 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription'
  }
  return {
    Type: type,
    MessageId: id,
    TopicArn: 'arn:aws:sns:eu-west-1:123456789012:sample',
    Message: 'A sample',
    Timestamp: at.toISOString(),
    ...(type === 'Notification' ? {} : confirmation)
  }
}

function bad(message: string): Extract<Reading, { ok: false }> {
  return { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', message }
}
