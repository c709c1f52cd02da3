import { Type, type Static } from 'typebox'

import { type Shipping, shippingSchema } from './address.ts'
import { dayOrInstant, flag, instant, metadata, nullable, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Source, sourceSchema } from './source.ts'
import { type CustomerTaxIdentifier, customerTaxIdentifierSchema } from './tax-identifier.ts'

// The model requires all fields. No sample shows one.
export const taxCertificateSchema = resource({
  /** The exempt company. */
  companyName: Type.Optional(text),
  /** The authority that granted it, such as MN. */
  taxAuthority: Type.Optional(text),
  /** The start of its validity: a day or an instant, ISO 8601. */
  startDate: Type.Optional(dayOrInstant),
  /** The end of its validity: a day or an instant, ISO 8601. */
  endDate: Type.Optional(dayOrInstant),
  /** The id of the file with the certificate, whose purpose is `tax_document_customer_upload`. */
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
  /** The customer's shipping address. */
  shipping: Type.Optional(part<Shipping>(shippingSchema)),
  /** The id of the default payment method: one of `sources`. */
  defaultSourceId: Type.Optional(text),
  /** The payment methods saved for the customer. */
  sources: Type.Optional(parts<Source>(sourceSchema)),
  /** The tax numbers saved for the customer. */
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
/** A registered customer. */
export interface Customer extends Static<typeof customerSchema> {}
