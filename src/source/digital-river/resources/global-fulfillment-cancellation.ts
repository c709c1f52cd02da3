import { Type, type Static } from 'typebox'

import { count, flag, instant, oneOf, parts, resource, text, textOrNumber } from './kinds.ts'

export const globalFulfillmentCancellationItemResponseSchema = resource({
  /** The id of the line of the order to the warehouse: `id` in its `items`. */
  // The model has a number there and a text here. Both are accepted in both places.
  fulfillmentOrderItemId: Type.Optional(textOrNumber),
  /** The merchant's own id of that line. */
  fulfillmentOrderItemUpstreamId: Type.Optional(text),
  /** The id of the product in the warehouse. */
  inventoryItemId: Type.Optional(text),
  /** How many pieces were requested to be cancelled. */
  quantity: Type.Optional(count),
  /** How many of them the warehouse cancelled. */
  quantityAccepted: Type.Optional(count),
  /** The state of the cancellation of this line. */
  state: Type.Optional(oneOf('pending', 'accepted', 'rejected'))
})
/** The cancellation of one line. */
export interface GlobalFulfillmentCancellationItemResponse
  extends Static<typeof globalFulfillmentCancellationItemResponseSchema> {}

export const globalFulfillmentCancellationResponseSchema = resource({
  /** Digital River's id of the request. */
  id: text,
  /** When the warehouse received the request. */
  createdTime: Type.Optional(instant),
  /** The id of the order to the warehouse. */
  // As with the id of its line.
  fulfillmentOrderId: Type.Optional(textOrNumber),
  /** The merchant's own id of the request. */
  upstreamId: Type.Optional(text),
  /** The lines to cancel. */
  items: Type.Optional(
    parts<GlobalFulfillmentCancellationItemResponse>(globalFulfillmentCancellationItemResponseSchema)
  ),
  /** The reason, for a person. */
  reason: Type.Optional(text),
  /** The state of the cancellation. */
  state: Type.Optional(oneOf('pending', 'accepted', 'rejected')),
  /** False in the test environment, in the model's spelling. */
  // In lower case, unlike in all other resources. Both spellings are accepted.
  livemode: Type.Optional(flag),
  /** False in the test environment, in the spelling of all other resources. */
  liveMode: Type.Optional(flag)
})
/** The request to a warehouse not to ship something, with its result. */
export interface GlobalFulfillmentCancellationResponse
  extends Static<typeof globalFulfillmentCancellationResponseSchema> {}
