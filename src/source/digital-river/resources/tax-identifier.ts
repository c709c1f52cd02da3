import { Type, type Static, type TObject } from 'typebox'

import { instant, nullable, oneOf, part, parts, resource, text } from './kinds.ts'

export const taxIdentifierStateTransitionsSchema = resource({
  /** When the tax authority was asked. */
  pending: Type.Optional(nullable(instant)),
  /** When the tax authority knew the number. */
  verified: Type.Optional(nullable(instant)),
  /** When the tax authority did not know the number. */
  not_valid: Type.Optional(nullable(instant))
})
/** When a tax identifier came into each state. */
export interface TaxIdentifierStateTransitions extends Static<typeof taxIdentifierStateTransitionsSchema> {}

const taxIdentifier = {
  /** Digital River's id of the tax identifier. Certain only where it is what an event is about. */
  id: text,
  /** When it was added. */
  createdTime: Type.Optional(instant),
  /** When it was last changed. */
  updatedTime: Type.Optional(instant),
  /** Digital River's id of the customer that it is kept with. */
  customerId: Type.Optional(nullable(text)),
  /** The kind of number and its country, such as uk for a British VAT number. */
  type: Type.Optional(text),
  /** The number itself. */
  value: Type.Optional(text),
  /** Digital River asks the tax authority: until then it is pending. */
  state: Type.Optional(oneOf('pending', 'not_valid', 'verified')),
  /** When it came into each state so far. */
  stateTransitions: Type.Optional(nullable(part<TaxIdentifierStateTransitions>(taxIdentifierStateTransitionsSchema))),
  /** The name that the tax authority has for it. */
  verifiedName: Type.Optional(nullable(text)),
  /** The address that the tax authority has for it. */
  verifiedAddress: Type.Optional(nullable(text))
}

export const taxIdentifierSchema = resource(taxIdentifier)
/** A number by which a tax authority knows the buyer, such as a VAT number. */
export interface TaxIdentifier extends Static<typeof taxIdentifierSchema> {}

export const applicabilitySchema = resource({
  /** The country in which it counts. */
  country: Type.Optional(text),
  /** The selling entity. */
  entity: Type.Optional(text),
  /** Whether it counts for companies or for private persons. */
  customerType: Type.Optional(oneOf('business', 'individual'))
})
/** For which country, seller and kind of buyer a tax identifier counts. */
export interface Applicability extends Static<typeof applicabilitySchema> {}

const ofCustomer = {
  /** For which countries, sellers and kinds of buyer it counts. */
  applicability: Type.Optional(parts<Applicability>(applicabilitySchema))
}
export const customerTaxIdentifierSchema: TObject<typeof taxIdentifier & typeof ofCustomer> = resource({
  ...taxIdentifier,
  ...ofCustomer
})
/** A tax identifier kept with a customer. */
export interface CustomerTaxIdentifier extends Static<typeof customerTaxIdentifierSchema> {}
