import { Type, type Static } from 'typebox'

import { item, shippedItem } from './item-parts.ts'
import { instant, part, parts, resource, text } from './kinds.ts'
import { type Payments, paymentsSchema } from './payments.ts'
import { origin, purchase } from './purchase.ts'
import { type BillingOptimization, billingOptimizationSchema, type Disclosures, disclosuresSchema } from './selling.ts'

export const skuItemSchema = resource({
  ...item,
  ...shippedItem
})
/** One line of a checkout. */
export interface SkuItem extends Static<typeof skuItemSchema> {}

export const checkoutSchema = resource({
  ...purchase,
  ...origin,
  id: text,
  createdTime: Type.Optional(instant),
  updatedTime: Type.Optional(instant),
  items: Type.Optional(parts<SkuItem>(skuItemSchema)),
  billingOptimization: Type.Optional(part<BillingOptimization>(billingOptimizationSchema)),
  payment: Type.Optional(part<Payments>(paymentsSchema)),
  disclosures: Type.Optional(part<Disclosures>(disclosuresSchema))
})
/** A cart on its way to an order. */
export interface Checkout extends Static<typeof checkoutSchema> {}
