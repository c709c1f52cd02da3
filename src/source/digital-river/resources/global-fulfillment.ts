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

// No sample shows what is in this file: the few fields that the model requires are left open, but for the id of the
// order itself.

export const taxDetailSchema = resource({
  /** What kind of authority it is. */
  authorityType: Type.Optional(text),
  /** What it takes, in major units of the order's currency. */
  amount: Type.Optional(amount)
})
/** The part of a tax that one authority takes. */
export interface TaxDetail extends Static<typeof taxDetailSchema> {}

export const globalFulfillmentTaxSchema = resource({
  /** What each authority takes. */
  items: Type.Optional(parts<TaxDetail>(taxDetailSchema)),
  /** The tax in all, in major units of the order's currency. */
  amount: Type.Optional(amount)
})
/** The tax on a line. */
export interface GlobalFulfillmentTax extends Static<typeof globalFulfillmentTaxSchema> {}

export const lineItemSchema = resource({
  /** Digital River's id of the line; shipments, cancellations and returns name it in `fulfillmentOrderItemId`. */
  // As with the id of the order.
  id: Type.Optional(textOrNumber),
  /** The merchant's own id for it. */
  upstreamId: Type.Optional(text),
  /** The id of the product in the warehouse. */
  inventoryItemId: Type.Optional(text),
  /** The price of the line before tax, in major units of the order's currency. */
  subtotal: Type.Optional(amount),
  /** The price of the line in all, in major units of the order's currency. */
  total: Type.Optional(amount),
  /** What it is, in words. */
  name: Type.Optional(text),
  /** How many pieces were ordered. */
  quantity: Type.Optional(count),
  /** How many pieces the warehouse has yet to ship. */
  pending: Type.Optional(count),
  /** How many pieces wait for stock. */
  backordered: Type.Optional(count),
  /** How many pieces were shipped. */
  shipped: Type.Optional(count),
  /** How many pieces will not be shipped. */
  cancelled: Type.Optional(count),
  /** How many pieces came back. */
  returned: Type.Optional(count),
  /** How many pieces were ordered. In `fulfillment_order.backordered`. */
  ordered: Type.Optional(count),
  /**
   * How many pieces wait for stock in all; `backordered` is what this event adds. In `fulfillment_order.backordered`.
   */
  totalBackordered: Type.Optional(count),
  /** When stock is expected. In `fulfillment_order.backordered`, where the warehouse knows. */
  availableTime: Type.Optional(instant),
  /** What the card of a present says. */
  giftMessage: Type.Optional(nullable(text)),
  /** Whether it is wrapped as a present. */
  giftWrap: Type.Optional(flag),
  /** The tax on the line. */
  tax: Type.Optional(part<GlobalFulfillmentTax>(globalFulfillmentTaxSchema)),
  /** How far the line has come. */
  state: Type.Optional(oneOf('pending', 'backordered', 'cancelled', 'shipped')),
  /** The shipping cost of the line, in major units of the order's currency. */
  shipping: Type.Optional(amount),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** One line that the warehouse ships. */
export interface LineItem extends Static<typeof lineItemSchema> {}

export const globalFulfillmentShippingChoiceSchema = resource({
  /** The id of the way of shipping. */
  id: Type.Optional(text),
  /** Instructions for the carrier, in words. */
  shippingInstructions: Type.Optional(nullable(text)),
  /** Whether the seller paid the duties. */
  dutiesPaid: Type.Optional(nullable(flag)),
  /** Who must sign for the parcel: anybody, or an adult. */
  signatureRequiredType: Type.Optional(nullable(oneOf('standard', 'adult')))
})
/** How the warehouse ships it. */
export interface GlobalFulfillmentShippingChoice extends Static<typeof globalFulfillmentShippingChoiceSchema> {}

export const globalFulfillmentOrderSchema = resource({
  /**
   * Digital River's id of the order to the warehouse; shipments, cancellations and returns name it in
   * `fulfillmentOrderId`.
   */
  // A number by the model, yet by the same model those refer to it by a text: both are read.
  id: textOrNumber,
  /** When it was made. */
  createdTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** The buyer's language and country, such as en_US. */
  locale: Type.Optional(text),
  /** When the buyer ordered, by the merchant's clock. */
  upstreamOrderTime: Type.Optional(instant),
  /** The buyer's name. */
  name: Type.Optional(text),
  /** The buyer's email address. */
  email: Type.Optional(text),
  /** The buyer's telephone number. */
  phone: Type.Optional(text),
  /** The id of the stock that was set aside for it. */
  reservationId: Type.Optional(text),
  /** The merchant's own id for it. */
  upstreamId: Type.Optional(text),
  /** Where the goods go to, and to whom. */
  shipTo: Type.Optional(part<Shipping>(shippingSchema)),
  /** How it is shipped. */
  shippingChoice: Type.Optional(part<GlobalFulfillmentShippingChoice>(globalFulfillmentShippingChoiceSchema)),
  /** The lines to ship. */
  items: Type.Optional(parts<LineItem>(lineItemSchema)),
  /** How far it has come; `fulfillment_order.backordered` has no state of its name here, only in a line. */
  state: Type.Optional(oneOf('pending', 'cancelled', 'shipped')),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** The order to a warehouse of Digital River to ship goods. Another resource than FulfillmentOrder. */
export interface GlobalFulfillmentOrder extends Static<typeof globalFulfillmentOrderSchema> {}
