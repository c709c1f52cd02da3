import { Type, type Static } from 'typebox'

import { type Shipping, shippingSchema } from './address.ts'
import { type ProductDetails, productDetailsSchema } from './item-parts.ts'
import { count, flag, instant, oneOf, part, parts, resource, text } from './kinds.ts'

export const returnItemSchema = resource({
  /** The id of the line of the order: `id` in its `items`. */
  itemId: Type.Optional(text),
  /** What comes back, described. */
  productDetails: Type.Optional(part<ProductDetails>(productDetailsSchema)),
  /** How many pieces. */
  // Required by the model. No sample shows it.
  quantity: Type.Optional(count),
  /** In which condition they are, in words. */
  condition: Type.Optional(text)
})
/** How many of one line of the order come back. */
export interface ReturnItem extends Static<typeof returnItemSchema> {}

export const returnResponseSchema = resource({
  /** Digital River's id of the return. */
  id: text,
  /** When it was made. */
  createdTime: Type.Optional(instant),
  /** The id of the order. */
  orderId: Type.Optional(text),
  /** By which the warehouse knows the parcel: a return merchandise authorisation. */
  rmaNumber: Type.Optional(text),
  /** Why, in words; at most 64 characters. */
  reason: Type.Optional(text),
  /** Whether announced, received, refused, or not to be delivered. */
  type: Type.Optional(oneOf('authorization', 'received', 'refused', 'undeliverable')),
  /** Where the goods go back to. */
  returnTo: Type.Optional(part<Shipping>(shippingSchema)),
  /** What comes back, line by line. */
  items: Type.Optional(parts<ReturnItem>(returnItemSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A return in the logistics of Digital River: announced, received, refused or undeliverable. */
export interface ReturnResponse extends Static<typeof returnResponseSchema> {}
