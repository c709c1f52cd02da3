import { createHash, timingSafeEqual } from 'node:crypto'

import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import { checkAgainst, isPlainObject, isText } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import { parseExactJson } from './exact-json.ts'
import type { JsonObject } from './hmac/hmac-options.ts'
import { hmacSource } from './hmac/hmac-source.ts'
import type { HmacSource } from './hmac/signed-source.ts'
import type { Answer, IncomingRequest, SampleInput, SourceRequest } from './source.ts'

/** One change, or one message of Messenger or Instagram. */
export interface MetaEvent extends AnyEvent {
  /** The object and the field: `whatsapp_business_account.messages`, `page.feed`, `instagram.messaging`. */
  readonly type: string
  /** The object of the request, such as `whatsapp_business_account`. */
  readonly object: string
  /** The id of the entry: the page, the user or the business account. */
  readonly account?: string
  /** The `value` of a change, as `{ value }` unless it is an object; or the item of `messaging` or `standby`. */
  readonly payload: JsonObject
}

/** Meta, with the place of the payload. */
export type MetaSource<E extends MetaEvent = MetaEvent> = HmacSource<E> & { readonly payloadPath: readonly ['payload'] }

/** See `meta`. */
export interface MetaOptions {
  /** The name of the source, stored with every event. Default: `meta`. */
  readonly name?: string | undefined
  /**
   * The text that you enter as *verify token* in the App Dashboard. Default: the environment variable
   * `META_VERIFY_TOKEN`. Without either, every check of the endpoint is refused.
   */
  readonly verifyToken?: string | undefined
}

/**
 * Meta: WhatsApp, Messenger, Instagram, pages and the other objects of the Graph API.
 *
 * - **Verified**: HMAC-SHA256 over the body, in the header `X-Hub-Signature-256`, keyed with the text of the app
 *   secret. The older `X-Hub-Signature` (SHA-1) is not accepted.
 * - **Not signed**: other headers, and any time. A captured request can be replayed, as a duplicate.
 * - **Handshake**: a GET with `hub.mode=subscribe` and the right `hub.verify_token` is answered with its
 *   `hub.challenge`; one with a wrong token 403. It is the only request that is not signed.
 * - **Batches**: a request holds up to 1,000 updates. Each item of `entry[].changes`, `messaging` and `standby` is an
 *   event; so is an entry without any of them.
 * - **Duplicates**: Meta sends no id. The id is the SHA-256 of the item with its object and its entry. It includes the
 *   entry's `time`, except for `messaging` and `standby`, whose items have a time themselves. Meta documents `time` as
 *   when the request was sent: if a retry has another one, it is another event. Where that matters, compare the
 *   payload's own id, such as `wamid` or `mid`.
 * - **Limits**: retried for up to 36 hours, for WhatsApp 7 days; WhatsApp sends up to 3 MB. Messenger waits 20 s for an
 *   answer of 200; the others do not document it.
 *
 * The event is `{ id, type, createdTime, object, account, payload }`.
 *
 * Facts: https://developers.facebook.com/docs/graph-api/webhooks/getting-started,
 * https://developers.facebook.com/docs/whatsapp/cloud-api/guides/set-up-webhooks,
 * https://developers.facebook.com/docs/messenger-platform/webhooks and
 * https://developers.facebook.com/docs/messenger-platform/faq
 * @typeParam E the union of your events, which types the handlers
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option
 */
export function meta<E extends MetaEvent = MetaEvent>(options: MetaOptions = {}): MetaSource<E> {
  checkAgainst({ name: isText, verifyToken: isText }, options, 'meta')
  const { name = 'meta', verifyToken } = options
  const source = name === 'meta' && verifyToken === undefined ? byDefault : describe(name, verifyToken)
  return source as unknown as MetaSource<E>
}

/** The contents of a message of WhatsApp. */
const contents = [
  ...['text', 'image', 'audio', 'video', 'document', 'sticker', 'location', 'contacts', 'interactive', 'button'],
  ...['order', 'reaction', 'system', 'referral', 'context']
]
/** The numbers of WhatsApp's users, names, and the texts of messages and posts. */
const personal = [
  ...['messages.from', 'statuses.recipient_id', 'contacts', 'wa_id', 'from.name', 'sender_name'],
  ...contents.map((content) => `messages.${content}`),
  ...['message.text', 'message.attachments', 'message.quick_reply', 'postback'],
  ...['changes.value.message', 'changes.value.link', 'changes.value.photo']
].map((path) => `**.${path}`)

const describe = (name: string, verifyToken?: string): MetaSource =>
  hmacSource<MetaEvent, readonly ['payload']>({
    name,
    header: 'X-Hub-Signature-256',
    prefix: 'sha256=',
    id: 'digest',
    type: (body) => itemIn(body)?.type,
    createdTime: (body) => itemIn(body)?.at,
    payloadPath: ['payload'],
    event: (body, { headers: _headers, ...found }) => {
      const { object, account, payload } = itemIn(body) as Item
      return { ...found, object, ...(account === undefined ? {} : { account }), payload }
    },
    keys: [
      'payload.messages',
      'payload.messages.from',
      'payload.statuses',
      'payload.statuses.recipient_id',
      'payload.message.mid',
      'payload.sender',
      'payload.recipient',
      'payload.post_id',
      'payload.comment_id',
      'payload.leadgen_id',
      'account'
    ],
    redact: [...usualPersonalPaths, ...personal],
    methods: ['GET'],
    greet: (request) => greet(request, verifyToken ?? process.env['META_VERIFY_TOKEN']),
    split,
    answer: () => ({ status: 200 }),
    sample,
    limits: { answerMs: 20_000, retryMs: 7 * 86_400_000, bodyBytes: 3_145_728 },
    secretSteps: 'it is the app secret, in the App Dashboard under App settings > Basic'
  })

function greet({ method, url }: IncomingRequest, token: string | undefined): Answer | undefined {
  if (method !== 'GET') return undefined
  const question = url.indexOf('?')
  const query = new URLSearchParams(question === -1 ? '' : url.slice(question + 1))
  const challenge = query.get('hub.challenge') ?? ''
  const isRight = token !== undefined && isSame(query.get('hub.verify_token') ?? '', token)
  return isRight && query.get('hub.mode') === 'subscribe' && challenge !== '' && challenge.length <= 1_024
    ? { status: 200, body: challenge }
    : { status: 403, body: 'The verify token is wrong' }
}

/** Compares in constant time, whatever the lengths. */
function isSame(given: string, token: string): boolean {
  const [left, right] = [given, token].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer]
  return timingSafeEqual(left, right)
}

/** The lists of an entry whose items are events. */
const lists = ['changes', 'messaging', 'standby'] as const

/** One part for each item, as a request that holds it alone. A body of another form is left for `read` to judge. */
function split(request: IncomingRequest): readonly SourceRequest[] {
  const body = parseExactJson(request.body)
  if (!isPlainObject(body) || !Array.isArray(body['entry'])) return [request]
  const { object, entry: entries } = body
  return (entries as readonly unknown[]).flatMap(singles).map((entry) => ({
    headers: {},
    body: Buffer.from(JSON.stringify({ object, entry: [entry] }))
  }))
}

/** An entry once for each of its items. */
function singles(entry: unknown): readonly unknown[] {
  if (!isPlainObject(entry)) return [entry]
  const { id, time } = entry
  const found = lists.flatMap((list) => {
    const items: unknown = entry[list]
    if (!Array.isArray(items)) return []
    // `time` is that of the request, so a retry may change it. Keep it only for a change, which may have no other time.
    return items.map((item: unknown) => ({ id, ...(list === 'changes' ? { time } : {}), [list]: [item] }))
  })
  return found.length === 0 ? [entry] : found
}

/** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for a type that no event of Meta has */
function sample({ type = 'whatsapp_business_account.messages', id, at }: SampleInput): object {
  const [, object, field] = /^([^.]+)\.(.+)$/s.exec(type) ?? []
  if (object === undefined || field === undefined)
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `The type "${type}" is none of Meta: write the object and the field, such as page.feed`
    )
  const entry = { id, time: Math.floor(at.getTime() / 1_000) }
  const isMessage = field === 'messaging' || field === 'standby'
  const items = isMessage
    ? { [field]: [{ sender: { id: 'sample-user' }, recipient: { id }, timestamp: at.getTime() }] }
    : { changes: [{ field, value: {} }] }
  return { object, entry: [field === 'entry' ? entry : { ...entry, ...items }] }
}

interface Item {
  readonly type: string
  readonly object: string
  readonly account: string | undefined
  readonly at: string | undefined
  readonly payload: JsonObject
}

/** The only item of a part; undefined if there is none or more than one. */
function itemIn({ object, entry: entries }: JsonObject): Item | undefined {
  if (typeof object !== 'string' || object === '' || !Array.isArray(entries) || entries.length !== 1) return undefined
  const [entry] = entries as readonly unknown[]
  if (!isPlainObject(entry)) return undefined
  const { id, time } = entry
  const account = typeof id === 'string' ? id : typeof id === 'number' ? String(id) : undefined
  const items = lists.flatMap((list) => {
    const found: unknown = entry[list]
    return Array.isArray(found) ? found.map((item: unknown) => [list, item] as const) : []
  })
  const [first, second] = items
  if (second !== undefined) return undefined
  if (first === undefined) return { type: `${object}.entry`, object, account, at: isoOf(time), payload: entry }
  const [list, item] = first
  if (!isPlainObject(item)) return undefined
  if (list !== 'changes')
    return { type: `${object}.${list}`, object, account, at: isoOf(item['timestamp']), payload: item }
  const { field, value } = item
  if (typeof field !== 'string' || field === '') return undefined
  const payload = isPlainObject(value) ? value : { value }
  return { type: `${object}.${field}`, object, account, at: isoOf(time), payload }
}

/** Seconds, or milliseconds from 10^11 on. */
function isoOf(time: unknown): string | undefined {
  if (typeof time !== 'number') return undefined
  const at = new Date(time < 1e11 ? time * 1_000 : time)
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString()
}

const byDefault = describe('meta')
