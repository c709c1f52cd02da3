import { Type, type Static } from 'typebox'

import { flag, instant, nullable, parts, resource, text, textOrNumber } from './kinds.ts'

export const trackingSchema = resource({
  /** The carrier's number of the parcel. */
  trackingNumber: Type.Optional(nullable(text)),
  /** Where the parcel can be followed. */
  trackingUrl: Type.Optional(nullable(text))
})
/** Where one parcel is. */
export interface Tracking extends Static<typeof trackingSchema> {}

export const unitAttributesSchema = resource({
  /** The maker's number of the piece. */
  serialNumber: Type.Optional(nullable(text)),
  /** The number of a telephone: International Mobile Equipment Identity. */
  imeiNumber: Type.Optional(nullable(text)),
  /** The number of a SIM card. */
  simCardNumber: Type.Optional(nullable(text))
})
/** What distinguishes a piece from others of its kind. */
export interface UnitAttributes extends Static<typeof unitAttributesSchema> {}

export const shipmentItemSchema = resource({
  /** The id of the line in the shipment. */
  id: Type.Optional(text),
  /** The id of the line of the order to the warehouse: `id` in its `items`. */
  // A number there by the model, a text here: both are read in both places.
  fulfillmentOrderItemId: Type.Optional(textOrNumber),
  /** The merchant's own id of that line. */
  fulfillmentOrderItemUpstreamId: Type.Optional(text),
  /** The id of the product in the warehouse. */
  inventoryItemId: Type.Optional(text),
  /** The maker's or the merchant's number of the product. */
  partNumber: Type.Optional(text),
  /** How many pieces are in the shipment. */
  quantity: Type.Optional(Type.Number()),
  /** Where its parcels are. */
  trackingUrls: Type.Optional(parts<Tracking>(trackingSchema)),
  /** The pieces themselves. */
  unitAttributes: Type.Optional(parts<UnitAttributes>(unitAttributesSchema))
})
/** How many of one line are in the shipment. */
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
  /** The id of the way of shipping. */
  shippingChoiceId: Type.Optional(text),
  /** The id of the carrier. */
  trackingCompanyId: Type.Optional(nullable(text)),
  /** The name of the carrier. */
  trackingCompany: Type.Optional(text),
  /** The carrier's number of the parcel. */
  trackingNumber: Type.Optional(text),
  /** Where the parcel can be followed. */
  trackingUrl: Type.Optional(text),
  /** What was shipped, line by line. */
  items: Type.Optional(parts<ShipmentItem>(shipmentItemSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A parcel that a warehouse sent. */
export interface Shipment extends Static<typeof shipmentSchema> {}
