import { Type, type Static } from 'typebox'

import { flag, instant, metadata, oneOf, resource, text } from './kinds.ts'

export const skuSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  updatedTime: Type.Optional(instant),
  /** Export Control Classification Number. */
  eccn: Type.Optional(text),
  /** Harmonized System code, for customs. */
  hsCode: Type.Optional(text),
  skuGroupId: Type.Optional(text),
  partNumber: Type.Optional(text),
  manufacturerId: Type.Optional(text),
  /** Set where a warehouse of Digital River ships it. */
  managedFulfillment: Type.Optional(oneOf('DRGlobalFulfillment')),
  /** Whether it is shipped. */
  physical: Type.Optional(flag),
  taxCode: Type.Optional(text),
  name: Type.Optional(text),
  description: Type.Optional(text),
  /** A URL. */
  image: Type.Optional(text),
  url: Type.Optional(text),
  /** Where it was made: ISO 3166-1 alpha-2. */
  countryOfOrigin: Type.Optional(text),
  /** In `weightUnit`. */
  weight: Type.Optional(Type.Number()),
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
