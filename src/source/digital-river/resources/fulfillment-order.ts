import { Type, type Static } from 'typebox'

import { count, flag, instant, metadata, part, parts, resource, text } from './kinds.ts'
import { type OrderDetails, orderDetailsSchema } from './order.ts'

export const fulfillmentResponseItemSchema = resource({
  /** The line of the order. */
  itemId: Type.Optional(text),
  skuId: Type.Optional(text),
  shipmentItemId: Type.Optional(text),
  /** How many were shipped. */
  quantity: Type.Optional(count),
  /** How many will never be. */
  cancelQuantity: Type.Optional(count)
})
/** How many of one line were shipped, or will never be. */
export interface FulfillmentResponseItem extends Static<typeof fulfillmentResponseItemSchema> {}

export const fulfillmentOrderSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  orderId: text,
  /** Absent in what the API answers; events have it. */
  orderDetails: Type.Optional(part<OrderDetails>(orderDetailsSchema)),
  shipmentId: Type.Optional(text),
  items: parts<FulfillmentResponseItem>(fulfillmentResponseItemSchema),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  trackingCompany: Type.Optional(text),
  trackingNumber: Type.Optional(text),
  trackingUrl: Type.Optional(text)
})
/** What the merchant said of shipping or cancelling lines of an order. */
export interface FulfillmentOrder extends Static<typeof fulfillmentOrderSchema> {}
