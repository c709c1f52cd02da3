import { Type, type Static } from 'typebox'

import { type Invoice, invoiceSchema } from './invoice.ts'
import { type ProductDetails, productDetailsSchema } from './item-parts.ts'
import { amount, count, flag, instant, metadata, oneOf, part, parts, resource, text } from './kinds.ts'

export const subscriptionStateTransitionsSchema = resource({
  activated: Type.Optional(instant),
  activatedFree: Type.Optional(instant),
  failed: Type.Optional(instant),
  cancelled: Type.Optional(instant),
  ended: Type.Optional(instant),
  // Not in the model; follows from the state of that name.
  lapsed: Type.Optional(instant)
})
/** When a subscription came into each state. */
export interface SubscriptionStateTransitions extends Static<typeof subscriptionStateTransitionsSchema> {}

export const subscriptionItemsSchema = resource({
  /** Of all pieces; instead of `price`. */
  aggregatePrice: Type.Optional(amount),
  /** Of one piece, in major units of the currency. */
  price: Type.Optional(amount),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  skuId: text,
  productDetails: Type.Optional(part<ProductDetails>(productDetailsSchema)),
  quantity: count
})
/** One product of a subscription. */
export interface SubscriptionItems extends Static<typeof subscriptionItemsSchema> {}

export const subscriptionSchema = resource({
  id: text,
  createdTime: instant,
  updatedTime: Type.Optional(instant),
  /** The customer cannot leave before. */
  contractBindingUntil: Type.Optional(instant),
  stateTransitions: Type.Optional(part<SubscriptionStateTransitions>(subscriptionStateTransitionsSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** By which renewals are charged. Absent in a draft. */
  billingAgreementId: Type.Optional(text),
  /** Absent in a draft. */
  customerId: Type.Optional(text),
  /** The payment method. Absent in a draft. */
  sourceId: Type.Optional(text),
  /** Whether prices include tax. */
  taxInclusive: Type.Optional(flag),
  /** ISO 4217, such as EUR. */
  currency: text,
  planId: text,
  /** The application that made the request, as it named itself. */
  applicationId: Type.Optional(text),
  /** Such as en_US. */
  locale: Type.Optional(text),
  // A sample has lapsed, which the model lacks.
  state: oneOf('draft', 'activePendingInvoice', 'active', 'activeFree', 'failed', 'lapsed', 'cancelled', 'ended'),
  items: parts<SubscriptionItems>(subscriptionItemsSchema),
  currentPeriodEndDate: Type.Optional(instant),
  nextInvoiceDate: Type.Optional(instant),
  nextReminderDate: Type.Optional(instant),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  // In a sample only.
  siteId: Type.Optional(text)
})
/** A customer's agreement to pay for something period by period, as a plan says. */
export interface Subscription extends Static<typeof subscriptionSchema> {}

export const subscriptionWithInvoiceSchema = resource({
  subscription: part<Subscription>(subscriptionSchema),
  invoice: part<Invoice>(invoiceSchema)
})
/** A subscription and the invoice of the period in question. It has no id of its own. */
export interface SubscriptionWithInvoice extends Static<typeof subscriptionWithInvoiceSchema> {}
