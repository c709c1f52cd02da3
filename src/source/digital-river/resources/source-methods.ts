import { Type, type Static, type TObject } from 'typebox'

import { type AdditionalAddressInfo, additionalAddressInfoSchema, type Address, addressSchema } from './address.ts'
import { anything, nullable, part, rate, resource, text, textOrNumber } from './kinds.ts'

export const ownerSchema = resource({
  /** The given name. */
  firstName: Type.Optional(text),
  /** The family name. */
  lastName: Type.Optional(text),
  /** The owner's email address. */
  email: Type.Optional(text),
  /** The owner's company. */
  organization: Type.Optional(nullable(text)),
  /** The merchant's own id for the owner. */
  upstreamId: Type.Optional(text),
  /** Where the owner is at home. */
  // Required by the model, and in all samples; those are of cards and one wire transfer, and other methods may tell
  // no address.
  address: Type.Optional(part<Address>(addressSchema)),
  /** Parts of that address that only some countries have. */
  additionalAddressInfo: Type.Optional(part<AdditionalAddressInfo>(additionalAddressInfoSchema))
})
/** Whose payment method it is. */
export interface Owner extends Static<typeof ownerSchema> {}

const card = {
  /** The last four digits of the card's number, as a text: `0008` is one. */
  lastFourDigits: Type.Optional(text),
  /** The month in which it expires: 1 to 12. */
  expirationMonth: Type.Optional(Type.Number()),
  /** The year in which it expires: four digits. */
  expirationYear: Type.Optional(Type.Number()),
  /** The brand of the card, such as Visa. */
  brand: Type.Optional(text)
}

const ofCreditCard = {
  /** Such as credit or prepaid. */
  // In samples only.
  fundingSource: Type.Optional(text)
}
export const creditCardSchema: TObject<typeof card & typeof ofCreditCard> = resource({ ...card, ...ofCreditCard })
/** What may be known of a card. Never its number. */
export interface CreditCard extends Static<typeof creditCardSchema> {}

export const googlePaySchema = resource(card)
/** What may be known of the card behind Google Pay. */
export interface GooglePay extends Static<typeof googlePaySchema> {}

const redirection = {
  /** Where the buyer is sent. */
  redirectUrl: Type.Optional(text),
  /** Where the buyer comes back to. */
  returnUrl: Type.Optional(text)
}

const ofRedirect = {
  /** Where the buyer comes back to after giving up. */
  cancelUrl: Type.Optional(text)
}
export const redirectSchema: TObject<typeof redirection & typeof ofRedirect> = resource({
  ...redirection,
  ...ofRedirect
})
/** Where the buyer is sent to pay, and where back. */
export interface Redirect extends Static<typeof redirectSchema> {}

export const payPalTokenSchema = resource({
  /** The reference itself. */
  token: Type.Optional(text)
})
/** A reference to an agreement with PayPal. */
export interface PayPalToken extends Static<typeof payPalTokenSchema> {}

export const payPalSchema = resource({
  /** Where the buyer is sent to pay, and where back. */
  redirect: Type.Optional(part<Redirect>(redirectSchema)),
  /** A reference to an agreement with PayPal. */
  directDebit: Type.Optional(part<PayPalToken>(payPalTokenSchema))
})
/** A payment by PayPal. */
export interface PayPal extends Static<typeof payPalSchema> {}

export const directDebitRedirectSchema = resource(redirection)
/** Where the buyer is sent to give the mandate, and where back. */
export interface DirectDebitRedirect extends Static<typeof directDebitRedirectSchema> {}

export const directDebitSchema = resource({
  /** Where the buyer is sent to give the mandate, and where back. */
  redirect: Type.Optional(part<DirectDebitRedirect>(directDebitRedirectSchema))
})
/** A payment by direct debit. */
export interface DirectDebit extends Static<typeof directDebitSchema> {}

const account = {
  /** Whose account it is. */
  accountHolder: Type.Optional(text),
  /** The bank that keeps it. */
  bankName: Type.Optional(text),
  /** The town of the bank. */
  city: Type.Optional(text),
  /** The country of the bank, such as US. */
  country: Type.Optional(text),
  /** What the buyer must name in the transfer. */
  referenceId: Type.Optional(text),
  /** The number of the account. */
  accountNumber: Type.Optional(text),
  /** The bank's own code: SWIFT, or BIC. */
  swiftCode: Type.Optional(text)
}

const ofWireTransfer = {
  /** What else the buyer's bank needs to know. */
  additionalBankInformation: Type.Optional(text),
  /** The international number of the account. */
  iban: Type.Optional(text)
}
export const wireTransferSchema: TObject<typeof account & typeof ofWireTransfer> = resource({
  ...account,
  ...ofWireTransfer
})
/** The account that the buyer must pay into. */
export interface WireTransfer extends Static<typeof wireTransferSchema> {}

const ofPayCo = {
  /** What PayCo says of it. Its shape is not known. */
  payCo: Type.Optional(anything)
}
export const payCoSchema: TObject<typeof redirection & typeof ofPayCo> = resource({ ...redirection, ...ofPayCo })
/** A payment by PayCo. */
export interface PayCo extends Static<typeof payCoSchema> {}

const ofBPay = {
  /** The biller's code. */
  billId: Type.Optional(text),
  /** How the biller recognises the payer. */
  customerPaymentReference: Type.Optional(text)
}
export const bPaySchema: TObject<typeof account & typeof ofBPay> = resource({ ...account, ...ofBPay })
/** The account that the buyer must pay into by BPay. */
export interface BPay extends Static<typeof bPaySchema> {}

export const internetBankPaymentSchema = resource({
  /** Says which bank. */
  bankCode: Type.Optional(text)
})
/** A payment on the site of a bank. */
export interface InternetBankPayment extends Static<typeof internetBankPaymentSchema> {}

// Not an Address: here the model requires not even the country.
export const klarnaAddressSchema = resource({
  /** Street and number. */
  line1: Type.Optional(text),
  /** The town. */
  city: Type.Optional(text),
  /** State, province or region. */
  state: Type.Optional(text),
  /** The country. */
  country: Type.Optional(text),
  /** The postal code. */
  postalCode: Type.Optional(text)
})
/** An address in Klarna's form. */
export interface KlarnaAddress extends Static<typeof klarnaAddressSchema> {}

export const klarnaShippingSchema = resource({
  /** Who receives it. */
  recipient: Type.Optional(text),
  /** The telephone number of who receives it. */
  phoneNumber: Type.Optional(text),
  /** Where it is brought. */
  address: Type.Optional(part<KlarnaAddress>(klarnaAddressSchema)),
  /** The email address of who receives it. */
  email: Type.Optional(text)
})
/** To whom Klarna says it is shipped. */
export interface KlarnaShipping extends Static<typeof klarnaShippingSchema> {}

export const klarnaSchema = resource({
  /** To whom Klarna says it is shipped. */
  shipping: Type.Optional(part<KlarnaShipping>(klarnaShippingSchema)),
  /** By which Klarna knows the session. */
  token: Type.Optional(text)
})
/** A payment by Klarna. */
export interface Klarna extends Static<typeof klarnaSchema> {}

export const klarnaRecurringSchema = resource({
  /** Where the buyer comes back to. */
  returnUrl: Type.Optional(text),
  /** Where the buyer comes back to after giving up. */
  cancelUrl: Type.Optional(text)
})
/** A recurring payment by Klarna. */
export interface KlarnaRecurring extends Static<typeof klarnaRecurringSchema> {}

export const konbiniSchema = resource({
  /** The id of the store. */
  storeId: Type.Optional(text),
  /** What the buyer shows at the till. */
  receiptNumber: Type.Optional(text),
  /** Where the buyer can print what to show: a URL. */
  printableInvoiceUrl: Type.Optional(text),
  /** The name of the store. */
  storeName: Type.Optional(text),
  /** The name in Japanese. */
  localizedStoreName: Type.Optional(text),
  /** Where the store's logo lies: a URL. */
  storeLogoUrl: Type.Optional(text)
})
/** A payment at a convenience store in Japan. */
export interface Konbini extends Static<typeof konbiniSchema> {}

export const giftCardSchema = resource({
  /** The currency of the card: ISO 4217, such as EUR. */
  cardCurrency: Type.Optional(text),
  /** From the currency of the card to that of the purchase. */
  conversionRate: Type.Optional(rate),
  /** The last four digits of the card's number: a text or, without leading zeros, a number. */
  // A number by the model; of every other method it is a text.
  lastFourDigits: Type.Optional(textOrNumber)
})
/** A payment by gift card. */
export interface GiftCard extends Static<typeof giftCardSchema> {}
