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
  /** How many are sent back. */
  quantity: Type.Optional(count),
  /** How many were taken back. */
  quantityAccepted: Type.Optional(count),
  /** Whether they were taken back. */
  state: Type.Optional(oneOf('created', 'accepted'))
})
/** How many of one line of the order come back. */
export interface ReturnsItem extends Static<typeof returnsItemSchema> {}

// One sample: no more than the id is certain.
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
  /** What is sent back, line by line. */
  items: Type.Optional(parts<ReturnsItem>(returnsItemSchema)),
  /** Why, in words. */
  reason: Type.Optional(text),
  /** Why the return came to nothing, in words. */
  failureReason: Type.Optional(text),
  /** Whether the goods were taken back. */
  state: Type.Optional(oneOf('created', 'accepted')),
  /** The place that takes the goods back. */
  location: Type.Optional(part<Location>(locationSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The same: the spelling in what the API answers to a new return. */
  livemode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** The ids of the refunds that it led to. */
  refundIds: Type.Optional(Type.Array(text))
})
/** Goods that a buyer sends back. */
export interface ReturnsResponse extends Static<typeof returnsResponseSchema> {}
