import { Type, type Static } from 'typebox'

import { count, flag, instant, oneOf, parts, resource, text } from './kinds.ts'

export const globalFulfillmentCancellationItemResponseSchema = resource({
  fulfillmentOrderItemId: Type.Optional(text),
  fulfillmentOrderItemUpstreamId: Type.Optional(text),
  inventoryItemId: Type.Optional(text),
  quantity: Type.Optional(count),
  /** How many the warehouse agreed to. */
  quantityAccepted: Type.Optional(count),
  state: Type.Optional(oneOf('pending', 'accepted', 'rejected'))
})
/** How many of one line will not be shipped. */
export interface GlobalFulfillmentCancellationItemResponse extends Static<typeof globalFulfillmentCancellationItemResponseSchema> {}

export const globalFulfillmentCancellationResponseSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  fulfillmentOrderId: Type.Optional(text),
  /** The merchant's own id for it. */
  upstreamId: Type.Optional(text),
  items: Type.Optional(parts<GlobalFulfillmentCancellationItemResponse>(globalFulfillmentCancellationItemResponseSchema)),
  reason: Type.Optional(text),
  state: Type.Optional(oneOf('pending', 'accepted', 'rejected')),
  // The model spells it in lower case, unlike everywhere else: both are read.
  livemode: Type.Optional(flag),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** The request to a warehouse not to ship something, and its answer. */
export interface GlobalFulfillmentCancellationResponse extends Static<typeof globalFulfillmentCancellationResponseSchema> {}
