import { Type, type Static, type TObject } from 'typebox'

import { amount, oneOf, parts, resource, text } from './kinds.ts'

export const purchaseLocationSchema = resource({
  /** ISO 3166-1 alpha-2, such as DE. */
  // Required by the model. No sample shows it.
  country: Type.Optional(text),
  /** State, province or region, such as MN. */
  state: Type.Optional(text),
  /** The postal code. */
  postalCode: Type.Optional(text)
})
/** The buyer's place, before an address is known. */
export interface PurchaseLocation extends Static<typeof purchaseLocationSchema> {}

export const sellingEntitySchema = resource({
  /** Such as DR_INC-ENTITY. */
  id: Type.Optional(text),
  /** The name of the company, such as Digital River Inc. */
  name: Type.Optional(text)
})
/** The company of Digital River that is the seller of record. */
export interface SellingEntity extends Static<typeof sellingEntitySchema> {}

export const billingOptimizationSchema = resource({
  /** The id of the subscription that is renewed. */
  subscriptionId: Type.Optional(text),
  /** The id of the subscriber's segment. */
  segmentId: Type.Optional(text),
  /** The number of the renewal attempt. The model does not say that it is a whole number. */
  renewalAttemptNumber: Type.Optional(Type.Number()),
  /** A tracking id. */
  trackingId: Type.Optional(text)
})
/** Hints that make a successful renewal payment more likely. */
export interface BillingOptimization extends Static<typeof billingOptimizationSchema> {}

export const shippingChoiceSchema = resource({
  /** The id of the shipping method. */
  // Seen in one sample only.
  id: Type.Optional(text),
  /** Without tax, in major units of the currency. */
  amount: Type.Optional(amount),
  /** The tax on it, in major units of the currency. */
  taxAmount: Type.Optional(amount),
  /** The name of the shipping method for the buyer, such as standard. */
  description: Type.Optional(text),
  /** The carrier's or the merchant's code, such as SG. */
  serviceLevel: Type.Optional(text),
  /** DDP: duties are paid by the seller. DAP: by the buyer on arrival. */
  shippingTerms: Type.Optional(oneOf('DDP', 'DAP'))
})
/** The shipping method and its cost. */
export interface ShippingChoice extends Static<typeof shippingChoiceSchema> {}

const disclosure = {
  /** The type of the text. */
  // Required by the model. No sample shows it.
  type: Type.Optional(
    oneOf(
      'termsOfSale',
      'privacyPolicy',
      'cookiePolicy',
      'legalNotice',
      'autoRenewalPlanTerms',
      'saveCardMandate',
      'idealRecurringAgreement',
      'businessEntity',
      'resellerDisclosure',
      'confirmDisclosure',
      'californiaPrivacyRights'
    )
  ),
  /** The name of the company whose text it is. */
  entityName: Type.Optional(text),
  /** The id of the company whose text it is. */
  entityId: Type.Optional(text),
  /** The text that was shown. */
  localizedText: Type.Optional(text),
  /** The URL of the text. */
  url: Type.Optional(text)
}
export const disclosureDetailsSchema = resource(disclosure)
/** One legal text that the buyer was shown. */
export interface DisclosureDetails extends Static<typeof disclosureDetailsSchema> {}

const ofDisclosures = {
  /** The individual texts, if this is an object with a list in it. */
  disclosures: Type.Optional(parts<DisclosureDetails>(disclosureDetailsSchema))
}
export const disclosuresSchema: TObject<typeof disclosure & typeof ofDisclosures> = resource({
  ...disclosure,
  ...ofDisclosures
})
/** One legal text that the buyer was shown; in older documents, an object with a list of them. */
export interface Disclosures extends Static<typeof disclosuresSchema> {}
