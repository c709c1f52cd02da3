import { Type, type Static } from 'typebox'

import { count, flag, instant, metadata, part, parts, resource, text } from './kinds.ts'
import { type OrderDetails, orderDetailsSchema } from './order.ts'

export const fulfillmentResponseItemSchema = resource({
  /** The id of the line of the order: `id` in its `items`. */
  itemId: Type.Optional(text),
  /** The id of the SKU. */
  skuId: Type.Optional(text),
  /** The id of the line in the shipment. */
  shipmentItemId: Type.Optional(text),
  /** How many were shipped. */
  quantity: Type.Optional(count),
  /** How many will never be; 0 where all are shipped. */
  cancelQuantity: Type.Optional(count)
})
/** How many of one line were shipped, or will never be. */
export interface FulfillmentResponseItem extends Static<typeof fulfillmentResponseItemSchema> {}

// One sample: no more than the id is certain.
export const fulfillmentOrderSchema = resource({
  /** Digital River's id of the fulfillment; captures name it in `fulfillmentId`. */
  id: text,
  /** When the merchant told of it. */
  createdTime: Type.Optional(instant),
  /** The id of the order. */
  orderId: Type.Optional(text),
  /** The order that it belongs to, without its payment. Absent in what the API answers; events have it. */
  orderDetails: Type.Optional(part<OrderDetails>(orderDetailsSchema)),
  /** The id of the shipment. */
  shipmentId: Type.Optional(text),
  /** What was shipped or cancelled, line by line. */
  items: Type.Optional(parts<FulfillmentResponseItem>(fulfillmentResponseItemSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** The carrier, as the merchant names it. */
  trackingCompany: Type.Optional(text),
  /** The carrier's number of the parcel. */
  trackingNumber: Type.Optional(text),
  /** Where the parcel can be followed. */
  trackingUrl: Type.Optional(text)
})
/** What the merchant said of shipping or cancelling lines of an order. */
export interface FulfillmentOrder extends Static<typeof fulfillmentOrderSchema> {}
