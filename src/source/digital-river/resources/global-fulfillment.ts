import { Type, type Static } from 'typebox'

import { type Shipping, shippingSchema } from './address.ts'
import {
  amount,
  count,
  flag,
  instant,
  metadata,
  nullable,
  oneOf,
  part,
  parts,
  resource,
  text,
  textOrNumber
} from './kinds.ts'

// No sample shows the contents of this file. So the few fields that the model requires are optional here, except the id
// of the order itself.

export const taxDetailSchema = resource({
  /** The type of authority. */
  authorityType: Type.Optional(text),
  /** Its part of the tax, in major units of the order's currency. */
  amount: Type.Optional(amount)
})
/** The part of a tax that one authority levies. */
export interface TaxDetail extends Static<typeof taxDetailSchema> {}

export const globalFulfillmentTaxSchema = resource({
  /** The parts that the authorities levy. */
  items: Type.Optional(parts<TaxDetail>(taxDetailSchema)),
  /** The total tax, in major units of the order's currency. */
  amount: Type.Optional(amount)
})
/** The tax on a line. */
export interface GlobalFulfillmentTax extends Static<typeof globalFulfillmentTaxSchema> {}

export const lineItemSchema = resource({
  /** Digital River's id of the line; shipments, cancellations and returns name it in `fulfillmentOrderItemId`. */
  // As with the id of the order.
  id: Type.Optional(textOrNumber),
  /** The merchant's own id of the line. */
  upstreamId: Type.Optional(text),
  /** The id of the product in the warehouse. */
  inventoryItemId: Type.Optional(text),
  /** The price of the line before tax, in major units of the order's currency. */
  subtotal: Type.Optional(amount),
  /** The total price of the line, in major units of the order's currency. */
  total: Type.Optional(amount),
  /** A description of the product. */
  name: Type.Optional(text),
  /** The number of ordered pieces. */
  quantity: Type.Optional(count),
  /** The number of pieces that are not shipped yet. */
  pending: Type.Optional(count),
  /** The number of backordered pieces. */
  backordered: Type.Optional(count),
  /** The number of shipped pieces. */
  shipped: Type.Optional(count),
  /** The number of cancelled pieces. */
  cancelled: Type.Optional(count),
  /** The number of returned pieces. */
  returned: Type.Optional(count),
  /** The number of ordered pieces. In `fulfillment_order.backordered`. */
  ordered: Type.Optional(count),
  /**
   * The total number of backordered pieces; `backordered` is the number that this event adds. In
   * `fulfillment_order.backordered`.
   */
  totalBackordered: Type.Optional(count),
  /** When stock is expected, if the warehouse knows. In `fulfillment_order.backordered`. */
  availableTime: Type.Optional(instant),
  /** The text of the gift card. */
  giftMessage: Type.Optional(nullable(text)),
  /** Whether it is gift-wrapped. */
  giftWrap: Type.Optional(flag),
  /** The tax on the line. */
  tax: Type.Optional(part<GlobalFulfillmentTax>(globalFulfillmentTaxSchema)),
  /** The state of the line. */
  state: Type.Optional(oneOf('pending', 'backordered', 'cancelled', 'shipped')),
  /** The shipping cost of the line, in major units of the order's currency. */
  shipping: Type.Optional(amount),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** One line that the warehouse ships. */
export interface LineItem extends Static<typeof lineItemSchema> {}

export const globalFulfillmentShippingChoiceSchema = resource({
  /** The id of the shipping method. */
  id: Type.Optional(text),
  /** Instructions for the carrier. */
  shippingInstructions: Type.Optional(nullable(text)),
  /** Whether the seller paid the duties. */
  dutiesPaid: Type.Optional(nullable(flag)),
  /** The required signature for the parcel: of anybody, or of an adult. */
  signatureRequiredType: Type.Optional(nullable(oneOf('standard', 'adult')))
})
/** How the warehouse ships it. */
export interface GlobalFulfillmentShippingChoice extends Static<typeof globalFulfillmentShippingChoiceSchema> {}

export const globalFulfillmentOrderSchema = resource({
  /**
   * Digital River's id of the order to the warehouse; shipments, cancellations and returns name it in
   * `fulfillmentOrderId`.
   */
  // A number in the model, although other resources of the model refer to it as a text. Both are accepted.
  id: textOrNumber,
  /** When it was made. */
  createdTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** The buyer's language and country, such as en_US. */
  locale: Type.Optional(text),
  /** When the buyer ordered, according to the merchant's clock. */
  upstreamOrderTime: Type.Optional(instant),
  /** The buyer's name. */
  name: Type.Optional(text),
  /** The buyer's email address. */
  email: Type.Optional(text),
  /** The buyer's telephone number. */
  phone: Type.Optional(text),
  /** The id of the stock reservation. */
  reservationId: Type.Optional(text),
  /** The merchant's own id of the order. */
  upstreamId: Type.Optional(text),
  /** The recipient, and where the goods go. */
  shipTo: Type.Optional(part<Shipping>(shippingSchema)),
  /** How it is shipped. */
  shippingChoice: Type.Optional(part<GlobalFulfillmentShippingChoice>(globalFulfillmentShippingChoiceSchema)),
  /** The lines to ship. */
  items: Type.Optional(parts<LineItem>(lineItemSchema)),
  /** The state of the order. `fulfillment_order.backordered` has no matching state here, only in a line. */
  state: Type.Optional(oneOf('pending', 'cancelled', 'shipped')),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** An order to a warehouse of Digital River to ship goods. Not to be confused with FulfillmentOrder. */
export interface GlobalFulfillmentOrder extends Static<typeof globalFulfillmentOrderSchema> {}
