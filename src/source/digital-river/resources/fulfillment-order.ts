import { Type, type Static } from 'typebox'

import { amount, count, flag, instant, metadata, part, parts, resource, text } from './kinds.ts'
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
  cancelQuantity: Type.Optional(count),
  /** The carrier of the line, as the merchant names it. */
  trackingCompany: Type.Optional(text),
  /** The carrier's number of the parcel that the line is in. */
  trackingNumber: Type.Optional(text),
  /** Where that parcel can be followed. */
  trackingUrl: Type.Optional(text),
  /** The id of the distributor. */
  subfulfillerId: Type.Optional(text),
  /** What the distributor pays for all pieces, in major units of the fulfillment's `currency`. */
  distributorCost: Type.Optional(amount),
  /** What shipping the line costs, in major units of the fulfillment's `currency`. */
  shippingCost: Type.Optional(amount)
})
/** How many of one line were shipped, or will never be. */
export interface FulfillmentResponseItem extends Static<typeof fulfillmentResponseItemSchema> {}

// One sample: no more than the id is certain.
export const fulfillmentOrderSchema = resource({
  /** Digital River's id of the fulfillment; captures name it in `fulfillmentId`. */
  id: text,
  /** When the merchant reported it. */
  createdTime: Type.Optional(instant),
  /** The id of the order. */
  orderId: Type.Optional(text),
  /** In which the distributor is paid: ISO 4217, such as EUR. In what the API answers to a new fulfillment. */
  currency: Type.Optional(text),
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
