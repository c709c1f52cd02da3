import { Type, type Static, type TObject } from 'typebox'

import { amount, instant, metadata, oneOf, part, rate, resource, text } from './kinds.ts'
import { parties } from './payout.ts'

export const payoutAmountsSchema = resource({
  /** The currency of the payout, and so of all amounts here: ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** From the currency of the sale to that of the payout. */
  exchangeRate: Type.Optional(rate),
  /** The amount of the sale, in major units of the payout's currency, as are all others here. */
  amount: Type.Optional(amount),
  /** The tax in it. */
  tax: Type.Optional(amount),
  /** The shipping cost in it. */
  shipping: Type.Optional(amount),
  /** The regulatory fees in it. */
  regulatoryFees: Type.Optional(amount),
  /** Duties and taxes on import. */
  landedCost: Type.Optional(amount),
  /** The price of the product. */
  productPrice: Type.Optional(amount),
  /** What Digital River keeps. */
  digitalRiverShare: Type.Optional(amount),
  /** What a distributor gets. */
  distributorShare: Type.Optional(amount),
  /** What the transaction costs. */
  transactionFees: Type.Optional(amount),
  /** What was taken off shipping. */
  shippingDiscount: Type.Optional(amount),
  /** What was taken off the regulatory fees. */
  regulatoryFeeDiscount: Type.Optional(amount),
  /** The shipping cost that is passed on. */
  remitShipping: Type.Optional(amount),
  /** The duties and taxes on import that are passed on. */
  remitLandedCost: Type.Optional(amount),
  /** What remains for the merchant. */
  payoutAmount: Type.Optional(amount),
  /** What was paid by store credit. */
  storeCredit: Type.Optional(amount)
})
/** How the amount that the merchant gets came about. In the currency of the payout. */
export interface PayoutAmounts extends Static<typeof payoutAmountsSchema> {}

const ofSalesTransaction = {
  /** Digital River's id of the line. */
  id: text,
  /** When the line was made. */
  createdTime: Type.Optional(instant),
  /** When the line was last changed. */
  updatedTime: Type.Optional(instant),
  /** When the sale, or what else it is about, took place. */
  saleTime: Type.Optional(instant),
  /** The id of the sales summary that it counts in. */
  salesSummaryId: Type.Optional(text),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** In major units of the currency; below 0 where money goes back. Of a chargeback also 0: its fee. */
  amount: Type.Optional(amount),
  /** What it is about: a sale, or one of the ways in which a sale is undone. */
  type: Type.Optional(
    oneOf(
      'sale',
      'replacement',
      'replacement_refund',
      'replacement_return',
      'fraud_chargeback',
      'non_fraud_chargeback',
      'refund',
      'return',
      'fraud_detection',
      'declined_settlement'
    )
  ),
  /** The id of the order. */
  orderId: Type.Optional(text),
  /** The id of the SKU. */
  skuId: Type.Optional(text),
  /** How many pieces. */
  quantity: Type.Optional(Type.Number()),
  /** How the amount that the merchant gets came about. */
  payoutAmounts: Type.Optional(part<PayoutAmounts>(payoutAmountsSchema)),
  /** The merchant's own id for the order. */
  orderUpstreamId: Type.Optional(text),
  /** The same, by the older model. Read `orderUpstreamId ?? orderUpstreamID`. */
  orderUpstreamID: Type.Optional(text),
  /** The tax code of the SKU. */
  skuTaxCode: Type.Optional(text),
  /** Where it left from: a country. */
  shipFromCountry: Type.Optional(text),
  /** Where it left from: a state, province or region. */
  shipFromState: Type.Optional(text),
  /** Where it went to: a country. */
  shipToCountry: Type.Optional(text),
  /** Where it went to: a state, province or region. */
  shipToState: Type.Optional(text),
  /** Where it was billed: a country. */
  billToCountry: Type.Optional(text),
  /** Where it was billed: a state, province or region. */
  billToState: Type.Optional(text),
  /** How it was paid. */
  paymentType: Type.Optional(text),
  /** The id of the line of the order: `id` in its `items`. */
  lineItemId: Type.Optional(text),
  /** The merchant's own fields of the order. */
  orderMetadata: Type.Optional(metadata),
  /** The merchant's own fields of the line of the order. */
  lineItemMetadata: Type.Optional(metadata)
}
export const salesTransactionSchema: TObject<typeof parties & typeof ofSalesTransaction> = resource({
  ...ofSalesTransaction,
  ...parties
})
/**
 * One line of the settlement between Digital River and the merchant. Also what an `order.chargeback` carries; the
 * order is `orderId`.
 */
export interface SalesTransaction extends Static<typeof salesTransactionSchema> {}
