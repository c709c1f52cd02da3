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
  /** The owner's address. */
  // Required by the model, and present in all samples. Those are of cards and one wire transfer; other methods may have
  // no address.
  address: Type.Optional(part<Address>(addressSchema)),
  /** Parts of that address that only some countries have. */
  additionalAddressInfo: Type.Optional(part<AdditionalAddressInfo>(additionalAddressInfoSchema))
})
/** The owner of the payment method. */
export interface Owner extends Static<typeof ownerSchema> {}

const card = {
  /** The last four digits of the card's number, as a text, such as `0008`. */
  lastFourDigits: Type.Optional(text),
  /** The month of its expiry: 1 to 12. */
  expirationMonth: Type.Optional(Type.Number()),
  /** The year of its expiry: four digits. */
  expirationYear: Type.Optional(Type.Number()),
  /** The brand of the card, such as Visa. */
  brand: Type.Optional(text)
}

const ofCreditCard = {
  /** Such as credit or prepaid. */
  // Seen in samples only.
  fundingSource: Type.Optional(text)
}
export const creditCardSchema: TObject<typeof card & typeof ofCreditCard> = resource({ ...card, ...ofCreditCard })
/** The known data of a card. Never its number. */
export interface CreditCard extends Static<typeof creditCardSchema> {}

export const googlePaySchema = resource(card)
/** The known data of the card behind Google Pay. */
export interface GooglePay extends Static<typeof googlePaySchema> {}

const redirection = {
  /** The page that the buyer is sent to. */
  redirectUrl: Type.Optional(text),
  /** The page that the buyer returns to. */
  returnUrl: Type.Optional(text)
}

const ofRedirect = {
  /** The page that the buyer returns to after cancelling. */
  cancelUrl: Type.Optional(text)
}
export const redirectSchema: TObject<typeof redirection & typeof ofRedirect> = resource({
  ...redirection,
  ...ofRedirect
})
/** Where the buyer is sent to pay, and where the buyer returns to. */
export interface Redirect extends Static<typeof redirectSchema> {}

export const payPalTokenSchema = resource({
  /** The reference itself. */
  token: Type.Optional(text)
})
/** A reference to an agreement with PayPal. */
export interface PayPalToken extends Static<typeof payPalTokenSchema> {}

export const payPalSchema = resource({
  /** Where the buyer is sent to pay, and where the buyer returns to. */
  redirect: Type.Optional(part<Redirect>(redirectSchema)),
  /** A reference to an agreement with PayPal. */
  directDebit: Type.Optional(part<PayPalToken>(payPalTokenSchema))
})
/** A payment by PayPal. */
export interface PayPal extends Static<typeof payPalSchema> {}

export const directDebitRedirectSchema = resource(redirection)
/** Where the buyer is sent to give the mandate, and where the buyer returns to. */
export interface DirectDebitRedirect extends Static<typeof directDebitRedirectSchema> {}

export const directDebitSchema = resource({
  /** Where the buyer is sent to give the mandate, and where the buyer returns to. */
  redirect: Type.Optional(part<DirectDebitRedirect>(directDebitRedirectSchema))
})
/** A payment by direct debit. */
export interface DirectDebit extends Static<typeof directDebitSchema> {}

const account = {
  /** The name of the account holder. */
  accountHolder: Type.Optional(text),
  /** The name of the bank. */
  bankName: Type.Optional(text),
  /** The town of the bank. */
  city: Type.Optional(text),
  /** The country of the bank, such as US. */
  country: Type.Optional(text),
  /** The reference that the buyer must give in the transfer. */
  referenceId: Type.Optional(text),
  /** The account number. */
  accountNumber: Type.Optional(text),
  /** The bank's code: SWIFT or BIC. */
  swiftCode: Type.Optional(text)
}

const ofWireTransfer = {
  /** Further details for the buyer's bank. */
  additionalBankInformation: Type.Optional(text),
  /** The international account number. */
  iban: Type.Optional(text)
}
export const wireTransferSchema: TObject<typeof account & typeof ofWireTransfer> = resource({
  ...account,
  ...ofWireTransfer
})
/** The account that the buyer must pay into. */
export interface WireTransfer extends Static<typeof wireTransferSchema> {}

const ofPayCo = {
  /** PayCo's data. Its shape is unknown. */
  payCo: Type.Optional(anything)
}
export const payCoSchema: TObject<typeof redirection & typeof ofPayCo> = resource({ ...redirection, ...ofPayCo })
/** A payment by PayCo. */
export interface PayCo extends Static<typeof payCoSchema> {}

const ofBPay = {
  /** The biller's code. */
  billId: Type.Optional(text),
  /** The payer's reference with the biller. */
  customerPaymentReference: Type.Optional(text)
}
export const bPaySchema: TObject<typeof account & typeof ofBPay> = resource({ ...account, ...ofBPay })
/** The account that the buyer must pay into by BPay. */
export interface BPay extends Static<typeof bPaySchema> {}

export const internetBankPaymentSchema = resource({
  /** The bank. */
  bankCode: Type.Optional(text)
})
/** A payment on the site of a bank. */
export interface InternetBankPayment extends Static<typeof internetBankPaymentSchema> {}

// Not an Address: in this model not even the country is required.
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
  /** The recipient's name. */
  recipient: Type.Optional(text),
  /** The recipient's telephone number. */
  phoneNumber: Type.Optional(text),
  /** The delivery address. */
  address: Type.Optional(part<KlarnaAddress>(klarnaAddressSchema)),
  /** The recipient's email address. */
  email: Type.Optional(text)
})
/** The recipient, according to Klarna. */
export interface KlarnaShipping extends Static<typeof klarnaShippingSchema> {}

export const klarnaSchema = resource({
  /** The recipient, according to Klarna. */
  shipping: Type.Optional(part<KlarnaShipping>(klarnaShippingSchema)),
  /** Klarna's id of the session. */
  token: Type.Optional(text)
})
/** A payment by Klarna. */
export interface Klarna extends Static<typeof klarnaSchema> {}

export const klarnaRecurringSchema = resource({
  /** The page that the buyer returns to. */
  returnUrl: Type.Optional(text),
  /** The page that the buyer returns to after cancelling. */
  cancelUrl: Type.Optional(text)
})
/** A recurring payment by Klarna. */
export interface KlarnaRecurring extends Static<typeof klarnaRecurringSchema> {}

export const konbiniSchema = resource({
  /** The id of the store. */
  storeId: Type.Optional(text),
  /** The code that the buyer shows at the till. */
  receiptNumber: Type.Optional(text),
  /** The URL of the page that the buyer can print. */
  printableInvoiceUrl: Type.Optional(text),
  /** The name of the store. */
  storeName: Type.Optional(text),
  /** The name in Japanese. */
  localizedStoreName: Type.Optional(text),
  /** The URL of the store's logo. */
  storeLogoUrl: Type.Optional(text)
})
/** A payment at a convenience store in Japan. */
export interface Konbini extends Static<typeof konbiniSchema> {}

export const giftCardSchema = resource({
  /** The currency of the card: ISO 4217, such as EUR. */
  cardCurrency: Type.Optional(text),
  /** The exchange rate from the currency of the card to that of the purchase. */
  conversionRate: Type.Optional(rate),
  /** The last four digits of the card's number: a text or, without leading zeros, a number. */
  // A number in the model; a text for every other method.
  lastFourDigits: Type.Optional(textOrNumber)
})
/** A payment by gift card. */
export interface GiftCard extends Static<typeof giftCardSchema> {}
