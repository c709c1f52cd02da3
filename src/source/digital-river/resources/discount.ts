import { Type, type Static, type TObject } from 'typebox'

import { amount, resource } from './kinds.ts'

const reduction = {
  /** How much less, in major units of the currency. */
  amountOff: Type.Optional(amount),
  /** How much less in percent: 0.01 to 100; 10 is ten percent. */
  percentOff: Type.Optional(Type.Number())
}
export const discountSchema = resource(reduction)
/** A reduction: an amount or a percentage, never both. */
export interface Discount extends Static<typeof discountSchema> {}

const ofSkuDiscount = {
  /** How many pieces it is for. */
  quantity: Type.Optional(Type.Number())
}
export const skuDiscountSchema: TObject<typeof reduction & typeof ofSkuDiscount> = resource({
  ...reduction,
  ...ofSkuDiscount
})
/** A reduction of one item, for as many pieces as it says. */
export interface SkuDiscount extends Static<typeof skuDiscountSchema> {}
