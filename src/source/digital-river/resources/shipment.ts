import { Type, type Static } from 'typebox'

import { flag, instant, nullable, parts, resource, text, textOrNumber } from './kinds.ts'

export const trackingSchema = resource({
  /** The carrier's tracking number. */
  trackingNumber: Type.Optional(nullable(text)),
  /** The carrier's tracking page. */
  trackingUrl: Type.Optional(nullable(text))
})
/** The tracking data of one parcel. */
export interface Tracking extends Static<typeof trackingSchema> {}

export const unitAttributesSchema = resource({
  /** The manufacturer's serial number. */
  serialNumber: Type.Optional(nullable(text)),
  /** The number of a telephone: International Mobile Equipment Identity. */
  imeiNumber: Type.Optional(nullable(text)),
  /** The number of a SIM card. */
  simCardNumber: Type.Optional(nullable(text))
})
/** The identification of a single piece. */
export interface UnitAttributes extends Static<typeof unitAttributesSchema> {}

export const shipmentItemSchema = resource({
  /** The id of the line in the shipment. */
  id: Type.Optional(text),
  /** The id of the line of the order to the warehouse: `id` in its `items`. */
  // The model has a number there and a text here. Both are accepted in both places.
  fulfillmentOrderItemId: Type.Optional(textOrNumber),
  /** The merchant's own id of that line. */
  fulfillmentOrderItemUpstreamId: Type.Optional(text),
  /** The id of the product in the warehouse. */
  inventoryItemId: Type.Optional(text),
  /** The manufacturer's or the merchant's part number. */
  partNumber: Type.Optional(text),
  /** How many pieces are in the shipment. */
  quantity: Type.Optional(Type.Number()),
  /** The tracking data of its parcels. */
  trackingUrls: Type.Optional(parts<Tracking>(trackingSchema)),
  /** The individual pieces. */
  unitAttributes: Type.Optional(parts<UnitAttributes>(unitAttributesSchema))
})
/** One line of the shipment. */
export interface ShipmentItem extends Static<typeof shipmentItemSchema> {}

export const shipmentSchema = resource({
  /** Digital River's id of the shipment. */
  id: text,
  /** When the shipment was made. */
  createdTime: Type.Optional(instant),
  /** The id of the order to the warehouse. */
  // As with the id of its line.
  fulfillmentOrderId: Type.Optional(textOrNumber),
  /** The merchant's own id of the order to the warehouse. */
  fulfillmentOrderUpstreamId: Type.Optional(text),
  /** The id of the shipping method. */
  shippingChoiceId: Type.Optional(text),
  /** The id of the carrier. */
  trackingCompanyId: Type.Optional(nullable(text)),
  /** The name of the carrier. */
  trackingCompany: Type.Optional(text),
  /** The carrier's tracking number. */
  trackingNumber: Type.Optional(text),
  /** The carrier's tracking page. */
  trackingUrl: Type.Optional(text),
  /** The shipped lines. */
  items: Type.Optional(parts<ShipmentItem>(shipmentItemSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A parcel that a warehouse sent. */
export interface Shipment extends Static<typeof shipmentSchema> {}
