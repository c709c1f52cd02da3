import { Type, type Static } from 'typebox'

import { amount, flag, instant, oneOf, parts, resource, text } from './kinds.ts'

const movement = {
  /** The id of this movement of money. */
  id: Type.Optional(text),
  createdTime: Type.Optional(instant),
  updatedTime: Type.Optional(instant),
  /** In major units of the charge's currency. */
  amount: Type.Optional(amount),
  /** A code for a program to tell why it failed; only where it did. */
  failureCode: Type.Optional(text),
  /** The same for a person. */
  failureMessage: Type.Optional(text)
}

export const cancelSchema = resource({
  ...movement,
  state: Type.Optional(oneOf('pending', 'pending_information', 'complete', 'failed'))
})
/** The release of an authorised amount that will not be captured. */
export interface Cancel extends Static<typeof cancelSchema> {}

export const captureSchema = resource({
  ...movement,
  state: Type.Optional(oneOf('pending', 'complete', 'failed')),
  /** The fulfillment that it pays for. */
  // In a sample only.
  fulfillmentId: Type.Optional(text)
})
/** The collection of an authorised amount, or of a part of it. */
export interface Capture extends Static<typeof captureSchema> {}

export const refundSchema = resource({
  ...movement,
  state: Type.Optional(oneOf('pending', 'complete', 'failed'))
})
/** Money given back on a charge. The refund that `refund.*` events carry is another resource: OrderRefund. */
export interface Refund extends Static<typeof refundSchema> {}

export const chargeSchema = resource({
  id: text,
  createdTime: instant,
  /** ISO 4217, such as EUR. */
  currency: text,
  /** What is charged, in major units of the currency. */
  amount: amount,
  state: oneOf('pending', 'capturable', 'processing', 'complete', 'cancelled', 'failed'),
  orderId: Type.Optional(text),
  /** The payment method that is charged. */
  sourceId: Type.Optional(text),
  /** A code for a program to tell why it failed; only where it did. */
  failureCode: Type.Optional(text),
  /** The same for a person. */
  failureMessage: Type.Optional(text),
  paymentSessionId: Type.Optional(text),
  cancels: Type.Optional(parts<Cancel>(cancelSchema)),
  captures: Type.Optional(parts<Capture>(captureSchema)),
  /** Whether all of it was collected. */
  captured: Type.Optional(flag),
  refunds: Type.Optional(parts<Refund>(refundSchema)),
  /** Whether anything was given back. */
  refunded: Type.Optional(flag),
  /** Who set it off. */
  type: Type.Optional(oneOf('customer_initiated', 'merchant_initiated', 'moto')),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** One collection of money for an order from one payment method. */
export interface Charge extends Static<typeof chargeSchema> {}
