import { Type, type Static } from 'typebox'

import { flag, instant, manyOrOne, oneOf, oneOrMany, resource, text } from './kinds.ts'

export const attributesSchema = resource({
  /** The barcode of the buyer's mobile phone. Of type `tw_individual_mobile_barcode`. */
  MOBILE_BARCODE: Type.Optional(text),
  /** By which the merchant knows the member, such as an email address. Of type `tw_individual_member_carrier`. */
  MEMBER_CARRIER: Type.Optional(text),
  /** The number of the citizen's digital certificate. Of type `tw_individual_citizen_cert`. */
  CITIZEN_DIGITAL_CERT: Type.Optional(text),
  /** The name of the charity that gets the invoice. Of type `tw_individual_donate`. */
  CHARITY_NAME: Type.Optional(text),
  /** The code of that charity. */
  CHARITY_CODE: Type.Optional(text),
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
/** The fields of an invoice that some countries ask for, by name. There may be others: which ones depends on the kind of invoice. */
export interface Attributes extends Static<typeof attributesSchema> {}

export const invoiceAttributesSchema = resource({
  /** Digital River's id of these attributes. */
  id: text,
  /** When they were made. */
  createdTime: Type.Optional(instant),
  /** When they were last changed. */
  updatedTime: Type.Optional(instant),
  /** Which kind of official invoice: `cn_` of China, `tw_` of Taiwan. */
  type: Type.Optional(oneOf(
    'cn_individual_general', 'cn_business_general', 'cn_business_special', 'tw_individual_mobile_barcode',
    'tw_individual_member_carrier', 'tw_individual_citizen_cert', 'tw_individual_donate'
  )),
  /** Digital River's id of the customer that they belong to. */
  customerId: Type.Optional(text),
  /** The fields themselves, in the model's spelling. One object or a list of them. */
  // The model spells it with three t. What the wire does is not known: both are read.
  atttributes: Type.Optional(manyOrOne<Attributes>(attributesSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The fields themselves. One object in the sample payloads; a list of them in the model. */
  attributes: Type.Optional(oneOrMany<Attributes>(attributesSchema))
})
/** What China and Taiwan want to know for an official invoice. */
export interface InvoiceAttributes extends Static<typeof invoiceAttributesSchema> {}
