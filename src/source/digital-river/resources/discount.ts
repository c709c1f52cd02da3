import { Type, type Static } from 'typebox'

import { amount, count, resource } from './kinds.ts'

export const discountSchema = resource({
  /** In major units of the currency. */
  amountOff: Type.Optional(amount),
  /** 0.01 to 100; 10 is ten percent. */
  percentOff: Type.Optional(Type.Number())
})
/** A reduction: an amount or a percentage, never both. */
export interface Discount extends Static<typeof discountSchema> {}

export const skuDiscountSchema = resource({
  /** In major units of the currency. */
  amountOff: Type.Optional(amount),
  /** 0.01 to 100; 10 is ten percent. */
  percentOff: Type.Optional(Type.Number()),
  /** How many pieces it is for. */
  quantity: Type.Optional(count)
})
/** A reduction of one item, for as many pieces as it says. */
export interface SkuDiscount extends Static<typeof skuDiscountSchema> {}
