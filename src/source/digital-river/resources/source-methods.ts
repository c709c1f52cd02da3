import { Type, type Static } from 'typebox'

import { type AdditionalAddressInfo, additionalAddressInfoSchema, type Address, addressSchema } from './address.ts'
import { anything, count, part, rate, resource, text } from './kinds.ts'

export const ownerSchema = resource({
  firstName: Type.Optional(text),
  lastName: Type.Optional(text),
  email: Type.Optional(text),
  organization: Type.Optional(text),
  /** The merchant's own id for the owner. */
  upstreamId: Type.Optional(text),
  address: Type.Optional(part<Address>(addressSchema)),
  additionalAddressInfo: Type.Optional(part<AdditionalAddressInfo>(additionalAddressInfoSchema))
})
/** Whose payment method it is. */
export interface Owner extends Static<typeof ownerSchema> {}

export const creditCardSchema = resource({
  lastFourDigits: Type.Optional(text),
  /** 1 to 12. */
  expirationMonth: Type.Optional(count),
  /** Four digits. */
  expirationYear: Type.Optional(count),
  /** Such as Visa. */
  brand: Type.Optional(text),
  /** Such as credit or prepaid. */
  // In samples only.
  fundingSource: Type.Optional(text)
})
/** What may be known of a card. Never its number. */
export interface CreditCard extends Static<typeof creditCardSchema> {}

export const googlePaySchema = resource({
  lastFourDigits: Type.Optional(text),
  /** 1 to 12. */
  expirationMonth: Type.Optional(count),
  /** Four digits. */
  expirationYear: Type.Optional(count),
  /** Such as Visa. */
  brand: Type.Optional(text)
})
/** What may be known of the card behind Google Pay. */
export interface GooglePay extends Static<typeof googlePaySchema> {}

export const redirectSchema = resource({
  redirectUrl: Type.Optional(text),
  returnUrl: Type.Optional(text),
  cancelUrl: Type.Optional(text)
})
/** Where the buyer is sent to pay, and where back. */
export interface Redirect extends Static<typeof redirectSchema> {}

export const payPalTokenSchema = resource({
  token: Type.Optional(text)
})
/** A reference to an agreement with PayPal. */
export interface PayPalToken extends Static<typeof payPalTokenSchema> {}

export const payPalSchema = resource({
  redirect: Type.Optional(part<Redirect>(redirectSchema)),
  directDebit: Type.Optional(part<PayPalToken>(payPalTokenSchema))
})
/** A payment by PayPal. */
export interface PayPal extends Static<typeof payPalSchema> {}

export const directDebitRedirectSchema = resource({
  redirectUrl: Type.Optional(text),
  returnUrl: Type.Optional(text)
})
/** Where the buyer is sent to give the mandate, and where back. */
export interface DirectDebitRedirect extends Static<typeof directDebitRedirectSchema> {}

export const directDebitSchema = resource({
  redirect: Type.Optional(part<DirectDebitRedirect>(directDebitRedirectSchema))
})
/** A payment by direct debit. */
export interface DirectDebit extends Static<typeof directDebitSchema> {}

export const wireTransferSchema = resource({
  accountHolder: Type.Optional(text),
  bankName: Type.Optional(text),
  city: Type.Optional(text),
  country: Type.Optional(text),
  /** What the buyer must name in the transfer. */
  referenceId: Type.Optional(text),
  accountNumber: Type.Optional(text),
  additionalBankInformation: Type.Optional(text),
  iban: Type.Optional(text),
  swiftCode: Type.Optional(text)
})
/** The account that the buyer must pay into. */
export interface WireTransfer extends Static<typeof wireTransferSchema> {}

export const payCoSchema = resource({
  redirectUrl: Type.Optional(text),
  returnUrl: Type.Optional(text),
  payCo: Type.Optional(anything)
})
/** A payment by PayCo. */
export interface PayCo extends Static<typeof payCoSchema> {}

export const bPaySchema = resource({
  accountHolder: Type.Optional(text),
  bankName: Type.Optional(text),
  city: Type.Optional(text),
  country: Type.Optional(text),
  /** What the buyer must name in the transfer. */
  referenceId: Type.Optional(text),
  accountNumber: Type.Optional(text),
  /** The biller's code. */
  billId: Type.Optional(text),
  customerPaymentReference: Type.Optional(text),
  swiftCode: Type.Optional(text)
})
/** The account that the buyer must pay into by BPay. */
export interface BPay extends Static<typeof bPaySchema> {}

export const internetBankPaymentSchema = resource({
  bankCode: Type.Optional(text)
})
/** A payment on the site of a bank. */
export interface InternetBankPayment extends Static<typeof internetBankPaymentSchema> {}

export const klarnaShippingSchema = resource({
  recipient: Type.Optional(text),
  phoneNumber: Type.Optional(text),
  address: Type.Optional(part<Address>(addressSchema)),
  email: Type.Optional(text)
})
/** To whom Klarna says it is shipped. */
export interface KlarnaShipping extends Static<typeof klarnaShippingSchema> {}

export const klarnaSchema = resource({
  shipping: Type.Optional(part<KlarnaShipping>(klarnaShippingSchema)),
  /** By which Klarna knows the session. */
  token: Type.Optional(text)
})
/** A payment by Klarna. */
export interface Klarna extends Static<typeof klarnaSchema> {}

export const klarnaRecurringSchema = resource({
  returnUrl: Type.Optional(text),
  cancelUrl: Type.Optional(text)
})
/** A recurring payment by Klarna. */
export interface KlarnaRecurring extends Static<typeof klarnaRecurringSchema> {}

export const konbiniSchema = resource({
  storeId: Type.Optional(text),
  /** What the buyer shows at the till. */
  receiptNumber: Type.Optional(text),
  printableInvoiceUrl: Type.Optional(text),
  storeName: Type.Optional(text),
  /** The name in Japanese. */
  localizedStoreName: Type.Optional(text),
  storeLogoUrl: Type.Optional(text)
})
/** A payment at a convenience store in Japan. */
export interface Konbini extends Static<typeof konbiniSchema> {}

export const giftCardSchema = resource({
  /** ISO 4217, such as EUR. */
  cardCurrency: Type.Optional(text),
  /** From the currency of the card to that of the purchase. */
  conversionRate: Type.Optional(rate),
  // A number by the model, which would lose leading zeros; of every other method it is a text.
  lastFourDigits: Type.Optional(Type.Union([text, count]))
})
/** A payment by gift card. */
export interface GiftCard extends Static<typeof giftCardSchema> {}
