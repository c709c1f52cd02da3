import { Type, type Static } from 'typebox'

import { type File, fileSchema } from './file.ts'
import { item, shippedItem } from './item-parts.ts'
import { amount, count, flag, instant, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Payments, paymentsSchema } from './payments.ts'
import { origin, purchase } from './purchase.ts'
import { type BillingOptimization, billingOptimizationSchema, type Disclosures, disclosuresSchema } from './selling.ts'

const orderState = oneOf(
    'accepted', 'blocked', 'pending_payment', 'in_review', 'dispute', 'cancelled', 'fulfilled', 'complete',
    'returned'
  )

export const orderItemStateTransitionsSchema = resource({
  created: Type.Optional(instant),
  fulfilled: Type.Optional(instant),
  paid: Type.Optional(instant),
  cancelled: Type.Optional(instant),
  blocked: Type.Optional(instant),
  returned: Type.Optional(instant)
})
/** When an item came into each state. */
export interface OrderItemStateTransitions extends Static<typeof orderItemStateTransitionsSchema> {}

export const orderItemSchema = resource({
  ...item,
  ...shippedItem,
  id: text,
  skuId: text,
  /** How many pieces. */
  quantity: count,
  state: Type.Optional(oneOf('created', 'fulfilled', 'paid', 'cancelled', 'blocked', 'returned')),
  stateTransitions: Type.Optional(part<OrderItemStateTransitions>(orderItemStateTransitionsSchema)),
  /** For all pieces, in major units of the currency, without tax. */
  amount: amount,
  /** What can still be given back. */
  availableToRefundAmount: Type.Optional(amount)
})
/** One line of an order. */
export interface OrderItem extends Static<typeof orderItemSchema> {}

export const orderStateTransitionsSchema = resource({
  accepted: Type.Optional(instant),
  pending_payment: Type.Optional(instant),
  in_review: Type.Optional(instant),
  complete: Type.Optional(instant),
  dispute: Type.Optional(instant),
  cancelled: Type.Optional(instant),
  fulfilled: Type.Optional(instant),
  blocked: Type.Optional(instant),
  returned: Type.Optional(instant)
})
/** When an order came into each state. */
export interface OrderStateTransitions extends Static<typeof orderStateTransitionsSchema> {}

export const fraudStateTransitionsSchema = resource({
  blocked: Type.Optional(instant),
  review_opened: Type.Optional(instant),
  passed: Type.Optional(instant)
})
/** When the check for fraud came to each result. */
export interface FraudStateTransitions extends Static<typeof fraudStateTransitionsSchema> {}

const orderLife = {
  checkoutId: Type.Optional(text),
  /** What can still be given back. */
  availableToRefundAmount: Type.Optional(amount),
  refundedAmount: Type.Optional(amount),
  cancelledAmount: Type.Optional(amount),
  /** What was collected so far. */
  capturedAmount: Type.Optional(amount),
  invoicePDFs: Type.Optional(parts<File>(fileSchema)),
  creditMemoPDFs: Type.Optional(parts<File>(fileSchema)),
  /** Whether the buyer's personal data is to be erased. */
  requestToBeForgotten: Type.Optional(flag),
  state: Type.Optional(orderState),
  stateTransitions: Type.Optional(part<OrderStateTransitions>(orderStateTransitionsSchema)),
  /** What the check for fraud has come to. */
  fraudState: Type.Optional(oneOf('blocked', 'review_opened', 'passed')),
  fraudStateTransitions: Type.Optional(part<FraudStateTransitions>(fraudStateTransitionsSchema))
}

export const orderDetailsSchema = resource({
  ...purchase,
  ...origin,
  ...orderLife,
  id: Type.Optional(text),
  createdTime: Type.Optional(instant),
  updatedTime: Type.Optional(instant),
  items: Type.Optional(parts<OrderItem>(orderItemSchema))
})
/** The order as a fulfillment shows it: without its payment. */
export interface OrderDetails extends Static<typeof orderDetailsSchema> {}

export const orderSchema = resource({
  ...purchase,
  ...origin,
  ...orderLife,
  id: text,
  createdTime: instant,
  updatedTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: text,
  /** What the buyer pays. */
  totalAmount: amount,
  items: parts<OrderItem>(orderItemSchema),
  billingOptimization: Type.Optional(part<BillingOptimization>(billingOptimizationSchema)),
  state: orderState,
  cancelReason: Type.Optional(text),
  payment: Type.Optional(part<Payments>(paymentsSchema)),
  disclosures: Type.Optional(part<Disclosures>(disclosuresSchema))
})
/** An order. Fulfil it when `order.accepted` says so. */
export interface Order extends Static<typeof orderSchema> {}
