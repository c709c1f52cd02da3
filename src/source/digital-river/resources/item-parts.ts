import { Type, type Static } from 'typebox'

import { type ShipFrom, shipFromSchema } from './address.ts'
import { type SkuDiscount, skuDiscountSchema } from './discount.ts'
import { amount, flag, instant, metadata, oneOf, part, parts, rate, resource, text } from './kinds.ts'

export const productDetailsSchema = resource({
  /** The id of the SKU: in samples the same as the item's `skuId`. */
  id: Type.Optional(text),
  /** The id of the group that gives its tax code and export data. */
  skuGroupId: Type.Optional(text),
  /** The name of the product. */
  name: Type.Optional(text),
  /** What the product is, in words. */
  description: Type.Optional(text),
  /** Where the product is shown. */
  url: Type.Optional(text),
  /** Where it was made: ISO 3166-1 alpha-2. */
  countryOfOrigin: Type.Optional(text),
  /** Where a picture of it lies: a URL. */
  image: Type.Optional(text),
  /** In `weightUnit`. */
  weight: Type.Optional(Type.Number()),
  /** The unit of `weight`: ounces, pounds, grams or kilograms. */
  weightUnit: Type.Optional(oneOf('oz', 'lb', 'g', 'kg')),
  /** The maker's or the merchant's number of the product. */
  partNumber: Type.Optional(text),
  /** Where it stands in the catalogue of the shop: the names of the categories, with > between them. */
  itemBreadcrumb: Type.Optional(text),
  /** Digital River's id of the partner that sells the SKU. */
  partnerAccountId: Type.Optional(text),
  /** Whether it is shipped. Only in expanded events. */
  physical: Type.Optional(flag),
  /** The merchant's own fields. Only in expanded events. */
  metadata: Type.Optional(metadata)
})
/**
 * What is sold: the item's SKU, described. In samples it always stands beside a `skuId`, and some items have a
 * `skuId` alone.
 */
export interface ProductDetails extends Static<typeof productDetailsSchema> {}

export const subscriptionInfoSchema = resource({
  /** Whether the period is free. */
  freeTrial: Type.Optional(flag),
  /** Whether it renews automatically. */
  autoRenewal: Type.Optional(flag),
  /** What the buyer agreed to. */
  terms: Type.Optional(text),
  /** The id of the plan. */
  planId: Type.Optional(text),
  /** The id of the subscription. */
  subscriptionId: Type.Optional(text),
  /** The id of the agreement by which renewals are charged. */
  billingAgreementId: Type.Optional(text),
  /** When the period begins. */
  startTime: Type.Optional(instant),
  /** When the period ends. */
  endTime: Type.Optional(instant)
})
/** How an item belongs to a subscription. */
export interface SubscriptionInfo extends Static<typeof subscriptionInfoSchema> {}

export const feeDetailsSchema = resource({
  /** Digital River's id of the fee. */
  id: Type.Optional(text),
  /** What the fee is for: batteries, electronic waste, copyright, packaging. */
  type: Type.Optional(oneOf('battery', 'weee', 'copyright', 'e_waste', 'packaging')),
  /** For all pieces, in major units of the currency. */
  amount: Type.Optional(amount),
  /** For one piece, in major units of the currency. */
  perUnitAmount: Type.Optional(amount)
})
/** One regulatory fee. */
export interface FeeDetails extends Static<typeof feeDetailsSchema> {}

export const feesSchema = resource({
  /** The single fees; absent if there are none. */
  details: Type.Optional(parts<FeeDetails>(feeDetailsSchema)),
  /** All fees of the item, without tax, in major units of the currency. */
  amount: Type.Optional(amount),
  /** The tax on the fees, in major units of the currency. */
  taxAmount: Type.Optional(amount)
})
/** The regulatory fees of an item, such as for batteries or electronic waste. */
export interface Fees extends Static<typeof feesSchema> {}

export const taxSchema = resource({
  /** The share as a decimal: 0.0725 is 7.25 percent. */
  rate: Type.Optional(rate),
  /** For all pieces, in major units of the currency. */
  amount: Type.Optional(amount)
})
/** The tax on an item. */
export interface Tax extends Static<typeof taxSchema> {}

export const importerTaxSchema = resource({
  /** For all pieces, in major units of the currency. */
  amount: Type.Optional(amount)
})
/** The tax that the importer of record pays. */
export interface ImporterTax extends Static<typeof importerTaxSchema> {}

export const dutiesSchema = resource({
  /** For all pieces, in major units of the currency. */
  amount: Type.Optional(amount)
})
/** The customs duty on an item. */
export interface Duties extends Static<typeof dutiesSchema> {}

export const itemShippingSchema = resource({
  /** Without tax, in major units of the currency. */
  amount: Type.Optional(amount),
  /** The tax on it, in major units of the currency. */
  taxAmount: Type.Optional(amount)
})
/** The part of the shipping cost that falls on an item. */
export interface ItemShipping extends Static<typeof itemShippingSchema> {}

/** What the items of a checkout, an order and an invoice have in common. */
export const item = {
  /** The id of the SKU. */
  // In every sample. A request, however, may describe the product in `productDetails` instead, and no sample shows
  // what comes of that.
  skuId: Type.Optional(text),
  /** What is sold, described. */
  productDetails: Type.Optional(part<ProductDetails>(productDetailsSchema)),
  /** How the line belongs to a subscription; absent where it does not. */
  subscriptionInfo: Type.Optional(part<SubscriptionInfo>(subscriptionInfoSchema)),
  /** The regulatory fees on the line. */
  fees: Type.Optional(part<Fees>(feesSchema)),
  /** The tax on the line. */
  tax: Type.Optional(part<Tax>(taxSchema)),
  /** The tax on the line that the importer of record pays. */
  importerTax: Type.Optional(part<ImporterTax>(importerTaxSchema)),
  /** The customs duty on the line. */
  duties: Type.Optional(part<Duties>(dutiesSchema)),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
}

/** More fields that those of a checkout and an order have. */
export const shippedItem = {
  /** The tax number of the seller that applies to the item. */
  sellerTaxIdentifier: Type.Optional(text),
  /** What the line was reduced by. */
  discount: Type.Optional(part<SkuDiscount>(skuDiscountSchema)),
  /** Where the line leaves from, if not from where the rest does. */
  shipFrom: Type.Optional(part<ShipFrom>(shipFromSchema)),
  /** The part of the shipping cost that falls on the line. */
  shipping: Type.Optional(part<ItemShipping>(itemShippingSchema))
}
