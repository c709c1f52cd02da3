import { Type, type Static, type TObject } from 'typebox'

import { amount, instant, metadata, oneOf, part, rate, resource, text } from './kinds.ts'
import { parties } from './payout.ts'

export const payoutAmountsSchema = resource({
  /** The currency of the payout, and of all amounts here: ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** The exchange rate from the currency of the sale to that of the payout. */
  exchangeRate: Type.Optional(rate),
  /** The amount of the sale, in major units of the payout's currency, like all amounts here. */
  amount: Type.Optional(amount),
  /** The included tax. */
  tax: Type.Optional(amount),
  /** The included shipping cost. */
  shipping: Type.Optional(amount),
  /** The included regulatory fees. */
  regulatoryFees: Type.Optional(amount),
  /** Import duties and taxes. */
  landedCost: Type.Optional(amount),
  /** The price of the product. */
  productPrice: Type.Optional(amount),
  /** Digital River's share. */
  digitalRiverShare: Type.Optional(amount),
  /** The distributor's share. */
  distributorShare: Type.Optional(amount),
  /** The cost of the transaction. */
  transactionFees: Type.Optional(amount),
  /** The discount on shipping. */
  shippingDiscount: Type.Optional(amount),
  /** The discount on the regulatory fees. */
  regulatoryFeeDiscount: Type.Optional(amount),
  /** The shipping cost that is passed on. */
  remitShipping: Type.Optional(amount),
  /** The import duties and taxes that are passed on. */
  remitLandedCost: Type.Optional(amount),
  /** The merchant's share. */
  payoutAmount: Type.Optional(amount),
  /** The amount paid by store credit. */
  storeCredit: Type.Optional(amount)
})
/** The calculation of the merchant's share, in the currency of the payout. */
export interface PayoutAmounts extends Static<typeof payoutAmountsSchema> {}

const ofSalesTransaction = {
  /** Digital River's id of the line. */
  id: text,
  /** When the line was made. */
  createdTime: Type.Optional(instant),
  /** When the line was last changed. */
  updatedTime: Type.Optional(instant),
  /** When the sale, or the other transaction, took place. */
  saleTime: Type.Optional(instant),
  /** The id of its sales summary. */
  salesSummaryId: Type.Optional(text),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** In major units of the currency; negative if money is returned. A chargeback may also have 0, for its fee. */
  amount: Type.Optional(amount),
  /** The type of transaction: a sale, or one of its reversals. */
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
  /** The calculation of the merchant's share. */
  payoutAmounts: Type.Optional(part<PayoutAmounts>(payoutAmountsSchema)),
  /** The merchant's own id of the order. */
  orderUpstreamId: Type.Optional(text),
  /** The same, in the older model. Read `orderUpstreamId ?? orderUpstreamID`. */
  orderUpstreamID: Type.Optional(text),
  /** The tax code of the SKU. */
  skuTaxCode: Type.Optional(text),
  /** The country that it was shipped from. */
  shipFromCountry: Type.Optional(text),
  /** The state, province or region that it was shipped from. */
  shipFromState: Type.Optional(text),
  /** The country that it was shipped to. */
  shipToCountry: Type.Optional(text),
  /** The state, province or region that it was shipped to. */
  shipToState: Type.Optional(text),
  /** The billing country. */
  billToCountry: Type.Optional(text),
  /** The billing state, province or region. */
  billToState: Type.Optional(text),
  /** The payment method. */
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
 * One line of the settlement between Digital River and the merchant. `order.chargeback` carries it too; the order is
 * `orderId`.
 */
export interface SalesTransaction extends Static<typeof salesTransactionSchema> {}
