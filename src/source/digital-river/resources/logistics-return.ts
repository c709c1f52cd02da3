import { Type, type Static } from 'typebox'

import { type Shipping, shippingSchema } from './address.ts'
import { type ProductDetails, productDetailsSchema } from './item-parts.ts'
import { count, flag, instant, oneOf, part, parts, resource, text } from './kinds.ts'

export const returnItemSchema = resource({
  /** The id of the line of the order: `id` in its `items`. */
  itemId: Type.Optional(text),
  /** The returned product. */
  productDetails: Type.Optional(part<ProductDetails>(productDetailsSchema)),
  /** How many pieces. */
  // Required by the model. No sample shows it.
  quantity: Type.Optional(count),
  /** Their condition, for a person. */
  condition: Type.Optional(text)
})
/** The return of one line of the order. */
export interface ReturnItem extends Static<typeof returnItemSchema> {}

export const returnResponseSchema = resource({
  /** Digital River's id of the return. */
  id: text,
  /** When it was made. */
  createdTime: Type.Optional(instant),
  /** The id of the order. */
  orderId: Type.Optional(text),
  /** The return merchandise authorisation (RMA), by which the warehouse identifies the parcel. */
  rmaNumber: Type.Optional(text),
  /** The reason, for a person; at most 64 characters. */
  reason: Type.Optional(text),
  /** The state: announced, received, refused or undeliverable. */
  type: Type.Optional(oneOf('authorization', 'received', 'refused', 'undeliverable')),
  /** The location that receives the goods. */
  returnTo: Type.Optional(part<Shipping>(shippingSchema)),
  /** The returned lines. */
  items: Type.Optional(parts<ReturnItem>(returnItemSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A return in the logistics of Digital River: announced, received, refused or undeliverable. */
export interface ReturnResponse extends Static<typeof returnResponseSchema> {}
