import { Type, type Static } from 'typebox'

import { type Location, locationSchema } from './address.ts'
import { amount, count, flag, instant, metadata, oneOf, part, parts, resource, text } from './kinds.ts'

export const returnsItemSchema = resource({
  itemId: Type.Optional(text),
  skuId: Type.Optional(text),
  /** In major units of the currency. */
  amount: Type.Optional(amount),
  quantity: Type.Optional(count),
  /** How many were taken back. */
  quantityAccepted: Type.Optional(count),
  state: Type.Optional(oneOf('created', 'accepted'))
})
/** How many of one line of the order come back. */
export interface ReturnsItem extends Static<typeof returnsItemSchema> {}

export const returnsResponseSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  updatedTime: Type.Optional(instant),
  orderId: text,
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  items: parts<ReturnsItem>(returnsItemSchema),
  reason: Type.Optional(text),
  failureReason: Type.Optional(text),
  state: oneOf('created', 'accepted'),
  location: Type.Optional(part<Location>(locationSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** The refunds that it led to. */
  refundIds: Type.Optional(Type.Array(text))
})
/** Goods that a buyer sends back. */
export interface ReturnsResponse extends Static<typeof returnsResponseSchema> {}
