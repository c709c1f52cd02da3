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
  /** When it was shipped or otherwise delivered. */
  fulfilled: Type.Optional(nullable(instant)),
  /** When it was paid. */
  paid: Type.Optional(nullable(instant)),
  /** When it was cancelled. */
  cancelled: Type.Optional(nullable(instant)),
  /** When it was refused by the fraud or compliance checks. */
  blocked: Type.Optional(nullable(instant)),
  /** When it was returned. */
  returned: Type.Optional(nullable(instant))
})
/** When an item entered each state. */
export interface OrderItemStateTransitions extends Static<typeof orderItemStateTransitionsSchema> {}

const ofOrderItem = {
  /** Digital River's id of the line; fulfillments, refunds and returns name it in `itemId`. */
  id: text,
  /** How many pieces. */
  quantity: count,
  /** The state of the line. */
  state: Type.Optional(oneOf('created', 'fulfilled', 'paid', 'cancelled', 'blocked', 'returned')),
  /** When it entered each state so far. */
  stateTransitions: Type.Optional(nullable(part<OrderItemStateTransitions>(orderItemStateTransitionsSchema))),
  /** For all pieces, in major units of the currency, without tax. */
  amount: amount,
  /** The part of the line that can still be refunded, in major units of the currency; 0 until it is captured. */
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
  /** When payment and fraud checks passed. */
  accepted: Type.Optional(nullable(instant)),
  /** When the wait for the buyer's payment began. */
  pending_payment: Type.Optional(nullable(instant)),
  /** When the fraud review began. */
  in_review: Type.Optional(nullable(instant)),
  /** When all of it was fulfilled and captured. */
  complete: Type.Optional(nullable(instant)),
  /** When the buyer disputed a charge. */
  dispute: Type.Optional(nullable(instant)),
  /** When all of it was cancelled. */
  cancelled: Type.Optional(nullable(instant)),
  /** When all of it was shipped or cancelled. */
  fulfilled: Type.Optional(nullable(instant)),
  /** When it was refused by the fraud or compliance checks. */
  blocked: Type.Optional(nullable(instant)),
  /** When all of it was returned. */
  returned: Type.Optional(nullable(instant))
})
/** When an order entered each state. */
export interface OrderStateTransitions extends Static<typeof orderStateTransitionsSchema> {}

export const fraudStateTransitionsSchema = resource({
  /** When the order was refused. */
  blocked: Type.Optional(nullable(instant)),
  /** When a review began. */
  review_opened: Type.Optional(nullable(instant)),
  /** When the order passed the fraud check. */
  passed: Type.Optional(nullable(instant))
})
/** When the fraud check reached each result. */
export interface FraudStateTransitions extends Static<typeof fraudStateTransitionsSchema> {}

const orderLife = {
  /** The id of the checkout that became this order. */
  checkoutId: Type.Optional(text),
  /** The amount that can still be refunded, in major units of the currency; 0 until it is captured. */
  availableToRefundAmount: Type.Optional(nullable(amount)),
  /** The refunded amount so far, in major units of the currency. Absent before the first refund. */
  refundedAmount: Type.Optional(amount),
  /** The cancelled amount so far, in major units of the currency. */
  cancelledAmount: Type.Optional(amount),
  /** The amount of all captures requested so far, in major units of the currency, including pending ones. */
  capturedAmount: Type.Optional(amount),
  /** The invoices of the order. */
  invoicePDFs: Type.Optional(nullable(parts<File>(fileSchema))),
  /** The credit memos of the order. */
  creditMemoPDFs: Type.Optional(nullable(parts<File>(fileSchema))),
  /** Whether the buyer's personal data will be erased. */
  requestToBeForgotten: Type.Optional(flag),
  /** When it entered each state so far. */
  stateTransitions: Type.Optional(nullable(part<OrderStateTransitions>(orderStateTransitionsSchema))),
  /** The result of the fraud check. May be absent, even in a complete order. */
  fraudState: Type.Optional(oneOf('blocked', 'review_opened', 'passed')),
  /** When the fraud check reached each result so far. */
  fraudStateTransitions: Type.Optional(nullable(part<FraudStateTransitions>(fraudStateTransitionsSchema)))
}

// Seen in one sample, inside another resource, so nothing is certain.
const ofOrderDetails = {
  /** Digital River's id of the order. */
  id: Type.Optional(text),
  /** When the order was made. */
  createdTime: Type.Optional(instant),
  /** When the order was last changed. */
  updatedTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** The amount that the buyer pays, in major units of the currency. */
  totalAmount: Type.Optional(amount),
  /** The ordered items. */
  items: Type.Optional(parts<OrderItem>(orderItemSchema)),
  /** The state of the order. */
  state: Type.Optional(orderState)
}
export const orderDetailsSchema: TObject<typeof purchase & typeof origin & typeof orderLife & typeof ofOrderDetails> =
  resource({ ...ofOrderDetails, ...purchase, ...origin, ...orderLife })
/** The order inside a fulfillment: without its payment. */
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
  /** The amount that the buyer pays, in major units of the currency. */
  totalAmount: amount,
  /** The ordered items. */
  items: parts<OrderItem>(orderItemSchema),
  /** Hints that make a successful renewal payment more likely. */
  billingOptimization: Type.Optional(part<BillingOptimization>(billingOptimizationSchema)),
  /**
   * The state of the order. It may differ from the last word of the event's type: an `order.dispute.resolved` has
   * `accepted`, and an `order.complete` may have `fulfilled`.
   */
  state: orderState,
  /** The reason for the cancellation, for a person; at most 64 characters. */
  cancelReason: Type.Optional(text),
  /** The payment methods and their charges. */
  payment: Type.Optional(part<Payments>(paymentsSchema)),
  /** The legal texts that the buyer was shown: one, or a list; an older document has an object with the list in it. */
  disclosures: Type.Optional(oneOrMany<Disclosures, DisclosureDetails>(disclosuresSchema, disclosureDetailsSchema)),
  /** The initiator of the charge. `moto`: an order by mail or telephone. */
  chargeType: Type.Optional(oneOf('customer_initiated', 'merchant_initiated', 'moto')),
  /** The language of the buyer's pages, such as en or pt-br. */
  language: Type.Optional(text),
  /** Whether prices include tax. Only in `checkout_session.order.created`. */
  taxInclusive: Type.Optional(flag),
  /** The id of the hosted checkout. Only in `checkout_session.order.created`. */
  checkoutSessionId: Type.Optional(text),
  /** Which legal texts the buyer agreed to. Only in `checkout_session.order.created`. */
  consents: Type.Optional(part<Consents>(consentsSchema)),
  /** The format of the prices that the buyer saw. Only in `checkout_session.order.created`. */
  pricingFormat: Type.Optional(part<PricingFormat>(pricingFormatSchema))
}
export const orderSchema: TObject<typeof purchase & typeof origin & typeof orderLife & typeof ofOrder> = resource({
  ...ofOrder,
  ...purchase,
  ...origin,
  ...orderLife
})
/** An order. Fulfil it when `order.accepted` arrives. */
export interface Order extends Static<typeof orderSchema> {}
