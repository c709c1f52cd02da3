import { Type, type Static, type TObject } from 'typebox'

import { amount, flag, instant, oneOf, parts, resource, text } from './kinds.ts'

const movement = {
  /** The id of this transaction. */
  id: Type.Optional(text),
  /** When it was requested. */
  createdTime: Type.Optional(instant),
  /** When it was last changed. */
  updatedTime: Type.Optional(instant),
  /** In major units of the charge's currency; may be less than the whole charge. */
  amount: Type.Optional(amount),
  /** A machine-readable reason for the failure, such as failed-request. Absent if it did not fail. */
  failureCode: Type.Optional(text),
  /** The reason for the failure, for a person. */
  failureMessage: Type.Optional(text)
}

const ofCancel = {
  /** The state of the release. */
  state: Type.Optional(oneOf('pending', 'pending_information', 'complete', 'failed'))
}
export const cancelSchema: TObject<typeof movement & typeof ofCancel> = resource({ ...movement, ...ofCancel })
/** The release of an authorised amount that will not be captured. */
export interface Cancel extends Static<typeof cancelSchema> {}

const ofCapture = {
  /** The state of the capture. */
  state: Type.Optional(oneOf('pending', 'complete', 'failed')),
  /** The id of the fulfillment that it is for: that of `fulfillment.created`. */
  // Seen in one sample only.
  fulfillmentId: Type.Optional(text)
}
export const captureSchema: TObject<typeof movement & typeof ofCapture> = resource({ ...movement, ...ofCapture })
/** The capture of an authorised amount, or of a part of it. */
export interface Capture extends Static<typeof captureSchema> {}

const ofRefund = {
  /** The state of the refund. */
  state: Type.Optional(oneOf('pending', 'complete', 'failed'))
}
export const refundSchema: TObject<typeof movement & typeof ofRefund> = resource({ ...movement, ...ofRefund })
/** Money returned on a charge. The refund in `refund.*` events is another resource: OrderRefund. */
export interface Refund extends Static<typeof refundSchema> {}

export const chargeSchema = resource({
  /** Digital River's id of the charge. */
  id: text,
  /** When the charge was made. */
  createdTime: instant,
  /** ISO 4217, such as EUR. */
  currency: text,
  /** The charged amount, in major units of the currency. */
  amount: amount,
  /**
   * The state of the charge. It may differ from the last word of the event's type: a charge whose capture failed, or
   * was cancelled in part, is still `capturable`.
   */
  state: oneOf('pending', 'capturable', 'processing', 'complete', 'cancelled', 'failed'),
  /** The id of the order. Present in events on a charge, absent in the charges inside an order or an invoice. */
  orderId: Type.Optional(text),
  /** The id of the charged payment method: one of the order's `payment.sources`. */
  sourceId: Type.Optional(text),
  /** A machine-readable reason for the failure. Absent if the charge did not fail. */
  failureCode: Type.Optional(text),
  /** The reason for the failure, for a person. */
  failureMessage: Type.Optional(text),
  /** The id of its payment session. Present in events on a charge, absent in the charges inside an order. */
  paymentSessionId: Type.Optional(text),
  /** Releases of amounts that will not be captured; absent if there are none. */
  cancels: Type.Optional(parts<Cancel>(cancelSchema)),
  /** Captures so far, including failed ones; absent if none was requested. */
  captures: Type.Optional(parts<Capture>(captureSchema)),
  /** Whether a capture was requested: true even if it failed. Its result is in `captures`. */
  captured: Type.Optional(flag),
  /** Refunds so far, including failed ones; absent if none was requested. */
  refunds: Type.Optional(parts<Refund>(refundSchema)),
  /** Whether a refund was requested: true even if it failed. Its result is in `refunds`. */
  refunded: Type.Optional(flag),
  /** The initiator. `moto`: an order by mail or telephone. */
  type: Type.Optional(oneOf('customer_initiated', 'merchant_initiated', 'moto')),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** One payment for an order with one payment method. */
export interface Charge extends Static<typeof chargeSchema> {}
