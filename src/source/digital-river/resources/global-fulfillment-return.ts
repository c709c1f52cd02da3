import { Type, type Static } from 'typebox'

import { type Location, locationSchema } from './address.ts'
import { count, flag, instant, oneOf, part, parts, resource, text, textOrNumber } from './kinds.ts'
import { type UnitAttributes, unitAttributesSchema } from './shipment.ts'

export const globalFulfillmentReturnItemResponseSchema = resource({
  /** The id of the line of the order to the warehouse: `id` in its `items`. */
  // A number there by the model, a text here: both are read in both places.
  fulfillmentOrderItemId: Type.Optional(textOrNumber),
  /** The id of the product in the warehouse. */
  inventoryItemId: Type.Optional(text),
  /** How many are announced. */
  quantity: Type.Optional(count),
  /** How many the warehouse took back. */
  quantityAccepted: Type.Optional(count),
  /** Whether the warehouse took this line back. */
  state: Type.Optional(oneOf('pending', 'accepted', 'rejected')),
  /** The place that takes this line back. */
  location: Type.Optional(part<Location>(locationSchema)),
  /** The pieces that are announced. */
  unitAttributes: Type.Optional(parts<UnitAttributes>(unitAttributesSchema)),
  /** The pieces that the warehouse took back. */
  unitAttributesAccepted: Type.Optional(parts<UnitAttributes>(unitAttributesSchema))
})
/** How many of one line come back. */
export interface GlobalFulfillmentReturnItemResponse extends Static<typeof globalFulfillmentReturnItemResponseSchema> {}

export const globalFulfillmentReturnResponseSchema = resource({
  /** Digital River's id of the return. */
  id: text,
  /** When the return was announced. */
  createdTime: Type.Optional(instant),
  /** The id of the order to the warehouse. */
  // As with the id of its line.
  fulfillmentOrderId: Type.Optional(textOrNumber),
  /** The merchant's own id for it. */
  upstreamId: Type.Optional(text),
  /** What comes back, line by line. */
  items: Type.Optional(parts<GlobalFulfillmentReturnItemResponse>(globalFulfillmentReturnItemResponseSchema)),
  /** Why, in words. */
  reason: Type.Optional(text),
  /** Whether the warehouse took the goods back. */
  state: Type.Optional(oneOf('created', 'pending', 'accepted', 'rejected')),
  /** Who announced it. */
  type: Type.Optional(oneOf('client', 'warehouse')),
  /** The place that takes the goods back. */
  location: Type.Optional(part<Location>(locationSchema)),
  /** False in the test environment: the model's spelling. */
  // In lower case, unlike everywhere else: both are read.
  livemode: Type.Optional(flag),
  /** False in the test environment: the spelling of all other resources. */
  liveMode: Type.Optional(flag)
})
/** Goods on their way back to a warehouse. */
export interface GlobalFulfillmentReturnResponse extends Static<typeof globalFulfillmentReturnResponseSchema> {}
