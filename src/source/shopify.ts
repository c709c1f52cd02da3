import type { AnyEvent } from '../model/event.ts'
import { checkAgainst, isOneOf, isText } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import type { JsonObject } from './hmac/hmac-options.ts'
import { hmacSource } from './hmac/hmac-source.ts'
import type { HmacSource } from './hmac/signed-source.ts'

/** An event of Shopify. Its payload is the body. */
export interface ShopifyEvent extends AnyEvent {
  /** The topic, such as `orders/create`. */
  readonly type: string
  /** When it happened: the header `X-Shopify-Triggered-At`. */
  readonly createdTime?: string
  /** The shop, such as `example.myshopify.com`: the header `X-Shopify-Shop-Domain`. */
  readonly shop?: string
  /** The same for all subscriptions that one change is sent to: the header `X-Shopify-Event-Id`. */
  readonly eventId?: string
  /** The version of the payload, such as `2026-01`. */
  readonly apiVersion?: string
  readonly payload: JsonObject
}

/** Shopify, with the place of the payload. */
export type ShopifySource = HmacSource<ShopifyEvent> & { readonly payloadPath: readonly ['payload'] }

/** See `shopify`. */
export interface ShopifyOptions {
  /** The name of the source, stored with every event. Default: `shopify`. */
  readonly name?: string | undefined
  /**
   * `webhook` (default): the header `X-Shopify-Webhook-Id`, which is not signed. `digest`: the SHA-256 of the body,
   * which is: a captured request cannot be replayed under another id. Then two events with the same body are one.
   */
  readonly id?: 'webhook' | 'digest' | undefined
}

/**
 * Shopify's webhooks, over HTTPS with JSON. (Not its Events, whose headers begin with `Shopify-`.)
 *
 * - **Verified**: HMAC-SHA256 over the body, in Base64, in the header `X-Shopify-Hmac-Sha256`, keyed with the text of
 *   the app's client secret.
 * - **Not signed**: the id, the topic, the shop and any time. They are headers. Anyone who captures one request can
 *   replay it under another id or topic, at any time: see the option `id`.
 * - **Duplicates**: a retry has the same `X-Shopify-Webhook-Id` and body. Several subscriptions to one topic are
 *   several webhooks, with one `eventId`.
 * - **Limits**: 1 s to connect, 5 s for the answer; 8 retries in 4 hours. After 8 failures in a row, Shopify removes a
 *   subscription that was created through the API.
 *
 * The event is `{ id, type, createdTime, shop, eventId, apiVersion, payload }`.
 *
 * Facts: https://shopify.dev/docs/apps/build/webhooks/subscribe/https,
 * https://shopify.dev/docs/apps/build/webhooks/ignore-duplicates and
 * https://shopify.dev/changelog/updates-to-webhook-retry-mechanism
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option
 */
export function shopify(options: ShopifyOptions = {}): ShopifySource {
  checkAgainst({ name: isText, id: isOneOf('webhook', 'digest') }, options, 'shopify')
  const { name = 'shopify', id = 'webhook' } = options
  return name === 'shopify' && id === 'webhook' ? byDefault : describe(name, id)
}

/** The texts of the buyer, and the links that open an order without a login. */
const personal = [
  ...['note', 'note_attributes', 'line_items.properties', 'client_details', 'payment_details', 'destination'],
  ...['shop_owner', 'order_status_url', 'abandoned_checkout_url']
].map((path) => `**.${path}`)

const describe = (name: string, id: 'webhook' | 'digest'): ShopifySource =>
  hmacSource<ShopifyEvent, readonly ['payload']>({
    name,
    header: 'X-Shopify-Hmac-Sha256',
    encoding: 'base64',
    id: id === 'digest' ? 'digest' : { header: 'X-Shopify-Webhook-Id' },
    type: { header: 'X-Shopify-Topic' },
    createdTime: { header: 'X-Shopify-Triggered-At' },
    keep: ['X-Shopify-Shop-Domain', 'X-Shopify-Event-Id', 'X-Shopify-API-Version'],
    payloadPath: ['payload'],
    event: (payload, { headers, ...found }) => ({
      ...found,
      ...named('shop', headers['x-shopify-shop-domain']),
      ...named('eventId', headers['x-shopify-event-id']),
      ...named('apiVersion', headers['x-shopify-api-version']),
      payload
    }),
    sentHeaders: ({ at }) => ({
      'X-Shopify-Triggered-At': at.toISOString(),
      'X-Shopify-Shop-Domain': 'example.myshopify.com'
    }),
    keys: [
      'payload.id',
      'payload.name',
      'payload.order_number',
      'payload.order_id',
      'payload.email',
      'payload.contact_email',
      'payload.customer',
      'payload.customer.email',
      'payload.checkout_id',
      'payload.checkout_token',
      'payload.token',
      'payload.admin_graphql_api_id',
      'eventId'
    ],
    redact: [...usualPersonalPaths, ...personal],
    limits: { answerMs: 5_000, retryMs: 4 * 3_600_000 },
    secretSteps: "it is the client secret of the app, in Shopify's Dev Dashboard under Settings"
  })

function named(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value }
}

const byDefault = describe('shopify', 'webhook')
