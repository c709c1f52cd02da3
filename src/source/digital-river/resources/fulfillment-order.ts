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
  /** The number of shipped pieces. */
  quantity: Type.Optional(count),
  /** The number of cancelled pieces; 0 if all are shipped. */
  cancelQuantity: Type.Optional(count),
  /** The carrier of the line, as the merchant names it. */
  trackingCompany: Type.Optional(text),
  /** The carrier's tracking number. */
  trackingNumber: Type.Optional(text),
  /** The carrier's tracking page. */
  trackingUrl: Type.Optional(text),
  /** The id of the distributor. */
  subfulfillerId: Type.Optional(text),
  /** The distributor's cost for all pieces, in major units of the fulfillment's `currency`. */
  distributorCost: Type.Optional(amount),
  /** The shipping cost of the line, in major units of the fulfillment's `currency`. */
  shippingCost: Type.Optional(amount)
})
/** How many pieces of one line were shipped or cancelled. */
export interface FulfillmentResponseItem extends Static<typeof fulfillmentResponseItemSchema> {}

// One sample, so only the id is certain.
export const fulfillmentOrderSchema = resource({
  /** Digital River's id of the fulfillment; captures name it in `fulfillmentId`. */
  id: text,
  /** When the merchant reported it. */
  createdTime: Type.Optional(instant),
  /** The id of the order. */
  orderId: Type.Optional(text),
  /** The currency of the distributor's costs: ISO 4217, such as EUR. Seen in the API's answer to a new fulfillment. */
  currency: Type.Optional(text),
  /** The order, without its payment. Present in events, absent in the API's answer. */
  orderDetails: Type.Optional(part<OrderDetails>(orderDetailsSchema)),
  /** The id of the shipment. */
  shipmentId: Type.Optional(text),
  /** The shipped or cancelled lines. */
  items: Type.Optional(parts<FulfillmentResponseItem>(fulfillmentResponseItemSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** The carrier, as the merchant names it. */
  trackingCompany: Type.Optional(text),
  /** The carrier's tracking number. */
  trackingNumber: Type.Optional(text),
  /** The carrier's tracking page. */
  trackingUrl: Type.Optional(text)
})
/** The merchant's report of shipped or cancelled lines of an order. */
export interface FulfillmentOrder extends Static<typeof fulfillmentOrderSchema> {}
