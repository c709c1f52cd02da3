import { Type, type Static, type TObject } from 'typebox'

import { amount, resource } from './kinds.ts'

const reduction = {
  /** The amount of the discount, in major units of the currency. */
  amountOff: Type.Optional(amount),
  /** The discount in percent: 0.01 to 100; 10 is ten percent. */
  percentOff: Type.Optional(Type.Number())
}
export const discountSchema = resource(reduction)
/** A discount: an amount or a percentage, never both. */
export interface Discount extends Static<typeof discountSchema> {}

const ofSkuDiscount = {
  /** The number of pieces that it applies to. */
  quantity: Type.Optional(Type.Number())
}
export const skuDiscountSchema: TObject<typeof reduction & typeof ofSkuDiscount> = resource({
  ...reduction,
  ...ofSkuDiscount
})
/** A discount on one item, for the given number of pieces. */
export interface SkuDiscount extends Static<typeof skuDiscountSchema> {}
