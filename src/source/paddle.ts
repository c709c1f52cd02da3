// eslint-disable-next-line @typescript-eslint/ban-ts-comment -- not everybody has the package
/** @ts-ignore: optional, for its types alone */
import type { IEvents } from '@paddle/paddle-node-sdk'

import type { AnyEvent, CustomEventType } from '../model/event.ts'
import { checkAgainst, isText } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import type { JsonObject } from './hmac/hmac-options.ts'
import { hmacSource } from './hmac/hmac-source.ts'
import type { HmacSource } from './hmac/signed-source.ts'
import type { IfInstalled } from './if-installed.ts'

/** The event types of Paddle Billing, as its library for Node lists them. */
const types = [
  'address.created',
  'address.imported',
  'address.updated',
  'adjustment.created',
  'adjustment.updated',
  'api_key.created',
  'api_key.expired',
  'api_key.expiring',
  'api_key.revoked',
  'api_key.updated',
  'api_key_exposure.created',
  'business.created',
  'business.imported',
  'business.updated',
  'client_token.created',
  'client_token.revoked',
  'client_token.updated',
  'customer.created',
  'customer.imported',
  'customer.updated',
  'discount.created',
  'discount.imported',
  'discount.updated',
  'discount_group.created',
  'discount_group.updated',
  'payment_method.deleted',
  'payment_method.saved',
  'payout.created',
  'payout.paid',
  'price.created',
  'price.imported',
  'price.updated',
  'product.created',
  'product.imported',
  'product.updated',
  'report.created',
  'report.updated',
  'subscription.activated',
  'subscription.canceled',
  'subscription.created',
  'subscription.imported',
  'subscription.past_due',
  'subscription.paused',
  'subscription.resumed',
  'subscription.trialing',
  'subscription.updated',
  'transaction.billed',
  'transaction.canceled',
  'transaction.completed',
  'transaction.created',
  'transaction.paid',
  'transaction.past_due',
  'transaction.payment_failed',
  'transaction.ready',
  'transaction.revised',
  'transaction.updated'
] as const

/** An event as Paddle sends it, with the members that every source's events have. */
export interface PaddleEventOf<Type extends string, Data> extends AnyEvent {
  /** The field `event_type`, such as `transaction.completed`. */
  readonly type: Type
  readonly event_id: string
  readonly event_type: string
  readonly occurred_at: string
  /** The delivery: another one for each notification destination and each replay. */
  readonly notification_id?: string | null
  readonly data: Data
}

type Wire = IfInstalled<IEvents, { readonly event_type: string; readonly data: JsonObject }>
type DataOf<Type extends string, Event = Wire> = Event extends {
  readonly event_type: infer Name extends string
  readonly data: infer Data
}
  ? Type extends `${Name}`
    ? Data
    : never
  : never
type KnownEvents = { [Type in (typeof types)[number]]: PaddleEventOf<Type, DataOf<Type>> }[(typeof types)[number]]

/**
 * Every event that Paddle may send, and one for types that are not in the list. The data is typed by the package
 * `@paddle/paddle-node-sdk` where it is installed.
 */
export type PaddleEvent = KnownEvents | PaddleEventOf<CustomEventType, JsonObject>

/** Paddle, with the place of the payload. */
export type PaddleSource = HmacSource<PaddleEvent> & { readonly payloadPath: readonly ['data'] }

/** See `paddle`. */
export interface PaddleOptions {
  /** The name of the source, stored with every event. Default: `paddle`. */
  readonly name?: string | undefined
}

/**
 * Paddle Billing. (Not Paddle Classic, which signs its form fields with RSA.)
 *
 * - **Verified**: HMAC-SHA256 over the time, `:` and the body; `h1` of the header `Paddle-Signature`, keyed with the
 *   text of the destination's secret (`pdl_ntfset_...`). So everything in the event is authentic.
 * - **Not signed**: other headers.
 * - **Duplicates**: a retry and a replay have the same `event_id`. Each notification destination gets the same event:
 *   give their endpoints one realm to handle it once. The order is not guaranteed: compare `occurred_at`.
 * - **Limits**: 5 s for an answer of 200; on live accounts 60 retries in 3 days, in the sandbox 3 in 15 minutes.
 *   Paddle's libraries accept a time that is 5 s old; the default here is that of every endpoint.
 *
 * The event is the body with `id`, `type` (its field `event_type`) and `createdTime` (`occurred_at`).
 *
 * Facts: https://developer.paddle.com/webhooks/signature-verification,
 * https://developer.paddle.com/webhooks/respond-to-webhooks,
 * https://developer.paddle.com/api-reference/notifications/replay-notification and
 * https://github.com/PaddleHQ/paddle-node-sdk
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option
 */
export function paddle(options: PaddleOptions = {}): PaddleSource {
  checkAgainst({ name: isText }, options, 'paddle')
  return options.name === undefined ? byDefault : describe(options.name)
}

/** `data` is of any type: its name is that of a customer, a business or a product. The links open a subscription. */
const personal = [
  ...['first_line', 'second_line', 'company_number', 'tax_identifier', 'contacts', 'business.name', 'management_urls']
].map((path) => `**.${path}`)

const describe = (name: string): PaddleSource =>
  hmacSource<PaddleEvent, readonly ['data']>({
    name,
    types,
    header: 'Paddle-Signature',
    separator: ';',
    fields: { timestamp: 'ts', signature: 'h1' },
    signed: '{timestamp}:{body}',
    id: { field: 'event_id' },
    type: { field: 'event_type' },
    createdTime: { field: 'occurred_at' },
    payloadPath: ['data'],
    event: (body, { headers: _headers, ...found }) =>
      ({ ...(body as unknown as PaddleEvent), ...found }) as PaddleEvent,
    keys: [
      'data.id',
      'data.customer_id',
      'data.email',
      'data.transaction_id',
      'data.subscription_id',
      'data.invoice_id',
      'data.invoice_number',
      'data.business_id',
      'data.payments.payment_attempt_id'
    ],
    redact: [...usualPersonalPaths, ...personal, 'data.name'],
    answer: () => ({ status: 200 }),
    limits: { answerMs: 5_000, retryMs: 72 * 3_600_000 },
    secretSteps: 'in Paddle open Developer tools > Notifications, edit the destination, and copy its secret key'
  })

const byDefault = describe('paddle')
