import { Type, type Static } from 'typebox'

import { amount, count, flag, instant, metadata, oneOf, part, resource, text } from './kinds.ts'

export const batterySchema = resource({
  quantity: Type.Optional(count),
  chemicalSystem: Type.Optional(text),
  /** By the International Electrotechnical Commission. */
  iecCode: Type.Optional(text)
})
/** What battery laws ask for. */
export interface Battery extends Static<typeof batterySchema> {}

export const weeeSchema = resource({
  weeeRegistrationId: Type.Optional(text)
})
/** What the laws on electronic waste ask for. */
export interface WEEE extends Static<typeof weeeSchema> {}

export const feeSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  updatedTime: Type.Optional(instant),
  type: Type.Optional(oneOf('battery', 'weee', 'copyright', 'e_waste', 'packaging')),
  skuId: Type.Optional(text),
  category: Type.Optional(text),
  value: Type.Optional(text),
  /** Of one piece, in major units of the currency. */
  amount: Type.Optional(amount),
  battery: Type.Optional(part<Battery>(batterySchema)),
  complianceAgency: Type.Optional(text),
  feeExemption: Type.Optional(text),
  brandName: Type.Optional(text),
  weee: Type.Optional(part<WEEE>(weeeSchema)),
  /** Such as 2 kg. */
  weightAndUnits: Type.Optional(text),
  rateAndUnits: Type.Optional(text),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** ISO 3166-1 alpha-2, such as DE. */
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
