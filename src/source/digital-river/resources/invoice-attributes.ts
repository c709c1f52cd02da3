import { Type, type Static } from 'typebox'

import { flag, instant, oneOf, parts, resource, text } from './kinds.ts'

export const attributesSchema = resource({
  /** The name on the invoice. */
  invoiceTitle: Type.Optional(text),
  /** The registered bank account. */
  regAccount: Type.Optional(text),
  regAddress: Type.Optional(text),
  regBank: Type.Optional(text),
  regPhone: Type.Optional(text)
})
/** The fields of an invoice that some countries ask for. */
export interface Attributes extends Static<typeof attributesSchema> {}

export const invoiceAttributesSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  updatedTime: Type.Optional(instant),
  /** Which kind of official invoice. */
  type: Type.Optional(oneOf(
    'cn_individual_general', 'cn_business_general', 'cn_business_special', 'tw_individual_mobile_barcode',
    'tw_individual_member_carrier', 'tw_individual_citizen_cert', 'tw_individual_donate'
  )),
  customerId: Type.Optional(text),
  // The model spells it with three t. What the wire does is not known: both are read.
  atttributes: Type.Optional(parts<Attributes>(attributesSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  attributes: Type.Optional(parts<Attributes>(attributesSchema))
})
/** What China and Taiwan want to know for an official invoice. */
export interface InvoiceAttributes extends Static<typeof invoiceAttributesSchema> {}
