import { Type, type Static } from 'typebox'

import { amount, count, oneOf, parts, resource, text } from './kinds.ts'

export const purchaseLocationSchema = resource({
  /** ISO 3166-1 alpha-2, such as DE. */
  country: Type.Optional(text),
  state: Type.Optional(text),
  postalCode: Type.Optional(text)
})
/** Where the buyer is, when there is no address yet. */
export interface PurchaseLocation extends Static<typeof purchaseLocationSchema> {}

export const sellingEntitySchema = resource({
  /** Such as DR_INC-ENTITY. */
  id: Type.Optional(text),
  name: Type.Optional(text)
})
/** The company of Digital River that is the seller of record. */
export interface SellingEntity extends Static<typeof sellingEntitySchema> {}

export const billingOptimizationSchema = resource({
  subscriptionId: Type.Optional(text),
  segmentId: Type.Optional(text),
  /** Counted from 1. */
  renewalAttemptNumber: Type.Optional(count),
  trackingId: Type.Optional(text)
})
/** Hints that make a renewal more likely to be paid. */
export interface BillingOptimization extends Static<typeof billingOptimizationSchema> {}

export const shippingChoiceSchema = resource({
  // In a sample only.
  id: Type.Optional(text),
  /** Without tax, in major units of the currency. */
  amount: Type.Optional(amount),
  taxAmount: Type.Optional(amount),
  description: Type.Optional(text),
  /** The carrier's or the merchant's code. */
  serviceLevel: Type.Optional(text),
  /** DDP: duties are paid by the seller. DAP: by the buyer on arrival. */
  shippingTerms: Type.Optional(oneOf('DDP', 'DAP'))
})
/** How it is shipped, and what that costs. */
export interface ShippingChoice extends Static<typeof shippingChoiceSchema> {}

export const disclosureDetailsSchema = resource({
  type: Type.Optional(oneOf(
    'termsOfSale', 'privacyPolicy', 'cookiePolicy', 'legalNotice', 'autoRenewalPlanTerms', 'saveCardMandate',
    'idealRecurringAgreement', 'businessEntity', 'resellerDisclosure', 'confirmDisclosure',
    'californiaPrivacyRights'
  )),
  entityName: Type.Optional(text),
  entityId: Type.Optional(text),
  /** The text as it was shown. */
  localizedText: Type.Optional(text),
  url: Type.Optional(text)
})
/** One legal text that the buyer was shown. */
export interface DisclosureDetails extends Static<typeof disclosureDetailsSchema> {}

export const disclosuresSchema = resource({
  disclosures: Type.Optional(parts<DisclosureDetails>(disclosureDetailsSchema))
})
/** The legal texts that the buyer was shown. */
export interface Disclosures extends Static<typeof disclosuresSchema> {}
