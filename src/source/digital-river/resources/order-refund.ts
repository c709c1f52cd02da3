import { Type, type Static } from 'typebox'

import { amount, count, flag, instant, metadata, nullable, oneOf, part, parts, resource, text } from './kinds.ts'

export const refundItemSchema = resource({
  /** What of the line is given back; absent for its price. */
  type: Type.Optional(oneOf('shipping', 'fees', 'duty')),
  /** The id of the line of the order: `id` in its `items`. */
  itemId: Type.Optional(text),
  /** The id of the SKU. */
  skuId: Type.Optional(text),
  /** How many pieces it is for. */
  quantity: Type.Optional(count),
  /** The amount to refund, in major units of the currency. */
  amount: Type.Optional(nullable(amount)),
  /** The same as a percentage: 10 is ten percent. */
  percent: Type.Optional(nullable(Type.Number())),
  /** What was given back so far, in major units of the currency. Absent, or 0, until then. */
  refundedAmount: Type.Optional(nullable(amount))
})
/** What is given back for one line of the order. */
export interface RefundItem extends Static<typeof refundItemSchema> {}

export const tokenInformationSchema = resource({
  /** The token itself. Keep it out of logs. */
  token: Type.Optional(text),
  /** Until when it works. */
  expiresTime: Type.Optional(instant)
})
/** With what a buyer opens the page that asks for bank details. */
export interface TokenInformation extends Static<typeof tokenInformationSchema> {}

export const refundChargesSchema = resource({
  /** When it was asked for. */
  createdTime: Type.Optional(instant),
  /** In major units of the currency. */
  amount: Type.Optional(amount),
  /** How far the money has come. */
  // A sample has pending_information, which the model lacks.
  state: Type.Optional(oneOf('pending', 'pending_information', 'complete', 'failed'))
})
/** One movement of money of a refund. */
export interface RefundCharges extends Static<typeof refundChargesSchema> {}

export const chargesSchema = resource({
  /** Digital River's id of the charge. */
  id: Type.Optional(text),
  /** Whether a capture was asked for: true even if it failed. */
  captured: Type.Optional(flag),
  /** Whether a refund was asked for: true even if it failed. Its result is in `refunds`. */
  refunded: Type.Optional(flag),
  /** What was given back on the charge, failed tries too. */
  refunds: Type.Optional(parts<RefundCharges>(refundChargesSchema)),
  /** The id of the payment method that gets the money: one of the order's `payment.sources`. */
  sourceId: Type.Optional(text)
})
/** A charge of the order, and what was given back on it. */
export interface Charges extends Static<typeof chargesSchema> {}

export const orderRefundSchema = resource({
  /** Digital River's id of the refund. */
  id: text,
  /** When the refund was asked for. */
  createdTime: instant,
  /** The id of the order. Absent where the refund is of an invoice. */
  // In every sample; but a refund can be asked for of an order or of an invoice, and those are of orders.
  orderId: Type.Optional(text),
  /** The id of the invoice, where the refund is of one. */
  invoiceId: Type.Optional(text),
  /** ISO 4217, such as EUR. */
  currency: text,
  /** Given where it is not for items. */
  type: Type.Optional(oneOf('shipping', 'tax', 'duty', 'importer_tax')),
  /** What was asked for, in major units of the currency; absent where items say it. */
  amount: Type.Optional(amount),
  /** What was given back so far, in major units of the currency; 0 where it failed. */
  refundedAmount: amount,
  /** What is given back line by line; empty where the refund is of an amount. */
  items: Type.Optional(parts<RefundItem>(refundItemSchema)),
  /** Why, in words; at most 64 characters. */
  reason: Type.Optional(text),
  /** Why it failed, in words. Absent even in the sample of one that did. */
  failureReason: Type.Optional(text),
  /** Where the refund came from: a text. What it may be is not documented. */
  source: Type.Optional(text),
  /** Not the last word of the event's type: a `refund.complete` has `succeeded`. */
  state: oneOf('pending_information', 'pending', 'succeeded', 'failed', 'expired'),
  /** Where the buyer must say on which account to pay. */
  tokenInformation: Type.Optional(part<TokenInformation>(tokenInformationSchema)),
  /** When the refund expires. */
  expiresTime: Type.Optional(instant),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The charges that are given back. Absent while nothing was done yet. */
  charges: Type.Optional(parts<Charges>(chargesSchema)),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** Money given back to a buyer. The SDK calls it OrderRefund; its Refund is the part of a charge. */
export interface OrderRefund extends Static<typeof orderRefundSchema> {}
