import { Type, type Static } from 'typebox'

import { amount, flag, instant, metadata, oneOf, part, resource, text } from './kinds.ts'

export const batterySchema = resource({
  /** How many batteries. */
  quantity: Type.Optional(Type.Number()),
  /** What the battery is made of, chemically. */
  chemicalSystem: Type.Optional(text),
  /** The type of battery, in the code of the International Electrotechnical Commission. */
  iecCode: Type.Optional(text)
})
/** What battery laws ask for. */
export interface Battery extends Static<typeof batterySchema> {}

export const weeeSchema = resource({
  /** The number under which the producer is registered. */
  weeeRegistrationId: Type.Optional(text)
})
/** What the laws on electronic waste ask for. */
export interface WEEE extends Static<typeof weeeSchema> {}

export const feeSchema = resource({
  /** Digital River's id of the fee. */
  id: text,
  /** When the fee was added. */
  createdTime: Type.Optional(instant),
  /** When the fee was last changed. */
  updatedTime: Type.Optional(instant),
  /** What the fee is for: batteries, electronic waste, copyright, packaging. */
  type: Type.Optional(oneOf('battery', 'weee', 'copyright', 'e_waste', 'packaging')),
  /** The id of the SKU that the fee is on. */
  skuId: Type.Optional(text),
  /** The category within the type. Which there are is not documented. */
  category: Type.Optional(text),
  /** The value within the category: a text. What it may be is not documented. */
  value: Type.Optional(text),
  /** Of one piece, in major units of the currency. */
  amount: Type.Optional(amount),
  /** What battery laws ask for; only of type `battery`. */
  battery: Type.Optional(part<Battery>(batterySchema)),
  /** The agency that watches over the fee. */
  complianceAgency: Type.Optional(text),
  /** Why or whether the fee is waived: a text. What it may be is not documented. */
  feeExemption: Type.Optional(text),
  /** The brand of the product. */
  brandName: Type.Optional(text),
  /** What the laws on electronic waste ask for; only of type `weee`. */
  weee: Type.Optional(part<WEEE>(weeeSchema)),
  /** The weight and its unit, such as 2 kg. */
  weightAndUnits: Type.Optional(text),
  /** The rate and its unit, as a text. */
  rateAndUnits: Type.Optional(text),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** Where it applies: ISO 3166-1 alpha-2, such as DE. */
  country: Type.Optional(text),
  /** States or provinces where it applies. */
  subdivisions: Type.Optional(Type.Array(text)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** A regulatory fee on a SKU. */
export interface Fee extends Static<typeof feeSchema> {}
