import { Type, type Static } from 'typebox'

import { type ShipFrom, shipFromSchema } from './address.ts'
import { type SkuDiscount, skuDiscountSchema } from './discount.ts'
import { amount, count, flag, instant, metadata, oneOf, part, parts, rate, resource, text } from './kinds.ts'

export const productDetailsSchema = resource({
  /** The id of the SKU, or of this description where none is kept. */
  id: Type.Optional(text),
  /** The group that gives its tax code and export data. */
  skuGroupId: Type.Optional(text),
  name: Type.Optional(text),
  description: Type.Optional(text),
  url: Type.Optional(text),
  /** Where it was made: ISO 3166-1 alpha-2. */
  countryOfOrigin: Type.Optional(text),
  /** A URL. */
  image: Type.Optional(text),
  /** In `weightUnit`. */
  weight: Type.Optional(Type.Number()),
  weightUnit: Type.Optional(oneOf('oz', 'lb', 'g', 'kg')),
  partNumber: Type.Optional(text),
  /** Whether it is shipped. */
  // Only in expanded events, as is metadata.
  physical: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** What is sold. Given with the item when no SKU was kept for it. */
export interface ProductDetails extends Static<typeof productDetailsSchema> {}

export const subscriptionInfoSchema = resource({
  freeTrial: Type.Optional(flag),
  /** Whether it renews by itself. */
  autoRenewal: Type.Optional(flag),
  /** What the buyer agreed to. */
  terms: Type.Optional(text),
  planId: Type.Optional(text),
  subscriptionId: Type.Optional(text),
  /** By which renewals are charged. */
  billingAgreementId: Type.Optional(text),
  startTime: Type.Optional(instant),
  endTime: Type.Optional(instant)
})
/** How an item belongs to a subscription. */
export interface SubscriptionInfo extends Static<typeof subscriptionInfoSchema> {}

export const feeDetailsSchema = resource({
  id: Type.Optional(text),
  type: Type.Optional(oneOf('battery', 'weee', 'copyright', 'e_waste', 'packaging')),
  amount: Type.Optional(amount),
  /** For one piece. */
  perUnitAmount: Type.Optional(amount)
})
/** One regulatory fee. */
export interface FeeDetails extends Static<typeof feeDetailsSchema> {}

export const feesSchema = resource({
  details: Type.Optional(parts<FeeDetails>(feeDetailsSchema)),
  /** All fees of the item, without tax. */
  amount: Type.Optional(amount),
  /** The tax on the fees. */
  taxAmount: Type.Optional(amount)
})
/** The regulatory fees of an item, such as for batteries or electronic waste. */
export interface Fees extends Static<typeof feesSchema> {}

export const taxSchema = resource({
  /** 0.0725 is 7.25 percent. */
  rate: Type.Optional(rate),
  amount: Type.Optional(amount)
})
/** The tax on an item. */
export interface Tax extends Static<typeof taxSchema> {}

export const importerTaxSchema = resource({
  amount: Type.Optional(amount)
})
/** The tax that the importer of record pays. */
export interface ImporterTax extends Static<typeof importerTaxSchema> {}

export const dutiesSchema = resource({
  amount: Type.Optional(amount)
})
/** The customs duty on an item. */
export interface Duties extends Static<typeof dutiesSchema> {}

export const itemShippingSchema = resource({
  amount: Type.Optional(amount),
  /** The tax on it. */
  taxAmount: Type.Optional(amount)
})
/** The part of the shipping cost that falls on an item. */
export interface ItemShipping extends Static<typeof itemShippingSchema> {}

/** What the items of a checkout, an order and an invoice have in common. */
export const item = {
  id: Type.Optional(text),
  skuId: Type.Optional(text),
  productDetails: Type.Optional(part<ProductDetails>(productDetailsSchema)),
  subscriptionInfo: Type.Optional(part<SubscriptionInfo>(subscriptionInfoSchema)),
  fees: Type.Optional(part<Fees>(feesSchema)),
  /** How many pieces. */
  quantity: Type.Optional(count),
  /** For all pieces, in major units of the currency, without tax. */
  amount: Type.Optional(amount),
  tax: Type.Optional(part<Tax>(taxSchema)),
  importerTax: Type.Optional(part<ImporterTax>(importerTaxSchema)),
  duties: Type.Optional(part<Duties>(dutiesSchema)),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
}

/** What those of a checkout and an order have besides. */
export const shippedItem = {
  /** The tax number of the seller that applies to the item. */
  sellerTaxIdentifier: Type.Optional(text),
  discount: Type.Optional(part<SkuDiscount>(skuDiscountSchema)),
  shipFrom: Type.Optional(part<ShipFrom>(shipFromSchema)),
  shipping: Type.Optional(part<ItemShipping>(itemShippingSchema))
}
