import { Type, type Static } from 'typebox'

import { type Location, locationSchema } from './address.ts'
import { count, flag, instant, oneOf, part, parts, resource, text, textOrNumber } from './kinds.ts'
import { type UnitAttributes, unitAttributesSchema } from './shipment.ts'

export const globalFulfillmentReturnItemResponseSchema = resource({
  /** The id of the line of the order to the warehouse: `id` in its `items`. */
  // The model has a number there and a text here. Both are accepted in both places.
  fulfillmentOrderItemId: Type.Optional(textOrNumber),
  /** The id of the product in the warehouse. */
  inventoryItemId: Type.Optional(text),
  /** The announced number of pieces. */
  quantity: Type.Optional(count),
  /** The number of pieces that the warehouse accepted. */
  quantityAccepted: Type.Optional(count),
  /** The state of the return of this line. */
  state: Type.Optional(oneOf('pending', 'accepted', 'rejected')),
  /** The location that accepts this line. */
  location: Type.Optional(part<Location>(locationSchema)),
  /** The announced pieces. */
  unitAttributes: Type.Optional(parts<UnitAttributes>(unitAttributesSchema)),
  /** The pieces that the warehouse accepted. */
  unitAttributesAccepted: Type.Optional(parts<UnitAttributes>(unitAttributesSchema))
})
/** The return of one line. */
export interface GlobalFulfillmentReturnItemResponse extends Static<typeof globalFulfillmentReturnItemResponseSchema> {}

export const globalFulfillmentReturnResponseSchema = resource({
  /** Digital River's id of the return. */
  id: text,
  /** When the return was announced. */
  createdTime: Type.Optional(instant),
  /** The id of the order to the warehouse. */
  // As with the id of its line.
  fulfillmentOrderId: Type.Optional(textOrNumber),
  /** The merchant's own id of the return. */
  upstreamId: Type.Optional(text),
  /** The returned lines. */
  items: Type.Optional(parts<GlobalFulfillmentReturnItemResponse>(globalFulfillmentReturnItemResponseSchema)),
  /** The reason, for a person. */
  reason: Type.Optional(text),
  /** The state of the return. */
  state: Type.Optional(oneOf('created', 'pending', 'accepted', 'rejected')),
  /** The person or company that announced it. */
  type: Type.Optional(oneOf('client', 'warehouse')),
  /** The location that accepts the goods. */
  location: Type.Optional(part<Location>(locationSchema)),
  /** False in the test environment, in the model's spelling. */
  // In lower case, unlike in all other resources. Both spellings are accepted.
  livemode: Type.Optional(flag),
  /** False in the test environment, in the spelling of all other resources. */
  liveMode: Type.Optional(flag)
})
/** Goods that are returned to a warehouse. */
export interface GlobalFulfillmentReturnResponse extends Static<typeof globalFulfillmentReturnResponseSchema> {}
