import { Type, type Static } from 'typebox'

import { type Location, locationSchema } from './address.ts'
import { count, flag, instant, oneOf, part, parts, resource, text } from './kinds.ts'
import { type UnitAttributes, unitAttributesSchema } from './shipment.ts'

export const globalFulfillmentReturnItemResponseSchema = resource({
  fulfillmentOrderItemId: Type.Optional(text),
  inventoryItemId: Type.Optional(text),
  quantity: Type.Optional(count),
  /** How many the warehouse took back. */
  quantityAccepted: Type.Optional(count),
  state: Type.Optional(oneOf('pending', 'accepted', 'rejected')),
  location: Type.Optional(part<Location>(locationSchema)),
  unitAttributes: Type.Optional(parts<UnitAttributes>(unitAttributesSchema)),
  unitAttributesAccepted: Type.Optional(parts<UnitAttributes>(unitAttributesSchema))
})
/** How many of one line come back. */
export interface GlobalFulfillmentReturnItemResponse extends Static<typeof globalFulfillmentReturnItemResponseSchema> {}

export const globalFulfillmentReturnResponseSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  fulfillmentOrderId: Type.Optional(text),
  /** The merchant's own id for it. */
  upstreamId: Type.Optional(text),
  items: Type.Optional(parts<GlobalFulfillmentReturnItemResponse>(globalFulfillmentReturnItemResponseSchema)),
  reason: Type.Optional(text),
  state: Type.Optional(oneOf('created', 'pending', 'accepted', 'rejected')),
  /** Who announced it. */
  type: Type.Optional(oneOf('client', 'warehouse')),
  location: Type.Optional(part<Location>(locationSchema)),
  // The model spells it in lower case, unlike everywhere else: both are read.
  livemode: Type.Optional(flag),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** Goods on their way back to a warehouse. */
export interface GlobalFulfillmentReturnResponse extends Static<typeof globalFulfillmentReturnResponseSchema> {}
