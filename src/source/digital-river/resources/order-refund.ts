import { Type, type Static } from 'typebox'

import { amount, count, flag, instant, metadata, nullable, oneOf, part, parts, resource, text } from './kinds.ts'

export const refundItemSchema = resource({
  /** The part of the line that is refunded; absent for its price. */
  type: Type.Optional(oneOf('shipping', 'fees', 'duty')),
  /** The id of the line of the order: `id` in its `items`. */
  itemId: Type.Optional(text),
  /** The id of the SKU. */
  skuId: Type.Optional(text),
  /** How many pieces it is for. */
  quantity: Type.Optional(count),
  /** The amount to refund, in major units of the currency. */
  amount: Type.Optional(nullable(amount)),
  /** The amount as a percentage: 10 is ten percent. */
  percent: Type.Optional(nullable(Type.Number())),
  /** The refunded amount so far, in major units of the currency. Absent or 0 before the first refund. */
  refundedAmount: Type.Optional(nullable(amount))
})
/** The refund of one line of the order. */
export interface RefundItem extends Static<typeof refundItemSchema> {}

export const tokenInformationSchema = resource({
  /** The token itself. Keep it out of logs. */
  token: Type.Optional(text),
  /** When it expires. */
  expiresTime: Type.Optional(instant)
})
/** Gives a buyer access to the page that asks for bank details. */
export interface TokenInformation extends Static<typeof tokenInformationSchema> {}

export const refundChargesSchema = resource({
  /** When it was requested. */
  createdTime: Type.Optional(instant),
  /** In major units of the currency. */
  amount: Type.Optional(amount),
  /** The state of the payment. */
  // A sample has pending_information, which the model lacks.
  state: Type.Optional(oneOf('pending', 'pending_information', 'complete', 'failed'))
})
/** One payment of a refund. */
export interface RefundCharges extends Static<typeof refundChargesSchema> {}

export const chargesSchema = resource({
  /** Digital River's id of the charge. */
  id: Type.Optional(text),
  /** Whether a capture was requested: true even if it failed. */
  captured: Type.Optional(flag),
  /** Whether a refund was requested: true even if it failed. Its result is in `refunds`. */
  refunded: Type.Optional(flag),
  /** The refunds on the charge, including failed ones. */
  refunds: Type.Optional(parts<RefundCharges>(refundChargesSchema)),
  /** The id of the payment method that receives the money: one of the order's `payment.sources`. */
  sourceId: Type.Optional(text)
})
/** A charge of the order, with its refunds. */
export interface Charges extends Static<typeof chargesSchema> {}

export const orderRefundSchema = resource({
  /** Digital River's id of the refund. */
  id: text,
  /** When the refund was requested. */
  createdTime: instant,
  /** The id of the order. Absent if the refund is of an invoice. */
  // Present in every sample, but those are of orders; a refund may also be of an invoice.
  orderId: Type.Optional(text),
  /** The id of the invoice, if the refund is of one. */
  invoiceId: Type.Optional(text),
  /** ISO 4217, such as EUR. */
  currency: text,
  /** The requested amount. Present if the refund is not for items. */
  type: Type.Optional(oneOf('shipping', 'tax', 'duty', 'importer_tax')),
  /** The requested amount, in major units of the currency; absent if the items have it. */
  amount: Type.Optional(amount),
  /** The refunded amount so far, in major units of the currency; 0 if it failed. */
  refundedAmount: amount,
  /** The refunded lines; empty if the refund is of an amount. */
  items: Type.Optional(parts<RefundItem>(refundItemSchema)),
  /** The reason, for a person; at most 64 characters. */
  reason: Type.Optional(text),
  /** The reason for the failure, for a person. Absent even in the sample of a failed refund. */
  failureReason: Type.Optional(text),
  /** The origin of the refund: a text. The possible values are not documented. */
  source: Type.Optional(text),
  /**
   * The state of the refund. It may differ from the last word of the event's type: a `refund.complete` has `succeeded`.
   */
  state: oneOf('pending_information', 'pending', 'succeeded', 'failed', 'expired'),
  /** The page on which the buyer must name a bank account. */
  tokenInformation: Type.Optional(part<TokenInformation>(tokenInformationSchema)),
  /** When the refund expires. */
  expiresTime: Type.Optional(instant),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The refunded charges. Absent before the first one. */
  charges: Type.Optional(parts<Charges>(chargesSchema)),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** Money returned to a buyer. The SDK calls it OrderRefund; its Refund is the refund of a single charge. */
export interface OrderRefund extends Static<typeof orderRefundSchema> {}
