import { Type, type Static } from 'typebox'

import { amount, instant, metadata, oneOf, part, rate, resource, text } from './kinds.ts'
import { parties } from './payout.ts'

export const payoutAmountsSchema = resource({
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** From the currency of the sale to that of the payout. */
  exchangeRate: Type.Optional(rate),
  amount: Type.Optional(amount),
  tax: Type.Optional(amount),
  shipping: Type.Optional(amount),
  regulatoryFees: Type.Optional(amount),
  /** Duties and taxes on import. */
  landedCost: Type.Optional(amount),
  productPrice: Type.Optional(amount),
  digitalRiverShare: Type.Optional(amount),
  distributorShare: Type.Optional(amount),
  transactionFees: Type.Optional(amount),
  shippingDiscount: Type.Optional(amount),
  regulatoryFeeDiscount: Type.Optional(amount),
  remitShipping: Type.Optional(amount),
  remitLandedCost: Type.Optional(amount),
  /** What remains for the merchant. */
  payoutAmount: Type.Optional(amount),
  storeCredit: Type.Optional(amount)
})
/** How the amount that the merchant gets came about. In the currency of the payout. */
export interface PayoutAmounts extends Static<typeof payoutAmountsSchema> {}

export const salesTransactionSchema = resource({
  ...parties,
  id: text,
  createdTime: Type.Optional(instant),
  updatedTime: Type.Optional(instant),
  saleTime: Type.Optional(instant),
  salesSummaryId: Type.Optional(text),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** In major units of the currency; below 0 where money goes back. */
  amount: Type.Optional(amount),
  type: Type.Optional(oneOf(
    'sale', 'replacement', 'replacement_refund', 'replacement_return', 'fraud_chargeback', 'non_fraud_chargeback',
    'refund', 'return', 'fraud_detection', 'declined_settlement'
  )),
  orderId: Type.Optional(text),
  skuId: Type.Optional(text),
  quantity: Type.Optional(Type.Number()),
  payoutAmounts: Type.Optional(part<PayoutAmounts>(payoutAmountsSchema)),
  /** The merchant's own id for the order. */
  orderUpstreamID: Type.Optional(text),
  skuTaxCode: Type.Optional(text),
  shipFromCountry: Type.Optional(text),
  shipToCountry: Type.Optional(text),
  billToCountry: Type.Optional(text),
  paymentType: Type.Optional(text),
  lineItemId: Type.Optional(text),
  orderMetadata: Type.Optional(metadata),
  lineItemMetadata: Type.Optional(metadata)
})
/** One line of the settlement between Digital River and the merchant. */
export interface SalesTransaction extends Static<typeof salesTransactionSchema> {}
