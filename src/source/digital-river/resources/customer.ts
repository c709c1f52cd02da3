import { Type, type Static } from 'typebox'

import { type Shipping, shippingSchema } from './address.ts'
import { dayOrInstant, flag, instant, metadata, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Source, sourceSchema } from './source.ts'
import { type CustomerTaxIdentifier, customerTaxIdentifierSchema } from './tax-identifier.ts'

export const taxCertificateSchema = resource({
  companyName: Type.Optional(text),
  /** Who granted it, such as MN. */
  taxAuthority: Type.Optional(text),
  startDate: Type.Optional(dayOrInstant),
  endDate: Type.Optional(dayOrInstant),
  /** The proof itself. */
  fileId: Type.Optional(text)
})
/** The proof that a customer is exempt from tax. */
export interface TaxCertificate extends Static<typeof taxCertificateSchema> {}

export const customerSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  updatedTime: Type.Optional(instant),
  email: Type.Optional(text),
  shipping: Type.Optional(part<Shipping>(shippingSchema)),
  /** The payment method used when none is chosen. */
  defaultSourceId: Type.Optional(text),
  sources: Type.Optional(parts<Source>(sourceSchema)),
  taxIdentifiers: Type.Optional(parts<CustomerTaxIdentifier>(customerTaxIdentifierSchema)),
  taxCertificates: Type.Optional(parts<TaxCertificate>(taxCertificateSchema)),
  /** Whether personal data is to be erased. */
  requestToBeForgotten: Type.Optional(flag),
  type: Type.Optional(oneOf('business', 'individual')),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** Such as en_US. */
  locale: Type.Optional(text),
  enabled: Type.Optional(flag),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** Somebody who buys more than once. */
export interface Customer extends Static<typeof customerSchema> {}
