import { Type, type Static } from 'typebox'

import { count, flag, metadata, resource, text } from './kinds.ts'

// Fields that only `checkout_session.order.created` has: the order as the provider's hosted checkout made it.

export const consentsSchema = resource({
  /** Digital River's terms of sale. */
  termsOfSale: Type.Optional(flag),
  /** The merchant's terms of service. */
  termsOfService: Type.Optional(flag),
  /** The merchant's end-user licence agreement. */
  eula: Type.Optional(flag)
})
/** The legal texts that the buyer was shown: true if the buyer agreed. */
export interface Consents extends Static<typeof consentsSchema> {}

export const pricingFormatSchema = resource({
  /** The number format, such as `#,###.##`. */
  currencyNumberFormat: Type.Optional(text),
  /** The currency sign, such as €. */
  symbol: Type.Optional(text),
  /** The number of decimals of a price; 0 for yen. */
  decimalPlaces: Type.Optional(count),
  /** Whether the sign stands before the price. */
  currencySymbolBeforePrice: Type.Optional(flag),
  /** Whether a space stands between the sign and the price. */
  useCurrencySymbolSpace: Type.Optional(flag)
})
/** The format of the prices that the buyer saw. */
export interface PricingFormat extends Static<typeof pricingFormatSchema> {}

export const sessionSkuSchema = resource({
  /** The id of the SKU, equal to the item's `skuId`. */
  id: Type.Optional(text),
  /** Export Control Classification Number. */
  eccn: Type.Optional(text),
  /** The tax code. */
  taxCode: Type.Optional(text),
  /** The name of the product. */
  name: Type.Optional(text),
  /** The URL of a picture of it. */
  image: Type.Optional(text),
  /** The URL of the product's page. */
  url: Type.Optional(text),
  /** Whether it is shipped. */
  physical: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** A SKU as the merchant described it to the hosted checkout. */
export interface SessionSku extends Static<typeof sessionSkuSchema> {}
