import { Type, type Static } from 'typebox'

import { count, flag, instant, parts, resource, text } from './kinds.ts'

export const trackingSchema = resource({
  trackingNumber: Type.Optional(text),
  trackingUrl: Type.Optional(text)
})
/** Where one parcel is. */
export interface Tracking extends Static<typeof trackingSchema> {}

export const unitAttributesSchema = resource({
  serialNumber: Type.Optional(text),
  imeiNumber: Type.Optional(text),
  simCardNumber: Type.Optional(text)
})
/** What tells one piece from another of its kind. */
export interface UnitAttributes extends Static<typeof unitAttributesSchema> {}

export const shipmentItemSchema = resource({
  id: Type.Optional(text),
  fulfillmentOrderItemId: Type.Optional(text),
  fulfillmentOrderItemUpstreamId: Type.Optional(text),
  inventoryItemId: Type.Optional(text),
  partNumber: Type.Optional(text),
  quantity: Type.Optional(count),
  trackingUrls: Type.Optional(parts<Tracking>(trackingSchema)),
  unitAttributes: Type.Optional(parts<UnitAttributes>(unitAttributesSchema))
})
/** How many of one line are in the shipment. */
export interface ShipmentItem extends Static<typeof shipmentItemSchema> {}

export const shipmentSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  fulfillmentOrderId: Type.Optional(text),
  fulfillmentOrderUpstreamId: Type.Optional(text),
  shippingChoiceId: Type.Optional(text),
  trackingCompanyId: Type.Optional(text),
  trackingCompany: Type.Optional(text),
  trackingNumber: Type.Optional(text),
  trackingUrl: Type.Optional(text),
  items: Type.Optional(parts<ShipmentItem>(shipmentItemSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A parcel that a warehouse sent. */
export interface Shipment extends Static<typeof shipmentSchema> {}
