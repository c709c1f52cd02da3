import { Type, type Static } from 'typebox'

import { amount, flag, instant, metadata, oneOf, part, resource, text } from './kinds.ts'

export const batterySchema = resource({
  /** The number of batteries. */
  quantity: Type.Optional(Type.Number()),
  /** The chemical type of the battery. */
  chemicalSystem: Type.Optional(text),
  /** The type of battery, in the code of the International Electrotechnical Commission. */
  iecCode: Type.Optional(text)
})
/** Data that battery laws require. */
export interface Battery extends Static<typeof batterySchema> {}

export const weeeSchema = resource({
  /** The producer's registration number. */
  weeeRegistrationId: Type.Optional(text)
})
/** Data that the laws on electronic waste require. */
export interface WEEE extends Static<typeof weeeSchema> {}

export const feeSchema = resource({
  /** Digital River's id of the fee. */
  id: text,
  /** When the fee was added. */
  createdTime: Type.Optional(instant),
  /** When the fee was last changed. */
  updatedTime: Type.Optional(instant),
  /** The reason for the fee: batteries, electronic waste, copyright, packaging. */
  type: Type.Optional(oneOf('battery', 'weee', 'copyright', 'e_waste', 'packaging')),
  /** The id of the SKU with this fee. */
  skuId: Type.Optional(text),
  /** The category within the type. The possible values are not documented. */
  category: Type.Optional(text),
  /** The value within the category: a text. The possible values are not documented. */
  value: Type.Optional(text),
  /** Per piece, in major units of the currency. */
  amount: Type.Optional(amount),
  /** Data that battery laws require; only for type `battery`. */
  battery: Type.Optional(part<Battery>(batterySchema)),
  /** The agency that administers the fee. */
  complianceAgency: Type.Optional(text),
  /** Why or whether the fee is waived: a text. The possible values are not documented. */
  feeExemption: Type.Optional(text),
  /** The brand of the product. */
  brandName: Type.Optional(text),
  /** Data that the laws on electronic waste require; only for type `weee`. */
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
