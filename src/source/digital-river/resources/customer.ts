import { Type, type Static } from 'typebox'

import { type Shipping, shippingSchema } from './address.ts'
import { dayOrInstant, flag, instant, metadata, nullable, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Source, sourceSchema } from './source.ts'
import { type CustomerTaxIdentifier, customerTaxIdentifierSchema } from './tax-identifier.ts'

// The model requires all of it. No sample shows one.
export const taxCertificateSchema = resource({
  /** The company that is exempt. */
  companyName: Type.Optional(text),
  /** Who granted it, such as MN. */
  taxAuthority: Type.Optional(text),
  /** From when it counts: a day or an instant, ISO 8601. */
  startDate: Type.Optional(dayOrInstant),
  /** Until when it counts: a day or an instant, ISO 8601. */
  endDate: Type.Optional(dayOrInstant),
  /** The id of the file with the proof itself, whose purpose is `tax_document_customer_upload`. */
  fileId: Type.Optional(text)
})
/** The proof that a customer is exempt from tax. */
export interface TaxCertificate extends Static<typeof taxCertificateSchema> {}

export const customerSchema = resource({
  /** Digital River's id of the customer; orders and subscriptions name it in `customerId`. */
  id: text,
  /** When the customer was added. */
  createdTime: Type.Optional(instant),
  /** When the customer was last changed. */
  updatedTime: Type.Optional(instant),
  /** The customer's email address. */
  email: Type.Optional(text),
  /** Where the customer's goods go. */
  shipping: Type.Optional(part<Shipping>(shippingSchema)),
  /** The id of the payment method used when none is chosen: one of `sources`. */
  defaultSourceId: Type.Optional(text),
  /** The payment methods kept with the customer. */
  sources: Type.Optional(parts<Source>(sourceSchema)),
  /** The tax numbers kept with the customer. */
  taxIdentifiers: Type.Optional(parts<Partial<CustomerTaxIdentifier>>(Type.Partial(customerTaxIdentifierSchema))),
  /** Proofs that the customer is exempt from tax. */
  taxCertificates: Type.Optional(parts<TaxCertificate>(taxCertificateSchema)),
  /** Whether personal data will be erased. */
  requestToBeForgotten: Type.Optional(flag),
  /** Whether a company or a private person. */
  type: Type.Optional(oneOf('business', 'individual')),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** The customer's language and country, such as en_US. */
  locale: Type.Optional(text),
  /** Whether the customer is active. */
  enabled: Type.Optional(nullable(flag)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** Somebody who buys more than once. */
export interface Customer extends Static<typeof customerSchema> {}
