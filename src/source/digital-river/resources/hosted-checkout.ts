import { Type, type Static } from 'typebox'

import { count, flag, metadata, resource, text } from './kinds.ts'

// What only `checkout_session.order.created` has: the order as the provider's hosted checkout made it.

export const consentsSchema = resource({
  /** Digital River's terms of sale. */
  termsOfSale: Type.Optional(flag),
  /** The merchant's terms of service. */
  termsOfService: Type.Optional(flag),
  /** The merchant's end-user licence agreement. */
  eula: Type.Optional(flag)
})
/** The legal texts that the buyer was shown: true where the buyer agreed. */
export interface Consents extends Static<typeof consentsSchema> {}

export const pricingFormatSchema = resource({
  /** How digits are grouped and decimals set apart, such as `#,###.##`. */
  currencyNumberFormat: Type.Optional(text),
  /** The sign of the currency, such as €. */
  symbol: Type.Optional(text),
  /** How many decimals a price has; 0 for a yen. */
  decimalPlaces: Type.Optional(count),
  /** Whether the sign stands before the price. */
  currencySymbolBeforePrice: Type.Optional(flag),
  /** Whether a space stands between the sign and the price. */
  useCurrencySymbolSpace: Type.Optional(flag)
})
/** How the buyer was shown prices. */
export interface PricingFormat extends Static<typeof pricingFormatSchema> {}

export const sessionSkuSchema = resource({
  /** The id of the SKU: the same as the item's `skuId`. */
  id: Type.Optional(text),
  /** Export Control Classification Number. */
  eccn: Type.Optional(text),
  /** Says how it is taxed. */
  taxCode: Type.Optional(text),
  /** The name of the product. */
  name: Type.Optional(text),
  /** Where a picture of it lies: a URL. */
  image: Type.Optional(text),
  /** Where the product is shown. */
  url: Type.Optional(text),
  /** Whether it is shipped. */
  physical: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** A SKU as the merchant described it to the hosted checkout. */
export interface SessionSku extends Static<typeof sessionSkuSchema> {}
