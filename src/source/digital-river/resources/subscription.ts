import { Type, type Static } from 'typebox'

import { type Invoice, invoiceSchema } from './invoice.ts'
import { type ProductDetails, productDetailsSchema } from './item-parts.ts'
import { amount, count, flag, instant, metadata, nullable, oneOf, part, parts, resource, text } from './kinds.ts'

export const subscriptionStateTransitionsSchema = resource({
  /** When it became active. */
  activated: Type.Optional(nullable(instant)),
  /** When it became active without payment. */
  activatedFree: Type.Optional(nullable(instant)),
  /** When it could not be activated. */
  failed: Type.Optional(nullable(instant)),
  /** When it was cancelled. */
  cancelled: Type.Optional(nullable(instant)),
  /** When it ended. */
  ended: Type.Optional(nullable(instant)),
  /** When payment was given up. */
  lapsed: Type.Optional(nullable(instant))
})
/** When a subscription entered each state. */
export interface SubscriptionStateTransitions extends Static<typeof subscriptionStateTransitionsSchema> {}

export const subscriptionItemsSchema = resource({
  /** For all pieces, in major units of the currency; an alternative to `price`. */
  aggregatePrice: Type.Optional(nullable(amount)),
  /** Per piece, in major units of the currency. */
  price: Type.Optional(nullable(amount)),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** The id of the SKU. */
  // As in the items of an order.
  skuId: Type.Optional(nullable(text)),
  /** The product that is sold. */
  productDetails: Type.Optional(part<ProductDetails>(productDetailsSchema)),
  /** The number of pieces. Present in every sample, but may be null according to the OpenAPI document. */
  quantity: Type.Optional(nullable(count))
})
/** One product of a subscription. */
export interface SubscriptionItems extends Static<typeof subscriptionItemsSchema> {}

export const subscriptionSchema = resource({
  /** Digital River's id of the subscription. */
  id: text,
  /** When the subscription was made. */
  createdTime: instant,
  /** When the subscription was last changed. */
  updatedTime: Type.Optional(instant),
  /** The end of the customer's commitment. Absent in a draft. */
  contractBindingUntil: Type.Optional(instant),
  /** When it entered each state so far; `{}` in a draft. */
  stateTransitions: Type.Optional(part<SubscriptionStateTransitions>(subscriptionStateTransitionsSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The id of the agreement that permits renewal charges. Absent in a draft. */
  billingAgreementId: Type.Optional(text),
  /** Digital River's id of the customer. Absent in a draft. */
  customerId: Type.Optional(nullable(text)),
  /** The id of the payment method. Absent in a draft. */
  sourceId: Type.Optional(text),
  /** Whether prices include tax. */
  taxInclusive: Type.Optional(flag),
  /** ISO 4217, such as EUR. */
  currency: text,
  /** The id of the plan. */
  planId: text,
  /** The application that made the request, as it named itself. */
  applicationId: Type.Optional(nullable(text)),
  /** The customer's language and country, such as en_US. */
  locale: Type.Optional(nullable(text)),
  /** The state of the subscription. */
  state: oneOf('draft', 'activePendingInvoice', 'active', 'activeFree', 'failed', 'lapsed', 'cancelled', 'ended'),
  /** The subscribed products. */
  items: parts<SubscriptionItems>(subscriptionItemsSchema),
  /** The start of the paid period: an instant, despite its name. Absent in a draft. */
  currentPeriodStartDate: Type.Optional(instant),
  /** The end of the paid period: an instant, despite its name. Absent in a draft. */
  currentPeriodEndDate: Type.Optional(instant),
  /** The billing time of the next period: an instant. Absent in a draft. */
  nextInvoiceDate: Type.Optional(instant),
  /** When the customer is reminded of the next bill: an instant. Absent in a draft. */
  nextReminderDate: Type.Optional(instant),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** The id of a site. Its meaning is not documented. */
  // Seen in one sample only.
  siteId: Type.Optional(text)
})
/** A customer's agreement to regular payments according to a plan. */
export interface Subscription extends Static<typeof subscriptionSchema> {}

export const subscriptionWithInvoiceSchema = resource({
  /** The subscription. Its times can have an offset without a colon: `+0000`. */
  subscription: part<Subscription>(subscriptionSchema),
  /** The invoice of the period. */
  invoice: part<Invoice>(invoiceSchema)
})
/** A subscription with the invoice of a period. The pair itself has no id. */
export interface SubscriptionWithInvoice extends Static<typeof subscriptionWithInvoiceSchema> {}
