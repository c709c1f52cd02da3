import { Type, type Static } from 'typebox'

import { type ShipFrom, shipFromSchema } from './address.ts'
import { type SkuDiscount, skuDiscountSchema } from './discount.ts'
import { amount, flag, instant, metadata, oneOf, part, parts, rate, resource, text } from './kinds.ts'

export const productDetailsSchema = resource({
  /** The id of the SKU, in samples equal to the item's `skuId`. */
  id: Type.Optional(text),
  /** The id of the group that gives its tax code and export data. */
  skuGroupId: Type.Optional(text),
  /** The name of the product. */
  name: Type.Optional(text),
  /** A description of the product. */
  description: Type.Optional(text),
  /** The URL of the product's page. */
  url: Type.Optional(text),
  /** The country of origin: ISO 3166-1 alpha-2. */
  countryOfOrigin: Type.Optional(text),
  /** The URL of a picture of it. */
  image: Type.Optional(text),
  /** In `weightUnit`. */
  weight: Type.Optional(Type.Number()),
  /** The unit of `weight`: ounces, pounds, grams or kilograms. */
  weightUnit: Type.Optional(oneOf('oz', 'lb', 'g', 'kg')),
  /** The manufacturer's or the merchant's part number. */
  partNumber: Type.Optional(text),
  /** The place in the shop's catalogue: the names of the categories, with > between them. */
  itemBreadcrumb: Type.Optional(text),
  /** Digital River's id of the partner that sells the SKU. */
  partnerAccountId: Type.Optional(text),
  /** Whether it is shipped. Only in expanded events. */
  physical: Type.Optional(flag),
  /** The merchant's own fields. Only in expanded events. */
  metadata: Type.Optional(metadata)
})
/**
 * The product that is sold: a description of the item's SKU. In samples it always appears with a `skuId`; some items
 * have only a `skuId`.
 */
export interface ProductDetails extends Static<typeof productDetailsSchema> {}

export const subscriptionInfoSchema = resource({
  /** Whether the period is free. */
  freeTrial: Type.Optional(flag),
  /** Whether it renews automatically. */
  autoRenewal: Type.Optional(flag),
  /** The terms that the buyer agreed to. */
  terms: Type.Optional(text),
  /** The id of the plan. */
  planId: Type.Optional(text),
  /** The id of the subscription. */
  subscriptionId: Type.Optional(text),
  /** The id of the agreement that permits renewal charges. */
  billingAgreementId: Type.Optional(text),
  /** When the period begins. */
  startTime: Type.Optional(instant),
  /** When the period ends. */
  endTime: Type.Optional(instant)
})
/** The subscription that an item belongs to. */
export interface SubscriptionInfo extends Static<typeof subscriptionInfoSchema> {}

export const feeDetailsSchema = resource({
  /** Digital River's id of the fee. */
  id: Type.Optional(text),
  /** The reason for the fee: batteries, electronic waste, copyright, packaging. */
  type: Type.Optional(oneOf('battery', 'weee', 'copyright', 'e_waste', 'packaging')),
  /** For all pieces, in major units of the currency. */
  amount: Type.Optional(amount),
  /** For one piece, in major units of the currency. */
  perUnitAmount: Type.Optional(amount)
})
/** One regulatory fee. */
export interface FeeDetails extends Static<typeof feeDetailsSchema> {}

export const feesSchema = resource({
  /** The individual fees; absent if there are none. */
  details: Type.Optional(parts<FeeDetails>(feeDetailsSchema)),
  /** The sum of the item's fees, without tax, in major units of the currency. */
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

/** The common fields of the items of a checkout, an order and an invoice. */
export const item = {
  /** The id of the SKU. */
  // Present in every sample. But a request may describe the product in `productDetails` instead, and no sample shows
  // the result.
  skuId: Type.Optional(text),
  /** The product that is sold. */
  productDetails: Type.Optional(part<ProductDetails>(productDetailsSchema)),
  /** The subscription that the line belongs to, if any. */
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

/** More fields of the items of a checkout and an order. */
export const shippedItem = {
  /** The seller's tax number for this item. */
  sellerTaxIdentifier: Type.Optional(text),
  /** The discount on the line. */
  discount: Type.Optional(part<SkuDiscount>(skuDiscountSchema)),
  /** Where the line is shipped from, if not from the common place. */
  shipFrom: Type.Optional(part<ShipFrom>(shipFromSchema)),
  /** The part of the shipping cost that falls on the line. */
  shipping: Type.Optional(part<ItemShipping>(itemShippingSchema))
}
