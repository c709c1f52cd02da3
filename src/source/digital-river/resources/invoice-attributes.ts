import { Type, type Static } from 'typebox'

import { flag, instant, manyOrOne, oneOf, oneOrMany, resource, text, textsByName } from './kinds.ts'

export const attributesSchema = resource({
  /** The name on the invoice. */
  invoiceTitle: Type.Optional(text),
  /** The registered bank account. */
  regAccount: Type.Optional(text),
  /** The registered address, in one line. */
  regAddress: Type.Optional(text),
  /** The bank of the registered account. */
  regBank: Type.Optional(text),
  /** The registered telephone number. */
  regPhone: Type.Optional(text)
})
/** The fields of an invoice for China. */
export interface Attributes extends Static<typeof attributesSchema> {}

/**
 * The fields of an invoice, as texts by name. Taiwan has `MOBILE_BARCODE`, `MEMBER_CARRIER`, `CITIZEN_DIGITAL_CERT`, or
 * `CHARITY_NAME` and `CHARITY_CODE`, depending on the kind of invoice.
 */
export type AttributesByName = Static<typeof textsByName>

export const invoiceAttributesSchema = resource({
  /** Digital River's id of these attributes. */
  id: text,
  /** When they were made. */
  createdTime: Type.Optional(instant),
  /** When they were last changed. */
  updatedTime: Type.Optional(instant),
  /** The kind of official invoice: `cn_` for China, `tw_` for Taiwan. */
  type: Type.Optional(
    oneOf(
      'cn_individual_general',
      'cn_business_general',
      'cn_business_special',
      'tw_individual_mobile_barcode',
      'tw_individual_member_carrier',
      'tw_individual_citizen_cert',
      'tw_individual_donate'
    )
  ),
  /** Digital River's id of the customer. */
  customerId: Type.Optional(text),
  /** The fields, in the model's spelling: a list, or by name. */
  // The model spells it with three t. No sample shows the actual spelling, so both are accepted.
  atttributes: Type.Optional(manyOrOne<Attributes, AttributesByName>(attributesSchema, textsByName)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The fields, by name; the model has a list of such objects. */
  attributes: Type.Optional(oneOrMany<AttributesByName>(textsByName))
})
/** The data that China and Taiwan require for an official invoice. */
export interface InvoiceAttributes extends Static<typeof invoiceAttributesSchema> {}
