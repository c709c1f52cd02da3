import { Type, type Static } from 'typebox'

import { flag, instant, metadata, oneOf, resource, text } from './kinds.ts'

export const skuSchema = resource({
  /** The id of the SKU; items name it in `skuId`. */
  id: text,
  /** When the SKU was added. */
  createdTime: Type.Optional(instant),
  /** When the SKU was last changed. */
  updatedTime: Type.Optional(instant),
  /** Export Control Classification Number. */
  eccn: Type.Optional(text),
  /** Harmonized System code, for customs. */
  hsCode: Type.Optional(text),
  /** The id of the group that gives its tax code and export data. */
  skuGroupId: Type.Optional(text),
  /** The maker's or the merchant's number of the product. */
  partNumber: Type.Optional(text),
  /** The id of the manufacturer. */
  manufacturerId: Type.Optional(text),
  /** Digital River's id of the partner that sells it. */
  partnerAccountId: Type.Optional(text),
  /** Set where a warehouse of Digital River ships it. */
  managedFulfillment: Type.Optional(oneOf('DRGlobalFulfillment')),
  /** Whether it is shipped. */
  physical: Type.Optional(flag),
  /** Says how it is taxed. */
  taxCode: Type.Optional(text),
  /** The name of the product. */
  name: Type.Optional(text),
  /** What the product is, in words. */
  description: Type.Optional(text),
  /** Where a picture of it lies: a URL. */
  image: Type.Optional(text),
  /** Where the product is shown. */
  url: Type.Optional(text),
  /** Where it was made: ISO 3166-1 alpha-2. */
  countryOfOrigin: Type.Optional(text),
  /** In `weightUnit`. */
  weight: Type.Optional(Type.Number()),
  /** The unit of `weight`: ounces, pounds, grams or kilograms. */
  weightUnit: Type.Optional(oneOf('oz', 'lb', 'g', 'kg')),
  /** Where it stands in the catalogue of the shop. */
  itemBreadcrumb: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** A product as it is sold. */
export interface Sku extends Static<typeof skuSchema> {}
