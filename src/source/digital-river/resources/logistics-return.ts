import { Type, type Static } from 'typebox'

import { type Shipping, shippingSchema } from './address.ts'
import { type ProductDetails, productDetailsSchema } from './item-parts.ts'
import { count, flag, instant, oneOf, part, parts, resource, text } from './kinds.ts'

export const returnItemSchema = resource({
  itemId: Type.Optional(text),
  productDetails: Type.Optional(part<ProductDetails>(productDetailsSchema)),
  quantity: Type.Optional(count),
  condition: Type.Optional(text)
})
/** How many of one line of the order come back. */
export interface ReturnItem extends Static<typeof returnItemSchema> {}

export const returnResponseSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  orderId: Type.Optional(text),
  /** By which the warehouse knows the parcel. */
  rmaNumber: Type.Optional(text),
  reason: Type.Optional(text),
  type: Type.Optional(oneOf('authorization', 'received', 'refused', 'undeliverable')),
  returnTo: Type.Optional(part<Shipping>(shippingSchema)),
  items: Type.Optional(parts<ReturnItem>(returnItemSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A return in the logistics of Digital River: announced, received, refused or undeliverable. */
export interface ReturnResponse extends Static<typeof returnResponseSchema> {}
