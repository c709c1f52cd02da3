import { timingSafeEqual } from 'node:crypto'

import { checkSecrets } from '../model/check-secrets.ts'
import { RiverhookError } from '../model/errors.ts'
import { Hmac } from '../model/hmac.ts'
import type { AnyEvent } from '../model/event.ts'
import { checkAgainst, isPlainObject, isText } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import { valuesAt } from '../model/values-at.ts'
import { parseExactJson } from './exact-json.ts'
import { parseJson } from './parse-json.ts'
import type { IncomingRequest, Reading, SampleInput, Source, SourceRequest, Verdict } from './source.ts'

/** The event codes that Adyen's library knows. */
export const adyenTypes = [
  'AUTHORISATION',
  'AUTHORISATION_ADJUSTMENT',
  'AUTORESCUE',
  'CANCELLATION',
  'CANCEL_AUTORESCUE',
  'CANCEL_OR_REFUND',
  'CAPTURE',
  'CAPTURE_FAILED',
  'CHARGEBACK',
  'CHARGEBACK_REVERSED',
  'DISPUTE_DEFENSE_PERIOD_ENDED',
  'DONATION',
  'EXPIRE',
  'HANDLED_EXTERNALLY',
  'INFORMATION_SUPPLIED',
  'ISSUER_COMMENTS',
  'ISSUER_RESPONSE_TIMEFRAME_EXPIRED',
  'MANUAL_REVIEW_ACCEPT',
  'MANUAL_REVIEW_REJECT',
  'NOTIFICATION_OF_CHARGEBACK',
  'NOTIFICATION_OF_FRAUD',
  'OFFER_CLOSED',
  'ORDER_CLOSED',
  'ORDER_OPENED',
  'PAIDOUT_REVERSED',
  'PAYOUT_DECLINE',
  'PAYOUT_EXPIRE',
  'PAYOUT_THIRDPARTY',
  'PENDING',
  'POSTPONED_REFUND',
  'PREARBITRATION_LOST',
  'PREARBITRATION_WON',
  'PROCESS_RETRY',
  'RECURRING_CONTRACT',
  'REFUND',
  'REFUNDED_REVERSED',
  'REFUND_FAILED',
  'REFUND_WITH_DATA',
  'REPORT_AVAILABLE',
  'REQUEST_FOR_INFORMATION',
  'SECOND_CHARGEBACK',
  'TECHNICAL_CANCEL',
  'VOID_PENDING_REFUND'
] as const

/** Adyen's `NotificationRequestItem`. Only the fields marked "signed" are authentic. */
export interface AdyenItem {
  /** Signed. */
  readonly pspReference: string
  /** Signed. */
  readonly originalReference?: string | null
  /** Signed. */
  readonly merchantAccountCode?: string
  /** Signed. */
  readonly merchantReference?: string
  /** Signed. In minor units. */
  readonly amount?: { readonly value?: number; readonly currency?: string }
  /** Signed. */
  readonly eventCode: string
  /** Signed. */
  readonly success: 'true' | 'false' | boolean
  readonly eventDate?: string
  readonly paymentMethod?: string
  readonly reason?: string
  readonly operations?: readonly string[]
  readonly additionalData?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

export interface AdyenEvent extends AnyEvent {
  readonly type: (typeof adyenTypes)[number]
  readonly payload: AdyenItem
}

/**
 * Where `additionalData` names the shopper beside the usual names: `billingAddress.street` is one name there. The
 * reason of an authorisation has the last digits of the card.
 */
const personal = [
  ...['shopperName*', 'shopperIP', 'shopper*Name', 'ownerName', 'bankAccount*', 'cardSummary', 'paypalPayer*', 'reason']
].map((path) => `**.${path}`)

export interface AdyenOptions {
  /** The name of the source, stored with every event. Default: `adyen`. */
  readonly name?: string | undefined
}

export type AdyenSource = Source<AdyenEvent> & { readonly payloadPath: readonly ['payload'] }

/**
 * Adyen's standard webhooks (payments), as JSON.
 *
 * - **Verified**: in each item, HMAC-SHA256 over eight fields: `pspReference`, `originalReference`,
 *   `merchantAccountCode`, `merchantReference`, the amount's value and currency, `eventCode` and `success`. If one item
 *   of a request is not authentic, the whole request is refused.
 * - **Not signed**: all other fields, such as `eventDate`, `reason`, `additionalData` and `live`. No time is signed, so
 *   a captured request can be replayed, with other values there, but only as a duplicate.
 * - **Secret**: the HMAC key of the Customer Area, in hexadecimal.
 * - **Duplicates**: by Adyen's documentation they have the same `eventCode` and `pspReference`; other fields may
 *   differ. The id is made of both and `success`: an authorisation that failed and then succeeded is two events.
 * - **Answer**: 200 and `[accepted]`, which older webhooks require; for newer ones, any 2xx is enough.
 * - **Limits**: Adyen waits 10 s, and retries for up to 30 days. So `retention` must be at least `721h`.
 *
 * The event is `{ id, type, createdTime, liveMode, payload }`; `payload` is the item. There is no `sign`, because the
 * signature is in the body. Adyen's other webhooks (platforms, management) sign the body in a header: describe those
 * with `hmacSource`.
 *
 * Facts: https://docs.adyen.com/development-resources/webhooks/handle-webhook-events,
 * https://docs.adyen.com/development-resources/webhooks/troubleshoot and
 * https://github.com/Adyen/adyen-node-api-library/blob/main/src/utils/hmacValidator.ts
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names every option that is wrong
 */
export function adyen(options: AdyenOptions = {}): AdyenSource {
  checkAgainst({ name: isText }, options, 'adyen')
  return Object.freeze<AdyenSource>({
    name: options.name ?? 'adyen',
    types: adyenTypes,
    payloadPath: ['payload'],
    limits: { answerMs: 10_000, retryMs: 30 * 86_400_000 },
    verifier,
    split,
    read,
    sample,
    keysOf: valuesAt([
      'payload.pspReference',
      'payload.originalReference',
      'payload.merchantReference',
      'payload.additionalData.shopperReference',
      'payload.additionalData.shopperEmail'
    ]),
    redact: [...usualPersonalPaths, ...personal],
    answer: () => ({ status: 200, body: '[accepted]' })
  })
}

/** A signed item, and what is signed. */
interface SignedItem {
  readonly text: string
  readonly signature: string
}

function verifier(secrets: readonly string[]): { verify(request: SourceRequest): Verdict } {
  checkSecrets(secrets)
  const keys = secrets.map((secret, index) => {
    if (/^(?:[0-9A-Fa-f]{2}){16,128}$/.test(secret) && /[^0]/.test(secret))
      return new Hmac('sha256', Buffer.from(secret, 'hex'))
    throw new RiverhookError(
      'RIVERHOOK_SOURCE_SECRET',
      `Signing secret number ${index + 1} is not an HMAC key of Adyen: copy the hexadecimal key whole from the Customer Area`
    )
  })
  return {
    verify(request) {
      const parsed = parseJson(request.body)
      const items = parsed.ok ? itemsIn(parsed.value) : undefined
      if (items === undefined || items.length === 0)
        return { ok: false, reason: 'no_header', detail: 'the body has no list "notificationItems" with signed items' }
      const signed = items.map(signedItem)
      const wrong = signed.findIndex((item) => item === undefined)
      if (wrong !== -1)
        return {
          ok: false,
          reason: 'malformed_header',
          detail: `item ${wrong + 1} of ${items.length} has no signature "additionalData.hmacSignature", or a signed field of another type`
        }
      // Try all keys for all items even after a match, so that the time it takes reveals nothing.
      const positions = signed.map((item) => keys.map((key) => isSigned(item as SignedItem, key)).indexOf(true) + 1)
      const unmatched = positions.indexOf(0)
      if (unmatched === -1) return { ok: true, secret: positions[0] as number }
      const detail = `no secret matched item ${unmatched + 1} of ${items.length} (${keys.length} configured)`
      return { ok: false, reason: 'no_match', detail }
    }
  }
}

function isSigned({ text, signature }: SignedItem, key: Hmac): boolean {
  return timingSafeEqual(Buffer.from(key.of([text], 'base64')), Buffer.from(signature))
}

/**
 * The signed text of an item, or undefined if it cannot be signed. Only `merchantReference` may hold the colon that
 * separates the fields: otherwise one signature would fit several items.
 */
function signedItem(item: unknown): SignedItem | undefined {
  if (!isPlainObject(item)) return undefined
  const { pspReference, originalReference, merchantAccountCode, merchantReference, eventCode, success } = item
  const amount = isPlainObject(item['amount']) ? item['amount'] : {}
  const before = [pspReference, originalReference, merchantAccountCode].map(plainText)
  const after = [amount['value'], amount['currency'], eventCode, success].map(plainText)
  const reference = text(merchantReference)
  const fields = [...before, reference, ...after]
  const signature = isPlainObject(item['additionalData']) ? item['additionalData']['hmacSignature'] : undefined
  // 32 bytes in Base64.
  if (typeof signature !== 'string' || !/^[A-Za-z0-9+/]{43}=$/.test(signature)) return undefined
  return fields.includes(undefined) ? undefined : { text: fields.join(':'), signature }
}

function plainText(value: unknown): string | undefined {
  const found = text(value)
  return found?.includes(':') === true ? undefined : found
}

/** A value in the form in which it is signed; undefined for a value that cannot be signed. */
function text(value: unknown): string | undefined {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined
}

function itemsIn(body: unknown): readonly unknown[] | undefined {
  const list: unknown = isPlainObject(body) ? body['notificationItems'] : undefined
  if (!Array.isArray(list)) return undefined
  return list.map((entry: unknown) => (isPlainObject(entry) ? entry['NotificationRequestItem'] : undefined))
}

/** One part for each item. A request of one item stays as it is. */
function split(request: IncomingRequest): readonly SourceRequest[] {
  const body = parseExactJson(request.body)
  const { live, notificationItems: items } = isPlainObject(body) ? body : {}
  if (!Array.isArray(items) || items.length < 2) return [request]
  return items.map((entry: unknown) => ({
    headers: {},
    body: Buffer.from(JSON.stringify({ live, notificationItems: [entry] }))
  }))
}

function read({ body }: SourceRequest): Reading<AdyenEvent> {
  const parsed = parseJson(body)
  if (!parsed.ok) return parsed
  const [item, second] = itemsIn(parsed.value) ?? []
  if (!isPlainObject(item) || second !== undefined)
    return bad('The body must have a list "notificationItems" of one "NotificationRequestItem"')
  const { pspReference, eventCode, success, eventDate } = item
  if (typeof pspReference !== 'string' || pspReference === '') return bad('The item lacks the field "pspReference"')
  if (typeof eventCode !== 'string' || eventCode === '') return bad('The item lacks the field "eventCode"')
  if (!['true', 'false'].includes(String(success))) return bad('The item\'s field "success" must be true or false')
  const { live } = parsed.value as Readonly<Record<string, unknown>>
  return {
    ok: true,
    event: {
      id: `${pspReference}:${eventCode}:${String(success)}`,
      type: eventCode as AdyenEvent['type'],
      ...(typeof eventDate === 'string' && eventDate !== '' ? { createdTime: eventDate } : {}),
      ...(live === 'true' || live === true ? { liveMode: true } : {}),
      ...(live === 'false' || live === false ? { liveMode: false } : {}),
      payload: item as unknown as AdyenItem
    }
  }
}

/** Without its signature, which would be in the body. */
function sample({ type = 'AUTHORISATION', id, at, liveMode }: SampleInput): object {
  const item = {
    pspReference: id,
    merchantAccountCode: 'SampleMerchant',
    merchantReference: 'sample',
    amount: { value: 1_000, currency: 'EUR' },
    eventCode: type,
    success: 'true',
    eventDate: at.toISOString()
  }
  return { live: String(liveMode), notificationItems: [{ NotificationRequestItem: item }] }
}

function bad(message: string): Extract<Reading, { ok: false }> {
  return { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', message }
}
