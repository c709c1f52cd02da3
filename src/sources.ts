/**
 * `riverhook/sources`: the providers beside the default one, and `hmacSource` to describe another. Loaded only by those
 * who import it; no provider's library is loaded.
 */
export { hmacSource } from './source/hmac/hmac-source.ts'
export type {
  FoundEvent,
  HmacAlgorithm,
  HmacEncoding,
  HmacEvent,
  HmacKeyOptions,
  HmacSourceOptions,
  HmacTimestampFormat,
  JsonObject,
  Place
} from './source/hmac/hmac-options.ts'
export type { HmacSource } from './source/hmac/signed-source.ts'
export type { SyncVerifier } from './source/hmac/verify.ts'
export { cloudEvents } from './source/cloud-events.ts'
export type { CloudEventMembers, CloudEventOf, CloudEventsOptions, CloudEventsSource } from './source/cloud-events.ts'
export { fastSpring } from './source/fast-spring.ts'
export type { FastSpringEvent, FastSpringOptions, FastSpringSource } from './source/fast-spring.ts'
export { github } from './source/github.ts'
export type { GitHubEvent, GitHubEventOf, GitHubOptions, GitHubSource } from './source/github.ts'
export { meta } from './source/meta.ts'
export type { MetaEvent, MetaOptions, MetaSource } from './source/meta.ts'
export { paddle } from './source/paddle.ts'
export type { PaddleEvent, PaddleEventOf, PaddleOptions, PaddleSource } from './source/paddle.ts'
export { payPal } from './source/pay-pal.ts'
export type { PayPalEvent, PayPalEventOf, PayPalOptions, PayPalSource } from './source/pay-pal.ts'
export { shopify } from './source/shopify.ts'
export type { ShopifyEvent, ShopifyOptions, ShopifySource } from './source/shopify.ts'
export { slack } from './source/slack.ts'
export type {
  SlackEnvelope,
  SlackEvent,
  SlackEventOf,
  SlackOptions,
  SlackRateLimit,
  SlackSource
} from './source/slack.ts'
export { standardWebhooks } from './source/standard-webhooks.ts'
export type { StandardWebhooksOptions } from './source/standard-webhooks.ts'
export { stripe } from './source/stripe.ts'
export type { StripeEvent, StripeOptions, StripeWireEvent } from './source/stripe.ts'
export { sendGrid } from './source/send-grid.ts'
export type { SendGridEvent, SendGridOptions, SendGridPayload } from './source/send-grid.ts'
export { adyen } from './source/adyen.ts'
export type { AdyenEvent, AdyenItem, AdyenOptions, AdyenSource } from './source/adyen.ts'
export { zoom } from './source/zoom.ts'
export type { ZoomEvent, ZoomOptions, ZoomSource } from './source/zoom.ts'
export { confirmSubscription, sns } from './source/sns.ts'
export type { SnsEvent, SnsMessage, SnsOptions, SnsSource } from './source/sns.ts'
