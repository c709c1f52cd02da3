import { Type, type Static } from 'typebox'

import { type Location, locationSchema } from './address.ts'
import { amount, count, flag, instant, metadata, oneOf, part, parts, resource, text } from './kinds.ts'

export const returnsItemSchema = resource({
  /** The id of the line of the order: `id` in its `items`. */
  itemId: Type.Optional(text),
  /** The id of the SKU. */
  skuId: Type.Optional(text),
  /** For all pieces, in major units of the currency. */
  amount: Type.Optional(amount),
  /** The number of returned pieces. */
  quantity: Type.Optional(count),
  /** The number of accepted pieces. */
  quantityAccepted: Type.Optional(count),
  /** The state of the return of this line. */
  state: Type.Optional(oneOf('created', 'accepted'))
})
/** The return of one line of the order. */
export interface ReturnsItem extends Static<typeof returnsItemSchema> {}

// One sample, so only the id is certain.
export const returnsResponseSchema = resource({
  /** Digital River's id of the return. */
  id: text,
  /** When the return was announced. */
  createdTime: Type.Optional(instant),
  /** When the return was last changed. */
  updatedTime: Type.Optional(instant),
  /** The id of the order. */
  orderId: Type.Optional(text),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** The returned lines. */
  items: Type.Optional(parts<ReturnsItem>(returnsItemSchema)),
  /** The reason, for a person. */
  reason: Type.Optional(text),
  /** Why the return failed, for a person. */
  failureReason: Type.Optional(text),
  /** The state of the return. */
  state: Type.Optional(oneOf('created', 'accepted')),
  /** The location that accepts the goods. */
  location: Type.Optional(part<Location>(locationSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The same, in the spelling of the API's answer to a new return. */
  livemode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** The ids of the resulting refunds. */
  refundIds: Type.Optional(Type.Array(text))
})
/** Goods that a buyer returns. */
export interface ReturnsResponse extends Static<typeof returnsResponseSchema> {}
