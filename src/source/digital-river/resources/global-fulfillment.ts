import { Type, type Static } from 'typebox'

import { type Shipping, shippingSchema } from './address.ts'
import { amount, count, flag, instant, oneOf, part, parts, resource, text } from './kinds.ts'

export const taxDetailSchema = resource({
  authorityType: Type.Optional(text),
  amount: Type.Optional(amount)
})
/** The part of a tax that one authority takes. */
export interface TaxDetail extends Static<typeof taxDetailSchema> {}

export const globalFulfillmentTaxSchema = resource({
  items: Type.Optional(parts<TaxDetail>(taxDetailSchema)),
  amount: Type.Optional(amount)
})
/** The tax on a line. */
export interface GlobalFulfillmentTax extends Static<typeof globalFulfillmentTaxSchema> {}

export const lineItemSchema = resource({
  // As with the id of the order.
  id: Type.Optional(Type.Union([text, count])),
  /** The merchant's own id for it. */
  upstreamId: Type.Optional(text),
  inventoryItemId: Type.Optional(text),
  subtotal: Type.Optional(amount),
  total: Type.Optional(amount),
  name: Type.Optional(text),
  /** How many pieces were ordered. */
  quantity: Type.Optional(count),
  /** How many pieces are in this state; the same of the next four. */
  pending: Type.Optional(count),
  backordered: Type.Optional(count),
  shipped: Type.Optional(count),
  cancelled: Type.Optional(count),
  returned: Type.Optional(count),
  giftMessage: Type.Optional(text),
  giftWrap: Type.Optional(flag),
  tax: Type.Optional(part<GlobalFulfillmentTax>(globalFulfillmentTaxSchema)),
  state: Type.Optional(oneOf('pending', 'backordered', 'cancelled', 'shipped'))
})
/** One line that the warehouse ships. */
export interface LineItem extends Static<typeof lineItemSchema> {}

export const globalFulfillmentShippingChoiceSchema = resource({
  id: Type.Optional(text),
  shippingInstructions: Type.Optional(text),
  /** Whether the seller paid the duties. */
  dutiesPaid: Type.Optional(flag),
  signatureRequiredType: Type.Optional(oneOf('standard', 'adult'))
})
/** How the warehouse ships it. */
export interface GlobalFulfillmentShippingChoice extends Static<typeof globalFulfillmentShippingChoiceSchema> {}

export const globalFulfillmentOrderSchema = resource({
  // A number by the model, yet shipments and returns refer to it by a text: both are read.
  id: Type.Union([text, count]),
  createdTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** Such as en_US. */
  locale: Type.Optional(text),
  /** When the buyer ordered, by the merchant's clock. */
  upstreamOrderTime: Type.Optional(instant),
  name: Type.Optional(text),
  email: Type.Optional(text),
  phone: Type.Optional(text),
  /** The stock that was set aside for it. */
  reservationId: Type.Optional(text),
  /** The merchant's own id for it. */
  upstreamId: Type.Optional(text),
  shipTo: Type.Optional(part<Shipping>(shippingSchema)),
  shippingChoice: Type.Optional(part<GlobalFulfillmentShippingChoice>(globalFulfillmentShippingChoiceSchema)),
  items: Type.Optional(parts<LineItem>(lineItemSchema)),
  state: Type.Optional(oneOf('pending', 'cancelled', 'shipped')),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** The order to a warehouse of Digital River to ship goods. Another resource than FulfillmentOrder. */
export interface GlobalFulfillmentOrder extends Static<typeof globalFulfillmentOrderSchema> {}
