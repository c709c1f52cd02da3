import { Type, type Static, type TObject } from 'typebox'

import { instant, nullable, oneOf, part, parts, resource, text } from './kinds.ts'

export const taxIdentifierStateTransitionsSchema = resource({
  /** When verification by the tax authority began. */
  pending: Type.Optional(nullable(instant)),
  /** When the tax authority confirmed the number. */
  verified: Type.Optional(nullable(instant)),
  /** When the tax authority rejected the number. */
  not_valid: Type.Optional(nullable(instant))
})
/** When a tax identifier entered each state. */
export interface TaxIdentifierStateTransitions extends Static<typeof taxIdentifierStateTransitionsSchema> {}

const taxIdentifier = {
  /** Digital River's id of the tax identifier. Required only if the event is about the tax identifier. */
  id: text,
  /** When it was added. */
  createdTime: Type.Optional(instant),
  /** When it was last changed. */
  updatedTime: Type.Optional(instant),
  /** Digital River's id of its customer. */
  customerId: Type.Optional(nullable(text)),
  /** The kind of number and its country, such as uk for a British VAT number. */
  type: Type.Optional(text),
  /** The number itself. */
  value: Type.Optional(text),
  /** The state. Digital River asks the tax authority; until the answer it is pending. */
  state: Type.Optional(oneOf('pending', 'not_valid', 'verified')),
  /** When it entered each state so far. */
  stateTransitions: Type.Optional(nullable(part<TaxIdentifierStateTransitions>(taxIdentifierStateTransitionsSchema))),
  /** The name registered with the tax authority. */
  verifiedName: Type.Optional(nullable(text)),
  /** The address registered with the tax authority. */
  verifiedAddress: Type.Optional(nullable(text))
}

export const taxIdentifierSchema = resource(taxIdentifier)
/** A number by which a tax authority knows the buyer, such as a VAT number. */
export interface TaxIdentifier extends Static<typeof taxIdentifierSchema> {}

export const applicabilitySchema = resource({
  /** The country in which it is valid. */
  country: Type.Optional(text),
  /** The selling entity. */
  entity: Type.Optional(text),
  /** Whether it is for companies or for private persons. */
  customerType: Type.Optional(oneOf('business', 'individual'))
})
/** A country, seller and type of buyer that a tax identifier applies to. */
export interface Applicability extends Static<typeof applicabilitySchema> {}

const ofCustomer = {
  /** The countries, sellers and types of buyer that it applies to. */
  applicability: Type.Optional(parts<Applicability>(applicabilitySchema))
}
export const customerTaxIdentifierSchema: TObject<typeof taxIdentifier & typeof ofCustomer> = resource({
  ...taxIdentifier,
  ...ofCustomer
})
/** A tax identifier saved for a customer. */
export interface CustomerTaxIdentifier extends Static<typeof customerTaxIdentifierSchema> {}
