import { Type, type Static, type TObject } from 'typebox'

import { item, shippedItem } from './item-parts.ts'
import { amount, count, instant, manyOrOne, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Payments, paymentsSchema } from './payments.ts'
import { origin, purchase } from './purchase.ts'
import {
  type BillingOptimization,
  billingOptimizationSchema,
  type DisclosureDetails,
  disclosureDetailsSchema,
  type Disclosures,
  disclosuresSchema
} from './selling.ts'

const ofSkuItem = {
  /** Digital River's id of the line. */
  id: Type.Optional(text),
  /** How many pieces. */
  quantity: Type.Optional(count),
  /** For all pieces, in major units of the currency, without tax. */
  amount: Type.Optional(amount)
}
export const skuItemSchema: TObject<typeof item & typeof shippedItem & typeof ofSkuItem> = resource({
  ...ofSkuItem,
  ...item,
  ...shippedItem
})
/** One line of a checkout. */
export interface SkuItem extends Static<typeof skuItemSchema> {}

const ofCheckout = {
  /** Digital River's id of the checkout; an order made from it names it in `checkoutId`. */
  id: text,
  /** When the checkout was made. */
  createdTime: Type.Optional(instant),
  /** When the checkout was last changed. */
  updatedTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** The amount that the buyer would pay, in major units of the currency. */
  totalAmount: Type.Optional(amount),
  /** The items to buy. */
  items: Type.Optional(parts<SkuItem>(skuItemSchema)),
  /** Hints that make a successful renewal payment more likely. */
  billingOptimization: Type.Optional(part<BillingOptimization>(billingOptimizationSchema)),
  /** The chosen payment methods, and the state of the payment. */
  payment: Type.Optional(part<Payments>(paymentsSchema)),
  /** The legal texts that the buyer was shown: a list; an older document has an object with the list in it. */
  disclosures: Type.Optional(manyOrOne<DisclosureDetails, Disclosures>(disclosureDetailsSchema, disclosuresSchema)),
  /** The initiator of the charge. `moto`: an order by mail or telephone. */
  chargeType: Type.Optional(oneOf('customer_initiated', 'merchant_initiated', 'moto')),
  /** The language of the buyer's pages, such as en or pt-br. */
  language: Type.Optional(text)
}
export const checkoutSchema: TObject<typeof purchase & typeof origin & typeof ofCheckout> = resource({
  ...ofCheckout,
  ...purchase,
  ...origin
})
/** A cart that can become an order. */
export interface Checkout extends Static<typeof checkoutSchema> {}
