import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'

import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import { checkAgainst, isText } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import { parseExactJson } from './exact-json.ts'
import { signedSource, type HmacSource } from './hmac/signed-source.ts'
import { UnusableSecret, type Key, type Pieces, type Scheme, type SignatureKind } from './hmac/scheme.ts'
import type { IncomingRequest, SourceRequest } from './source.ts'

/** The events of the Event Webhook: deliveries, engagement, and changes of the account. */
export const sendGridTypes = [
  'processed',
  'dropped',
  'delivered',
  'deferred',
  'bounce',
  'open',
  'click',
  'spamreport',
  'unsubscribe',
  'group_unsubscribe',
  'group_resubscribe',
  'account_status_change'
] as const

/** An event as SendGrid writes it. Fields that it adds to some types, and your own arguments, are there as well. */
export interface SendGridPayload {
  readonly event: string
  readonly email?: string
  /** Seconds since 1970. */
  readonly timestamp?: number
  readonly sg_event_id?: string
  readonly sg_message_id?: string
  readonly [field: string]: unknown
}

export interface SendGridEvent extends AnyEvent {
  readonly type: (typeof sendGridTypes)[number]
  readonly payload: SendGridPayload
}

/** The answers of mail servers quote the address. A link may be for one recipient alone. */
const personal = ['to', 'from', 'subject', 'reason', 'response', 'url', 'smtp-id'].map((path) => `**.${path}`)

export interface SendGridOptions {
  /** The name of the source, stored with every event. Default: `sendgrid`. */
  readonly name?: string | undefined
}

/**
 * The signed Event Webhook of Twilio SendGrid.
 *
 * - **Verified**: ECDSA with P-256 and SHA-256 over the header `X-Twilio-Email-Event-Webhook-Timestamp` and the exact
 *   body, so ids, types and times of the events are authentic.
 * - **Secret**: the verification key of the dashboard, a public key in Base64. `sign` takes a private key, PKCS #8 in
 *   Base64.
 * - **Batches**: a request holds a list of events. Each is stored, handled and retried separately.
 * - **Duplicates**: SendGrid documents that they occur. `sg_event_id` is the same in each. An event without one has an
 *   id made from its content.
 * - **Limits**: retried for 24 hours until the answer is 2xx. It is not documented whether a retry has a new signed
 *   time, so the default `tolerance` is 24 hours too; `retention` is longer, so a replay within it is a duplicate. How
 *   long SendGrid waits for an answer is not documented.
 *
 * The event is `{ id, type, createdTime, payload }`; `payload` is the entry of the list.
 *
 * Facts:
 * https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features,
 * https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event,
 * https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/troubleshooting and
 * https://github.com/sendgrid/sendgrid-nodejs/tree/main/packages/eventwebhook
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names every option that is wrong
 */
export function sendGrid(options: SendGridOptions = {}): HmacSource<SendGridEvent> {
  checkAgainst({ name: isText }, options, 'sendGrid')
  return signedSource<SendGridEvent>(
    {
      name: options.name ?? 'sendgrid',
      types: sendGridTypes,
      header: 'X-Twilio-Email-Event-Webhook-Signature',
      timestampHeader: 'X-Twilio-Email-Event-Webhook-Timestamp',
      signed: '{timestamp}{body}',
      id: (body) => (isFilled(body['sg_event_id']) ? body['sg_event_id'] : digestOf(body)),
      type: { field: 'event' },
      createdTime: { field: 'timestamp' },
      keys: ['payload.email', 'payload.sg_message_id', 'payload.smtp-id'],
      redact: [...usualPersonalPaths, ...personal],
      split,
      sample: ({ type = 'delivered', id, at }) => [
        {
          event: type,
          email: 'ada@example.com',
          timestamp: Math.floor(at.getTime() / 1_000),
          sg_event_id: id,
          sg_message_id: `message-of-${id}`
        }
      ],
      limits: { retryMs: 86_400_000 },
      tolerance: '24h'
    },
    scheme
  )
}

/** One part for each event of the list. A body that is no list is left for `read` to judge. */
function split(request: IncomingRequest): readonly SourceRequest[] {
  const list = parseExactJson(request.body)
  if (!Array.isArray(list)) return [request]
  return list.map((event: unknown) => ({ headers: {}, body: Buffer.from(JSON.stringify(event)) }))
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function digestOf(body: object): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex')
}

/** In Base64: a pair of numbers of at most 33 bytes each, in ASN.1. */
const kind: SignatureKind = { prefix: '', pattern: /^[A-Za-z0-9+/]{80,96}={0,2}$/, most: 1 }

const scheme: Scheme = {
  expected: '<ECDSA in base64>',
  kinds: [kind],
  keyOf(secret) {
    const der = Buffer.from(secret, 'base64')
    const pair = /^[A-Za-z0-9+/\s]+=*$/.test(secret) ? readKey(der) : undefined
    if (pair?.public.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
      throw new UnusableSecret(
        'is not a public key of P-256 in Base64: copy the verification key whole from the settings of the Event Webhook'
      )
    return keyOfPair(pair)
  }
}

interface Pair {
  readonly public: KeyObject
  readonly private?: KeyObject
}

function readKey(der: Buffer): Pair | undefined {
  try {
    return { public: createPublicKey({ key: der, format: 'der', type: 'spki' }) }
  } catch {
    // Not a public key. It may be a private one, for sign().
  }
  try {
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    return { public: createPublicKey(key), private: key }
  } catch {
    return undefined
  }
}

function keyOfPair(pair: Pair): Key {
  return {
    kind,
    matches: (pieces, signatures) =>
      signatures.some((signature) => verify('sha256', joined(pieces), pair.public, Buffer.from(signature, 'base64'))),
    sign(pieces) {
      if (pair.private === undefined)
        throw new RiverhookError(
          'RIVERHOOK_SOURCE_SECRET',
          'A public key cannot sign: give sign() the private key of a test, PKCS #8 in Base64'
        )
      return sign('sha256', joined(pieces), pair.private).toString('base64')
    }
  }
}

function joined(pieces: Pieces): Buffer {
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
}
