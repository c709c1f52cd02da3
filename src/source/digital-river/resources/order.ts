import { Type, type Static, type TObject } from 'typebox'

import { type File, fileSchema } from './file.ts'
import {
  type Consents,
  consentsSchema,
  type PricingFormat,
  pricingFormatSchema,
  type SessionSku,
  sessionSkuSchema
} from './hosted-checkout.ts'
import { item, shippedItem } from './item-parts.ts'
import { amount, count, flag, instant, nullable, oneOf, oneOrMany, part, parts, resource, text } from './kinds.ts'
import { type Payments, paymentsSchema } from './payments.ts'
import { origin, purchase } from './purchase.ts'
import {
  type BillingOptimization,
  billingOptimizationSchema,
  type DisclosureDetails,
  disclosureDetailsSchema,
  type Disclosures,
  disclosuresSchema
} from './selling.ts'

const orderState = oneOf(
  'accepted',
  'blocked',
  'pending_payment',
  'in_review',
  'dispute',
  'cancelled',
  'fulfilled',
  'complete',
  'returned'
)

export const orderItemStateTransitionsSchema = resource({
  /** When it was made. */
  created: Type.Optional(nullable(instant)),
  /** When it was shipped, or otherwise handed over. */
  fulfilled: Type.Optional(nullable(instant)),
  /** When it was paid. */
  paid: Type.Optional(nullable(instant)),
  /** When it was cancelled. */
  cancelled: Type.Optional(nullable(instant)),
  /** When it was refused by the fraud or compliance checks. */
  blocked: Type.Optional(nullable(instant)),
  /** When it came back. */
  returned: Type.Optional(nullable(instant))
})
/** When an item came into each state. */
export interface OrderItemStateTransitions extends Static<typeof orderItemStateTransitionsSchema> {}

const ofOrderItem = {
  /** Digital River's id of the line; fulfillments, refunds and returns name it in `itemId`. */
  id: text,
  /** How many pieces. */
  quantity: count,
  /** How far the line has come. */
  state: Type.Optional(oneOf('created', 'fulfilled', 'paid', 'cancelled', 'blocked', 'returned')),
  /** When it came into each state so far. */
  stateTransitions: Type.Optional(nullable(part<OrderItemStateTransitions>(orderItemStateTransitionsSchema))),
  /** For all pieces, in major units of the currency, without tax. */
  amount: amount,
  /** What of the line can still be given back, in major units of the currency; 0 until it is collected. */
  availableToRefundAmount: Type.Optional(amount),
  /** The SKU as the merchant described it. Only in `checkout_session.order.created`. */
  sku: Type.Optional(part<SessionSku>(sessionSkuSchema))
}
export const orderItemSchema: TObject<typeof item & typeof shippedItem & typeof ofOrderItem> = resource({
  ...ofOrderItem,
  ...item,
  ...shippedItem
})
/** One line of an order. */
export interface OrderItem extends Static<typeof orderItemSchema> {}

export const orderStateTransitionsSchema = resource({
  /** When payment and fraud checks had passed. */
  accepted: Type.Optional(nullable(instant)),
  /** When it began to wait for the buyer's payment. */
  pending_payment: Type.Optional(nullable(instant)),
  /** When the fraud review began. */
  in_review: Type.Optional(nullable(instant)),
  /** When all of it was fulfilled and collected. */
  complete: Type.Optional(nullable(instant)),
  /** When the buyer disputed a charge. */
  dispute: Type.Optional(nullable(instant)),
  /** When all of it was cancelled. */
  cancelled: Type.Optional(nullable(instant)),
  /** When all of it was shipped or cancelled. */
  fulfilled: Type.Optional(nullable(instant)),
  /** When it was refused by the fraud or compliance checks. */
  blocked: Type.Optional(nullable(instant)),
  /** When all of it came back. */
  returned: Type.Optional(nullable(instant))
})
/** When an order came into each state. */
export interface OrderStateTransitions extends Static<typeof orderStateTransitionsSchema> {}

export const fraudStateTransitionsSchema = resource({
  /** When the order was refused. */
  blocked: Type.Optional(nullable(instant)),
  /** When a review began. */
  review_opened: Type.Optional(nullable(instant)),
  /** When the order was found to be sound. */
  passed: Type.Optional(nullable(instant))
})
/** When the check for fraud came to each result. */
export interface FraudStateTransitions extends Static<typeof fraudStateTransitionsSchema> {}

const orderLife = {
  /** The id of the checkout that it was made from. */
  checkoutId: Type.Optional(text),
  /** What can still be given back, in major units of the currency; 0 until it is collected. */
  availableToRefundAmount: Type.Optional(nullable(amount)),
  /** What was given back so far, in major units of the currency. Absent while nothing was. */
  refundedAmount: Type.Optional(amount),
  /** What was cancelled so far, in major units of the currency. */
  cancelledAmount: Type.Optional(amount),
  /** What was asked to be collected so far, in major units of the currency: a capture that is still pending counts. */
  capturedAmount: Type.Optional(amount),
  /** The invoices that were made for it. */
  invoicePDFs: Type.Optional(nullable(parts<File>(fileSchema))),
  /** The credit memos that were made for it. */
  creditMemoPDFs: Type.Optional(nullable(parts<File>(fileSchema))),
  /** Whether the buyer's personal data will be erased. */
  requestToBeForgotten: Type.Optional(flag),
  /** When it came into each state so far. */
  stateTransitions: Type.Optional(nullable(part<OrderStateTransitions>(orderStateTransitionsSchema))),
  /** What the check for fraud has come to. It can be absent, even of an order that is complete. */
  fraudState: Type.Optional(oneOf('blocked', 'review_opened', 'passed')),
  /** When the check for fraud came to each result so far. */
  fraudStateTransitions: Type.Optional(nullable(part<FraudStateTransitions>(fraudStateTransitionsSchema)))
}

// Seen in one sample, and no event's own object: nothing is certain.
const ofOrderDetails = {
  /** Digital River's id of the order. */
  id: Type.Optional(text),
  /** When the order was made. */
  createdTime: Type.Optional(instant),
  /** When the order was last changed. */
  updatedTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** What the buyer pays, in major units of the currency. */
  totalAmount: Type.Optional(amount),
  /** What was bought, line by line. */
  items: Type.Optional(parts<OrderItem>(orderItemSchema)),
  /** How far the order has come. */
  state: Type.Optional(orderState)
}
export const orderDetailsSchema: TObject<typeof purchase & typeof origin & typeof orderLife & typeof ofOrderDetails> =
  resource({ ...ofOrderDetails, ...purchase, ...origin, ...orderLife })
/** The order as a fulfillment shows it: without its payment. */
export interface OrderDetails extends Static<typeof orderDetailsSchema> {}

const ofOrder = {
  /** Digital River's id of the order; charges, refunds, returns and fulfillments name it in `orderId`. */
  id: text,
  /** When the order was made. */
  createdTime: instant,
  /** When the order was last changed. */
  updatedTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: text,
  /** What the buyer pays, in major units of the currency. */
  totalAmount: amount,
  /** What was bought, line by line. */
  items: parts<OrderItem>(orderItemSchema),
  /** Hints that make a renewal more likely to be paid. */
  billingOptimization: Type.Optional(part<BillingOptimization>(billingOptimizationSchema)),
  /**
   * How far the order has come. It is not the last word of the event's type: an `order.dispute.resolved` has
   * `accepted`, and an `order.complete` can have `fulfilled`.
   */
  state: orderState,
  /** Why it was cancelled, in words; at most 64 characters. */
  cancelReason: Type.Optional(text),
  /** The payment methods, and the charges made to them. */
  payment: Type.Optional(part<Payments>(paymentsSchema)),
  /**
   * The legal texts that the buyer was shown. One of them, or a list; an older document has an object with the list
   * in it.
   */
  disclosures: Type.Optional(oneOrMany<Disclosures, DisclosureDetails>(disclosuresSchema, disclosureDetailsSchema)),
  /** Who sets the charge off. `moto`: an order by mail or telephone. */
  chargeType: Type.Optional(oneOf('customer_initiated', 'merchant_initiated', 'moto')),
  /** The language of the buyer's pages, such as en or pt-br. */
  language: Type.Optional(text),
  /** Whether prices include tax. Only in `checkout_session.order.created`. */
  taxInclusive: Type.Optional(flag),
  /** The id of the hosted checkout. Only in `checkout_session.order.created`. */
  checkoutSessionId: Type.Optional(text),
  /** Which legal texts the buyer agreed to. Only in `checkout_session.order.created`. */
  consents: Type.Optional(part<Consents>(consentsSchema)),
  /** How the buyer was shown prices. Only in `checkout_session.order.created`. */
  pricingFormat: Type.Optional(part<PricingFormat>(pricingFormatSchema))
}
export const orderSchema: TObject<typeof purchase & typeof origin & typeof orderLife & typeof ofOrder> = resource({
  ...ofOrder,
  ...purchase,
  ...origin,
  ...orderLife
})
/** An order. Fulfil it when `order.accepted` says so. */
export interface Order extends Static<typeof orderSchema> {}
