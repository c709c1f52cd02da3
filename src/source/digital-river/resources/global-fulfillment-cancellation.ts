import { Type, type Static } from 'typebox'

import { count, flag, instant, oneOf, parts, resource, text, textOrNumber } from './kinds.ts'

export const globalFulfillmentCancellationItemResponseSchema = resource({
  /** The id of the line of the order to the warehouse: `id` in its `items`. */
  // A number there by the model, a text here: both are read in both places.
  fulfillmentOrderItemId: Type.Optional(textOrNumber),
  /** The merchant's own id of that line. */
  fulfillmentOrderItemUpstreamId: Type.Optional(text),
  /** The id of the product in the warehouse. */
  inventoryItemId: Type.Optional(text),
  /** How many were asked not to be shipped. */
  quantity: Type.Optional(count),
  /** How many the warehouse agreed to. */
  quantityAccepted: Type.Optional(count),
  /** Whether the warehouse agreed for this line. */
  state: Type.Optional(oneOf('pending', 'accepted', 'rejected'))
})
/** How many of one line will not be shipped. */
export interface GlobalFulfillmentCancellationItemResponse
  extends Static<typeof globalFulfillmentCancellationItemResponseSchema> {}

export const globalFulfillmentCancellationResponseSchema = resource({
  /** Digital River's id of the request. */
  id: text,
  /** When the warehouse was asked. */
  createdTime: Type.Optional(instant),
  /** The id of the order to the warehouse. */
  // As with the id of its line.
  fulfillmentOrderId: Type.Optional(textOrNumber),
  /** The merchant's own id for it. */
  upstreamId: Type.Optional(text),
  /** What is not to be shipped, line by line. */
  items: Type.Optional(
    parts<GlobalFulfillmentCancellationItemResponse>(globalFulfillmentCancellationItemResponseSchema)
  ),
  /** Why, in words. */
  reason: Type.Optional(text),
  /** Whether the warehouse agreed. */
  state: Type.Optional(oneOf('pending', 'accepted', 'rejected')),
  /** False in the test environment: the model's spelling. */
  // In lower case, unlike everywhere else: both are read.
  livemode: Type.Optional(flag),
  /** False in the test environment: the spelling of all other resources. */
  liveMode: Type.Optional(flag)
})
/** The request to a warehouse not to ship something, and its answer. */
export interface GlobalFulfillmentCancellationResponse
  extends Static<typeof globalFulfillmentCancellationResponseSchema> {}
