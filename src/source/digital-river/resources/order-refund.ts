import { Type, type Static } from 'typebox'

import { amount, count, flag, instant, metadata, oneOf, part, parts, resource, text } from './kinds.ts'

export const refundItemSchema = resource({
  /** What of the line is given back; absent for its price. */
  type: Type.Optional(oneOf('shipping', 'fees', 'duty')),
  /** The line of the order. */
  itemId: Type.Optional(text),
  skuId: Type.Optional(text),
  quantity: Type.Optional(count),
  /** What is to be given back. */
  amount: Type.Optional(amount),
  /** The same as a percentage: 10 is ten percent. */
  percent: Type.Optional(Type.Number()),
  /** What was given back so far. */
  refundedAmount: Type.Optional(amount)
})
/** What is given back for one line of the order. */
export interface RefundItem extends Static<typeof refundItemSchema> {}

export const tokenInformationSchema = resource({
  /** Keep it out of logs. */
  token: Type.Optional(text),
  expiresTime: Type.Optional(instant)
})
/** With what a buyer opens the page that asks for bank details. */
export interface TokenInformation extends Static<typeof tokenInformationSchema> {}

export const refundChargesSchema = resource({
  createdTime: Type.Optional(instant),
  amount: Type.Optional(amount),
  // A sample has pending_information, which the model lacks.
  state: Type.Optional(oneOf('pending', 'pending_information', 'complete', 'failed'))
})
/** One movement of money of a refund. */
export interface RefundCharges extends Static<typeof refundChargesSchema> {}

export const chargesSchema = resource({
  id: Type.Optional(text),
  captured: Type.Optional(flag),
  refunded: Type.Optional(flag),
  refunds: Type.Optional(parts<RefundCharges>(refundChargesSchema)),
  sourceId: Type.Optional(text)
})
/** A charge of the order, and what was given back on it. */
export interface Charges extends Static<typeof chargesSchema> {}

export const orderRefundSchema = resource({
  id: text,
  createdTime: instant,
  orderId: text,
  invoiceId: Type.Optional(text),
  /** ISO 4217, such as EUR. */
  currency: text,
  /** Given where it is not for items. */
  type: Type.Optional(oneOf('shipping', 'tax', 'duty', 'importer_tax')),
  /** What was asked for; absent where items say it. */
  amount: Type.Optional(amount),
  /** What was given back so far, in major units of the currency. */
  refundedAmount: amount,
  items: Type.Optional(parts<RefundItem>(refundItemSchema)),
  reason: Type.Optional(text),
  failureReason: Type.Optional(text),
  /** Not the last word of the event's type: a `refund.complete` has `succeeded`. */
  state: oneOf('pending_information', 'pending', 'succeeded', 'failed', 'expired'),
  /** Where the buyer must say on which account to pay. */
  tokenInformation: Type.Optional(part<TokenInformation>(tokenInformationSchema)),
  expiresTime: Type.Optional(instant),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  charges: Type.Optional(parts<Charges>(chargesSchema)),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** Money given back to a buyer. The SDK calls it OrderRefund; its Refund is the part of a charge. */
export interface OrderRefund extends Static<typeof orderRefundSchema> {}
