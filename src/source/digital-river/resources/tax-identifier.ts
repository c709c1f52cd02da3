import { Type, type Static } from 'typebox'

import { instant, oneOf, part, parts, resource, text } from './kinds.ts'

export const taxIdentifierStateTransitionsSchema = resource({
  pending: Type.Optional(instant),
  verified: Type.Optional(instant),
  not_valid: Type.Optional(instant)
})
/** When a tax identifier came into each state. */
export interface TaxIdentifierStateTransitions extends Static<typeof taxIdentifierStateTransitionsSchema> {}

const taxIdentifier = {
  createdTime: Type.Optional(instant),
  updatedTime: Type.Optional(instant),
  customerId: Type.Optional(text),
  /** The kind of number and its country, such as uk for a British VAT number. */
  type: Type.Optional(text),
  /** The number itself. */
  value: Type.Optional(text),
  /** Digital River asks the tax authority: it stays pending meanwhile. */
  state: Type.Optional(oneOf('pending', 'not_valid', 'verified')),
  stateTransitions: Type.Optional(part<TaxIdentifierStateTransitions>(taxIdentifierStateTransitionsSchema)),
  /** The name that the tax authority has for it. */
  verifiedName: Type.Optional(text),
  /** The address that the tax authority has for it. */
  verifiedAddress: Type.Optional(text)
}

export const taxIdentifierSchema = resource({
  ...taxIdentifier,
  id: text
})
/** A number by which a tax authority knows the buyer, such as a VAT number. */
export interface TaxIdentifier extends Static<typeof taxIdentifierSchema> {}

export const applicabilitySchema = resource({
  country: Type.Optional(text),
  /** The selling entity. */
  entity: Type.Optional(text),
  customerType: Type.Optional(oneOf('business', 'individual'))
})
/** For which country, seller and kind of buyer a tax identifier counts. */
export interface Applicability extends Static<typeof applicabilitySchema> {}

export const customerTaxIdentifierSchema = resource({
  ...taxIdentifier,
  id: text,
  applicability: Type.Optional(parts<Applicability>(applicabilitySchema))
})
/** A tax identifier kept with a customer. */
export interface CustomerTaxIdentifier extends Static<typeof customerTaxIdentifierSchema> {}
