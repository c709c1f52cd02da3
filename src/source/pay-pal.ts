import { verify as isSignatureOf } from 'node:crypto'
import { crc32 } from 'node:zlib'

import { checkSecrets } from '../model/check-secrets.ts'
import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent, CustomEventType } from '../model/event.ts'
import { checkAgainst, isBoolean, isFunction, isText } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import { valuesAt } from '../model/values-at.ts'
import { Certificates } from './certificates.ts'
import type { JsonObject } from './hmac/hmac-options.ts'
import { headersReader, type SignedHeaders } from './hmac/read-header.ts'
import { reader } from './hmac/read.ts'
import type { SignatureKind } from './hmac/scheme.ts'
import { makePrecheck } from './hmac/verify.ts'
import { judgeTime } from './judge-time.ts'
import type { Source, SourceRequest, Verdict } from './source.ts'

/** The event types that PayPal's page "Webhook event names" lists, or listed before. */
const types = [
  'BILLING.PLAN.ACTIVATED',
  'BILLING.PLAN.CREATED',
  'BILLING.PLAN.DEACTIVATED',
  'BILLING.PLAN.PRICING-CHANGE.ACTIVATED',
  'BILLING.PLAN.UPDATED',
  'BILLING.SUBSCRIPTION.ACTIVATED',
  'BILLING.SUBSCRIPTION.CANCELLED',
  'BILLING.SUBSCRIPTION.CREATED',
  'BILLING.SUBSCRIPTION.EXPIRED',
  'BILLING.SUBSCRIPTION.PAYMENT.FAILED',
  'BILLING.SUBSCRIPTION.RE-ACTIVATED',
  'BILLING.SUBSCRIPTION.SUSPENDED',
  'BILLING.SUBSCRIPTION.UPDATED',
  'BILLING_AGREEMENTS.AGREEMENT.CANCELLED',
  'BILLING_AGREEMENTS.AGREEMENT.CREATED',
  'CATALOG.PRODUCT.CREATED',
  'CATALOG.PRODUCT.UPDATED',
  'CHECKOUT.CHECKOUT.BUYER-APPROVED',
  'CHECKOUT.ORDER.APPROVED',
  'CHECKOUT.ORDER.COMPLETED',
  'CHECKOUT.ORDER.PROCESSED',
  'CHECKOUT.PAYMENT-APPROVAL.REVERSED',
  'CUSTOMER.ACCOUNT-LIMITATION.ADDED',
  'CUSTOMER.ACCOUNT-LIMITATION.ESCALATED',
  'CUSTOMER.ACCOUNT-LIMITATION.LIFTED',
  'CUSTOMER.ACCOUNT-LIMITATION.UPDATED',
  'CUSTOMER.DISPUTE.CREATED',
  'CUSTOMER.DISPUTE.RESOLVED',
  'CUSTOMER.DISPUTE.UPDATED',
  'CUSTOMER.MANAGED-ACCOUNT.ACCOUNT-CREATED',
  'CUSTOMER.MANAGED-ACCOUNT.ACCOUNT-STATUS-CHANGED',
  'CUSTOMER.MANAGED-ACCOUNT.ACCOUNT-UPDATED',
  'CUSTOMER.MANAGED-ACCOUNT.CREATION-FAILED',
  'CUSTOMER.MANAGED-ACCOUNT.NEGATIVE-BALANCE-DEBIT-INITIATED',
  'CUSTOMER.MANAGED-ACCOUNT.NEGATIVE-BALANCE-NOTIFIED',
  'CUSTOMER.MANAGED-ACCOUNT.RISK-ASSESSED',
  'CUSTOMER.MERCHANT-INTEGRATION.CAPABILITY-UPDATED',
  'CUSTOMER.MERCHANT-INTEGRATION.PRODUCT-SUBSCRIPTION-UPDATED',
  'CUSTOMER.MERCHANT-INTEGRATION.SELLER-ALREADY-INTEGRATED',
  'CUSTOMER.MERCHANT-INTEGRATION.SELLER-CONSENT-GRANTED',
  'CUSTOMER.MERCHANT-INTEGRATION.SELLER-EMAIL-CONFIRMED',
  'CUSTOMER.MERCHANT-INTEGRATION.SELLER-ONBOARDING-INITIATED',
  'IDENTITY.AUTHORIZATION-CONSENT.REVOKED',
  'INVOICING.INVOICE.CANCELLED',
  'INVOICING.INVOICE.CREATED',
  'INVOICING.INVOICE.PAID',
  'INVOICING.INVOICE.REFUNDED',
  'INVOICING.INVOICE.SCHEDULED',
  'INVOICING.INVOICE.UPDATED',
  'MERCHANT.ONBOARDING.COMPLETED',
  'MERCHANT.PARTNER-CONSENT.REVOKED',
  'PAYMENT.AUTHORIZATION.CREATED',
  'PAYMENT.AUTHORIZATION.VOIDED',
  'PAYMENT.CAPTURE.COMPLETED',
  'PAYMENT.CAPTURE.DECLINED',
  'PAYMENT.CAPTURE.DENIED',
  'PAYMENT.CAPTURE.PENDING',
  'PAYMENT.CAPTURE.REFUNDED',
  'PAYMENT.CAPTURE.REVERSED',
  'PAYMENT.ORDER.CANCELLED',
  'PAYMENT.ORDER.CREATED',
  'PAYMENT.PAYOUTS-ITEM.BLOCKED',
  'PAYMENT.PAYOUTS-ITEM.CANCELED',
  'PAYMENT.PAYOUTS-ITEM.DENIED',
  'PAYMENT.PAYOUTS-ITEM.FAILED',
  'PAYMENT.PAYOUTS-ITEM.HELD',
  'PAYMENT.PAYOUTS-ITEM.REFUNDED',
  'PAYMENT.PAYOUTS-ITEM.RETURNED',
  'PAYMENT.PAYOUTS-ITEM.SUCCEEDED',
  'PAYMENT.PAYOUTS-ITEM.UNCLAIMED',
  'PAYMENT.PAYOUTSBATCH.DENIED',
  'PAYMENT.PAYOUTSBATCH.PROCESSING',
  'PAYMENT.PAYOUTSBATCH.SUCCESS',
  'PAYMENT.REFERENCED-PAYOUT-ITEM.COMPLETED',
  'PAYMENT.REFERENCED-PAYOUT-ITEM.FAILED',
  'PAYMENT.REFUND.FAILED',
  'PAYMENT.REFUND.PENDING',
  'PAYMENT.SALE.COMPLETED',
  'PAYMENT.SALE.DENIED',
  'PAYMENT.SALE.PENDING',
  'PAYMENT.SALE.REFUNDED',
  'PAYMENT.SALE.REVERSED',
  'PAYMENTS.PAYMENT.CREATED',
  'RISK.DISPUTE.CREATED',
  'VAULT.CREDIT-CARD.CREATED',
  'VAULT.CREDIT-CARD.DELETED',
  'VAULT.CREDIT-CARD.UPDATED',
  'VAULT.PAYMENT-TOKEN.CREATED',
  'VAULT.PAYMENT-TOKEN.DELETED',
  'VAULT.PAYMENT-TOKEN.DELETION-INITIATED'
] as const

/** An event as PayPal sends it, with the members that every source's events have. */
export interface PayPalEventOf<Type extends string> extends AnyEvent {
  /** The field `event_type`, such as `PAYMENT.CAPTURE.COMPLETED`. */
  readonly type: Type
  readonly event_type: string
  readonly create_time?: string
  /** The kind of `resource`, such as `capture`. */
  readonly resource_type?: string
  readonly resource_version?: string
  readonly event_version?: string
  readonly summary?: string
  readonly resource: JsonObject
  readonly links?: readonly { readonly href: string; readonly rel: string; readonly method?: string }[]
}

/** Every event that PayPal lists, and one for types that are not in the list. */
export type PayPalEvent = PayPalEventOf<(typeof types)[number]> | PayPalEventOf<CustomEventType>

/** PayPal, with the place of the payload. */
export type PayPalSource = Source<PayPalEvent> & { readonly payloadPath: readonly ['resource'] }

/** Beside the usual names: the receiver of a payout may be an e-mail address or a number; and the texts of people. */
const personal = [
  ...[
    'receiver',
    'billing_info',
    'shipping_info',
    'card.name',
    'paypal.name',
    'venmo.name',
    'recipient*',
    'payer_info'
  ],
  ...['note', 'note_to_payer', 'note_to_payee', 'messages', 'additional_recipients', 'prefill_form']
].map((path) => `**.${path}`)

/** See `payPal`. */
export interface PayPalOptions {
  /** The name of the source, stored with every event. Default: `paypal`. */
  readonly name?: string | undefined
  /** Accepts the mock events of PayPal's simulator, which anybody can send: for tests only. Default: false. */
  readonly simulator?: boolean | undefined
  /** Fetches the certificate. For tests, and for a proxy. Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
}

/**
 * PayPal's webhooks for REST apps. (Not IPN, which is another protocol.)
 *
 * - **Verified**: RSA with SHA-256 over the headers `paypal-transmission-id` and `paypal-transmission-time`, the id of
 *   the webhook and the CRC32 of the body. The certificate is fetched once from `paypal-cert-url`, over https from
 *   PayPal's API, live or sandbox. It must be issued to a host of `paypal.com` and be valid now.
 * - **Secret**: the id of the webhook. PayPal signs with the same key for every account. The signed id shows whose
 *   event it is.
 * - **Weak**: a CRC32 is no protection against tampering. Anyone who captures one request can write another body with
 *   the same CRC32, and so another id. Before you act on a value such as an amount, fetch it from PayPal's API. The
 *   headers are neither stored nor logged, so only the connection itself could be captured.
 * - **Duplicates**: `id` of the body. PayPal sends an event again under the same one.
 * - **Limits**: 25 retries in 3 days, until the answer is 2xx. It is not documented whether a retry has a new signed
 *   time, so the default `tolerance` is 73 hours; `retention` is longer, so a replay within it is a duplicate. How long
 *   PayPal waits for an answer is not documented.
 *
 * The event is the body with `type` (its field `event_type`) and `createdTime` (`create_time`). There is no `sign`:
 * only PayPal has the key.
 *
 * Facts: https://developer.paypal.com/api/rest/webhooks/rest/,
 * https://developer.paypal.com/api/rest/webhooks/event-names/,
 * https://github.com/paypal/paypal-rest-api-specifications/blob/main/openapi/notifications_webhooks_v1.json and
 * https://github.com/paypal/PayPal-Python-SDK/blob/master/paypalrestsdk/notifications.py
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names every option that is wrong
 */
export function payPal(options: PayPalOptions = {}): PayPalSource {
  checkAgainst({ name: isText, simulator: isBoolean, fetch: isFunction }, options, 'payPal')
  const certificates = new Certificates({
    isTrusted: (host, path) => hosts.has(host) && /^\/v1\/notifications\/certs\/[\w-]{1,200}$/.test(path),
    isNamed: ({ subject }) => /^CN=(?:[\w-]+\.)+paypal\.com$/m.test(subject),
    fetch: options.fetch
  })
  return Object.freeze<PayPalSource>({
    name: options.name ?? 'paypal',
    types,
    payloadPath: ['resource'],
    limits: { retryMs: 259_200_000, toleranceMs: 262_800_000 },
    signatureHeaders: [signatureHeader],
    secretSteps: 'in the PayPal Developer Dashboard open the app, and copy the id of the webhook',
    verifier: (ids) => {
      checkIds(ids, options.simulator ?? false)
      return { verify: (request, now, toleranceMs) => verify(certificates, ids, request, now, toleranceMs) }
    },
    precheck: makePrecheck({ signsTime: true, readHeaders }),
    keysOf: valuesAt([
      'resource.id',
      'resource.invoice_id',
      'resource.invoice_number',
      'resource.custom_id',
      'resource.supplementary_data.related_ids.order_id',
      'resource.supplementary_data.related_ids.authorization_id',
      'resource.supplementary_data.related_ids.capture_id',
      'resource.purchase_units.invoice_id',
      'resource.purchase_units.custom_id',
      'resource.payer.email_address',
      'resource.payer.payer_id',
      'resource.subscriber.email_address',
      'resource.billing_agreement_id',
      'resource.parent_payment',
      'resource.sale_id',
      'resource.dispute_id',
      'resource.disputed_transactions.seller_transaction_id',
      'resource.payout_batch_id'
    ]),
    redact: [...usualPersonalPaths, ...personal],
    read: reader<PayPalEvent>({
      id: { field: 'id' },
      type: { field: 'event_type' },
      createdTime: { field: 'create_time' },
      event: (body, { headers: _headers, ...found }) =>
        ({ ...(body as unknown as PayPalEvent), ...found }) as PayPalEvent
    })
  })
}

/** Of PayPal's API: the certificates are a part of it. */
const hosts: ReadonlySet<string> = new Set([
  'api.paypal.com',
  'api-m.paypal.com',
  'api.sandbox.paypal.com',
  'api-m.sandbox.paypal.com'
])

/** The id that the simulator signs for. Anybody can use it. */
const simulatorId = 'WEBHOOK_ID'

/** @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET */
function checkIds(ids: readonly string[], isSimulator: boolean): void {
  checkSecrets(ids)
  const wrong = ids.findIndex((id) => !/^[A-Za-z0-9]{1,50}$/.test(id) && !(isSimulator && id === simulatorId))
  if (wrong === -1) return
  const what =
    ids[wrong] === simulatorId
      ? 'is that of the simulator, so anybody could send events: for a test, set payPal({ simulator: true })'
      : 'is not the id of a webhook of PayPal, such as 1JE4291016473214C'
  throw new RiverhookError('RIVERHOOK_SOURCE_SECRET', `Signing secret number ${wrong + 1} ${what}`)
}

const signatureHeader = 'paypal-transmission-sig'
const idHeader = 'paypal-transmission-id'
const timeHeader = 'paypal-transmission-time'
const kind: SignatureKind = { prefix: '', pattern: /^[A-Za-z0-9+/]{300,1400}={0,2}$/, most: 1 }

const readSigned = headersReader(
  {
    header: signatureHeader,
    timestampHeader: timeHeader,
    timestampFormat: 'iso',
    signed: '{id}|{timestamp}|{body}',
    id: { header: idHeader }
  },
  { expected: '<RSA in Base64>', kinds: [kind] }
)

/**
 * The parts of the signed text are separated by `|`, so none may hold one: a signature must be valid for one request
 * only.
 */
function readHeaders(request: SourceRequest): SignedHeaders {
  const found = readSigned(request)
  if (!found.ok) return found
  const malformed = (detail: string): SignedHeaders => ({ ok: false, reason: 'malformed_header', detail })
  for (const [name, value] of [
    [idHeader, found.id],
    [timeHeader, found.timestamp]
  ] as const)
    if (!/^[!-{}~]+$/.test(value)) return malformed(`the ${name} header is malformed: it holds "|" or white space`)
  if (request.headers['paypal-auth-algo'] !== 'SHA256withRSA')
    return malformed('the paypal-auth-algo header is not SHA256withRSA')
  return found
}

async function verify(
  certificates: Certificates,
  ids: readonly string[],
  request: SourceRequest,
  now: Date,
  toleranceMs: number
): Promise<Verdict> {
  const headers = readHeaders(request)
  if (!headers.ok) return headers
  const { id, timestamp, at } = headers
  const refused = (detail: string): Verdict => ({ ok: false, reason: 'no_match', detail, signedAt: at })
  const found = await certificates.keyAt(String(request.headers['paypal-cert-url']), now)
  if (!found.ok) return refused(found.detail)
  const signature = Buffer.from(headers.signatures.get(kind)?.[0] ?? '', 'base64')
  const sum = crc32(request.body)
  // Try all ids even after a match, so that the time it takes reveals nothing.
  const matching = ids.map((webhook) =>
    isSignatureOf('RSA-SHA256', Buffer.from(`${id}|${timestamp}|${webhook}|${sum}`), found.key, signature)
  )
  const secret = matching.indexOf(true) + 1
  if (secret === 0)
    return refused(`the signature matches none of the ${ids.length} configured webhook ids with this body`)
  return judgeTime(secret, timestamp, at, now, toleranceMs)
}
