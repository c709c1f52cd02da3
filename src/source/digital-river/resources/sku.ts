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
  /** The manufacturer's or the merchant's part number. */
  partNumber: Type.Optional(text),
  /** The id of the manufacturer. */
  manufacturerId: Type.Optional(text),
  /** Digital River's id of the partner that sells it. */
  partnerAccountId: Type.Optional(text),
  /** Present if a warehouse of Digital River ships it. */
  managedFulfillment: Type.Optional(oneOf('DRGlobalFulfillment')),
  /** Whether it is shipped. */
  physical: Type.Optional(flag),
  /** The tax code. */
  taxCode: Type.Optional(text),
  /** The name of the product. */
  name: Type.Optional(text),
  /** A description of the product. */
  description: Type.Optional(text),
  /** The URL of a picture of it. */
  image: Type.Optional(text),
  /** The URL of the product's page. */
  url: Type.Optional(text),
  /** The country of origin: ISO 3166-1 alpha-2. */
  countryOfOrigin: Type.Optional(text),
  /** In `weightUnit`. */
  weight: Type.Optional(Type.Number()),
  /** The unit of `weight`: ounces, pounds, grams or kilograms. */
  weightUnit: Type.Optional(oneOf('oz', 'lb', 'g', 'kg')),
  /** The place in the shop's catalogue. */
  itemBreadcrumb: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** A product that is sold. */
export interface Sku extends Static<typeof skuSchema> {}
