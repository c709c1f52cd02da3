// eslint-disable-next-line @typescript-eslint/ban-ts-comment -- not everybody has the package
/** @ts-ignore: optional, for its types alone */
import type Stripe from 'stripe'

import type { AnyEvent, CustomEventType } from '../model/event.ts'
import { checkAgainst, isText } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import { stripeApi, stripeRegistration } from './api/stripe.ts'
import { hmacSource } from './hmac/hmac-source.ts'
import type { HmacSource } from './hmac/signed-source.ts'
import type { IfInstalled } from './if-installed.ts'

/** An event as Stripe sends it, as far as every event has it. */
export interface StripeWireEvent extends AnyEvent {
  readonly object: string
  /** Seconds since 1970; a text in a thin event (`v2.core.event`). */
  readonly created: number | string
  readonly livemode: boolean
  readonly api_version?: string | null
  readonly account?: string
  readonly data: {
    readonly object: Readonly<Record<string, unknown>>
    readonly previous_attributes?: Readonly<Record<string, unknown>>
  }
}

type OwnEvent = IfInstalled<Stripe.Event, StripeWireEvent>
type Known<E> = E extends { readonly type: string } ? E & Pick<AnyEvent, 'liveMode' | 'createdTime'> : never

/**
 * Every event that Stripe may send: the members of `Stripe.Event` where the package `stripe` is installed, and one for
 * all other types. `liveMode` and `createdTime` are Stripe's `livemode` and `created`, as every source has them.
 */
export type StripeEvent = Known<OwnEvent> | (StripeWireEvent & { readonly type: CustomEventType })

/** See `stripe`. */
export interface StripeOptions {
  /** The name of the source, stored with every event. Default: `stripe`. */
  readonly name?: string | undefined
}

/**
 * Stripe.
 *
 * - **Verified**: HMAC-SHA256 over the time and the body; `v1` of the header `Stripe-Signature`, keyed with the text
 *   of the endpoint's secret (`whsec_...`, taken as it is). So everything in the event is authentic. Other schemes in
 *   the header, such as `v0` of the test mode, are ignored.
 * - **Not signed**: other headers.
 * - **Duplicates**: a retry has the same `id`, and a new time. Two events may report the same change: compare
 *   `data.object.id` and the type where that matters. Two endpoints of one account get the same event: give them one
 *   realm. The order is not guaranteed.
 * - **Limits**: retried for 3 days, in test mode three times in a few hours. How long Stripe waits for an answer is
 *   not published.
 *
 * Facts: https://docs.stripe.com/webhooks and https://docs.stripe.com/webhooks/signature
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option
 */
export function stripe(options: StripeOptions = {}): HmacSource<StripeEvent> {
  checkAgainst({ name: isText }, options, 'stripe')
  return options.name === undefined ? byDefault : describe(options.name)
}

/**
 * `data.object` is of any type: its name is that of a customer, or of a product. The links open documents of the
 * customer without a login.
 */
const personal = [
  ...['data.object', 'data.previous_attributes'].flatMap((place) => [
    `${place}.name`,
    `${place}.value`,
    `${place}.url`
  ]),
  ...['customer_details', 'customer_shipping', 'billing_details', 'collected_information', 'custom_fields', 'company'],
  ...['customer_tax_ids', 'individual', 'person', 'verified_name', 'verified_outputs', 'provided_details'],
  ...['payer_details', 'fingerprint', 'receipt_url', 'hosted_invoice_url', 'invoice_pdf']
].map((path) => (path.startsWith('data.') ? path : `**.${path}`))

const describe = (name: string): HmacSource<StripeEvent> =>
  hmacSource<StripeEvent>({
    name,
    header: 'Stripe-Signature',
    fields: { timestamp: 't', signature: 'v1' },
    signed: '{timestamp}.{body}',
    id: { field: 'id' },
    type: { field: 'type' },
    createdTime: { field: 'created' },
    liveMode: { field: 'livemode' },
    // An id, or the object itself where it was expanded.
    keys: [
      'data.object.id',
      'data.object.customer',
      'data.object.email',
      'data.object.customer_email',
      'data.object.receipt_email',
      'data.object.customer_details.email',
      'data.object.billing_details.email',
      'data.object.payment_intent',
      'data.object.charge',
      'data.object.latest_charge',
      'data.object.invoice',
      'data.object.subscription',
      'data.object.parent.subscription_details.subscription',
      'data.object.client_reference_id',
      'data.object.number',
      // A thin event names its object only.
      'related_object'
    ],
    redact: [...usualPersonalPaths, ...personal],
    limits: { retryMs: 72 * 3_600_000 },
    registration: stripeRegistration,
    api: stripeApi,
    sample: ({ type = 'invoice.paid', at }) => ({
      object: 'event',
      type,
      created: Math.floor(at.getTime() / 1_000),
      data: { object: {} }
    }),
    secretSteps: "in Stripe's dashboard open Developers > Webhooks, choose this endpoint, and reveal its signing secret"
  })

const byDefault = describe('stripe')
