import { Type, type Static, type TObject } from 'typebox'

import { amount, flag, instant, oneOf, parts, resource, text } from './kinds.ts'

const movement = {
  /** The id of this movement of money. */
  id: Type.Optional(text),
  /** When it was asked for. */
  createdTime: Type.Optional(instant),
  /** When it was last changed. */
  updatedTime: Type.Optional(instant),
  /** In major units of the charge's currency; it may be a part of the charge. */
  amount: Type.Optional(amount),
  /** Why it failed, as a code for programs, such as failed-request. Absent if it did not fail. */
  failureCode: Type.Optional(text),
  /** The same for a person. */
  failureMessage: Type.Optional(text)
}

const ofCancel = {
  /** How far the release has come. */
  state: Type.Optional(oneOf('pending', 'pending_information', 'complete', 'failed'))
}
export const cancelSchema: TObject<typeof movement & typeof ofCancel> = resource({ ...movement, ...ofCancel })
/** The release of an authorised amount that will not be captured. */
export interface Cancel extends Static<typeof cancelSchema> {}

const ofCapture = {
  /** How far the collection has come. */
  state: Type.Optional(oneOf('pending', 'complete', 'failed')),
  /** The id of the fulfillment that it pays for: that of `fulfillment.created`. */
  // In a sample only.
  fulfillmentId: Type.Optional(text)
}
export const captureSchema: TObject<typeof movement & typeof ofCapture> = resource({ ...movement, ...ofCapture })
/** The collection of an authorised amount, or of a part of it. */
export interface Capture extends Static<typeof captureSchema> {}

const ofRefund = {
  /** How far the money has come. */
  state: Type.Optional(oneOf('pending', 'complete', 'failed'))
}
export const refundSchema: TObject<typeof movement & typeof ofRefund> = resource({ ...movement, ...ofRefund })
/** Money given back on a charge. The refund that `refund.*` events carry is another resource: OrderRefund. */
export interface Refund extends Static<typeof refundSchema> {}

export const chargeSchema = resource({
  /** Digital River's id of the charge. */
  id: text,
  /** When the charge was made. */
  createdTime: instant,
  /** ISO 4217, such as EUR. */
  currency: text,
  /** What is charged, in major units of the currency. */
  amount: amount,
  /**
   * How far the charge has come. It is not the last word of the event's type: a charge whose capture failed, or was
   * cancelled in part, is still `capturable`.
   */
  state: oneOf('pending', 'capturable', 'processing', 'complete', 'cancelled', 'failed'),
  /** The id of the order that is paid. Events on a charge have it; the charges inside an order or an invoice do not. */
  orderId: Type.Optional(text),
  /** The id of the payment method that is charged: one of the order's `payment.sources`. */
  sourceId: Type.Optional(text),
  /** Why the charge failed, as a code for programs. Absent if it did not fail. */
  failureCode: Type.Optional(text),
  /** The same for a person. */
  failureMessage: Type.Optional(text),
  /**
   * The id of the payment session that it belongs to. Events on a charge have it; the charges inside an order do not.
   */
  paymentSessionId: Type.Optional(text),
  /** Releases of what will not be collected; absent where there was none. */
  cancels: Type.Optional(parts<Cancel>(cancelSchema)),
  /** Collections so far, failed ones too; absent where none was asked for. */
  captures: Type.Optional(parts<Capture>(captureSchema)),
  /** Whether a capture was asked for: true even if it failed. Its result is in `captures`. */
  captured: Type.Optional(flag),
  /** What was given back so far, failed tries too; absent where nothing was asked for. */
  refunds: Type.Optional(parts<Refund>(refundSchema)),
  /** Whether a refund was asked for: true even if it failed. Its result is in `refunds`. */
  refunded: Type.Optional(flag),
  /** Who set it off. `moto`: an order by mail or telephone. */
  type: Type.Optional(oneOf('customer_initiated', 'merchant_initiated', 'moto')),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** One collection of money for an order from one payment method. */
export interface Charge extends Static<typeof chargeSchema> {}
