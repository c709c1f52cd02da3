import { Type, type Static } from 'typebox'

import { amount, anything, flag, instant, metadata, oneOf, part, resource, text } from './kinds.ts'
import {
  type BPay,
  bPaySchema,
  type CreditCard,
  creditCardSchema,
  type DirectDebit,
  directDebitSchema,
  type GiftCard,
  giftCardSchema,
  type GooglePay,
  googlePaySchema,
  type InternetBankPayment,
  internetBankPaymentSchema,
  type Klarna,
  type KlarnaRecurring,
  klarnaRecurringSchema,
  klarnaSchema,
  type Konbini,
  konbiniSchema,
  type Owner,
  ownerSchema,
  type PayCo,
  payCoSchema,
  type PayPal,
  payPalSchema,
  type WireTransfer,
  wireTransferSchema
} from './source-methods.ts'

export const sourceSchema = resource({
  /** Digital River's id of the payment method; charges name it in `sourceId`. */
  id: text,
  /** When it was made. The sources inside an order have none. */
  createdTime: Type.Optional(instant),
  /** Lets the buyer's browser confirm it. Keep it out of logs. */
  clientSecret: Type.Optional(text),
  /** The method, which determines which of the following fields is present. */
  type: Type.Optional(
    oneOf(
      'creditCard',
      'directDebit',
      'googlePay',
      'applePay',
      'payPal',
      'payPalBilling',
      'payPalCredit',
      'wireTransfer',
      'customerCredit',
      'alipay',
      'bPay',
      'onlineBanking',
      'codJapan',
      'klarnaCredit',
      'klarnaCreditRecurring',
      'konbini',
      'bankTransfer',
      'msts',
      'bancontact',
      'giftCard',
      'ideal',
      'amazonPay',
      'afterPay',
      'ccAvenue'
    )
  ),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** The amount that it pays, in major units of the currency. Absent if it is reusable. */
  amount: Type.Optional(amount),
  /** Whether a customer may save it. */
  reusable: Type.Optional(flag),
  /** The owner of the payment method. */
  owner: Type.Optional(part<Owner>(ownerSchema)),
  /** The known data of the card. For type `creditCard`. */
  creditCard: Type.Optional(part<CreditCard>(creditCardSchema)),
  /** The known data of the card behind it. For type `googlePay`. */
  googlePay: Type.Optional(part<GooglePay>(googlePaySchema)),
  /** The page that the buyer is sent to, or the agreement. For type `payPal`. */
  payPal: Type.Optional(part<PayPal>(payPalSchema)),
  /** The same for type `payPalBilling`. */
  payPalBilling: Type.Optional(part<PayPal>(payPalSchema)),
  /** The same for type `payPalCredit`. */
  payPalCredit: Type.Optional(part<PayPal>(payPalSchema)),
  /** The page on which the buyer gives the mandate. For type `directDebit`. */
  directDebit: Type.Optional(part<DirectDebit>(directDebitSchema)),
  /** The account that the buyer must pay into. For type `wireTransfer`. */
  wireTransfer: Type.Optional(part<WireTransfer>(wireTransferSchema)),
  /** The page that the buyer is sent to, and PayCo's data. */
  // The list of types lacks this method, but the fields include it.
  payCo: Type.Optional(part<PayCo>(payCoSchema)),
  /** For type `alipay`. Its shape is unknown. */
  alipay: Type.Optional(anything),
  /** For type `applePay`. Its shape is unknown. */
  applePay: Type.Optional(anything),
  /** The account that the buyer must pay into. For type `bPay`. */
  bPay: Type.Optional(part<BPay>(bPaySchema)),
  /** The bank. For type `onlineBanking`. */
  onlineBanking: Type.Optional(part<InternetBankPayment>(internetBankPaymentSchema)),
  /** For type `codJapan`, cash on delivery. Its shape is unknown. */
  codJapan: Type.Optional(anything),
  /** Klarna's details. For type `klarnaCredit`. */
  klarnaCredit: Type.Optional(part<Klarna>(klarnaSchema)),
  /** The page that the buyer returns to. For type `klarnaCreditRecurring`. */
  klarnaCreditRecurring: Type.Optional(part<KlarnaRecurring>(klarnaRecurringSchema)),
  /** How the buyer pays at the store. For type `konbini`. */
  konbini: Type.Optional(part<Konbini>(konbiniSchema)),
  /** For type `bankTransfer`. Its shape is unknown. */
  bankTransfer: Type.Optional(anything),
  /** For type `msts`. Its shape is unknown. */
  msts: Type.Optional(anything),
  /** For type `bancontact`. Its shape is unknown. */
  bancontact: Type.Optional(anything),
  /** For type `ideal`. Its shape is unknown. */
  ideal: Type.Optional(anything),
  /** The known data of the gift card. For type `giftCard`. */
  giftCard: Type.Optional(part<GiftCard>(giftCardSchema)),
  /** For type `amazonPay`. Its shape is unknown. */
  amazonPay: Type.Optional(anything),
  /** For type `afterPay`. Its shape is unknown. */
  afterPay: Type.Optional(anything),
  /** For type `ccAvenue`. Its shape is unknown. */
  ccAvenue: Type.Optional(anything),
  /** For type `customerCredit`, the merchant's own store credit. Empty in the documents. */
  customerCredit: Type.Optional(anything),
  /** Whether the buyer is redirected, or pays into an account without further help. */
  flow: Type.Optional(oneOf('standard', 'redirect', 'receiver')),
  /** Whether it can be charged, and otherwise what it waits for. Absent in the sources inside an order. */
  state: Type.Optional(
    oneOf('pending_funds', 'pending_redirect', 'requires_action', 'chargeable', 'consumed', 'cancelled', 'failed')
  ),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** Digital River's id of the customer who saved it. Absent if no customer did. */
  customerId: Type.Optional(text),
  /** The id of its payment session. */
  paymentSessionId: Type.Optional(text),
  /**
   * The merchant's own id of it: for type `customerCredit`, the store credit that `amount` is taken from. Seen in
   * `checkout_session.order.created`.
   */
  upstreamId: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A payment method, used once or saved by a customer. The field with the name of the `type` holds its details. */
export interface Source extends Static<typeof sourceSchema> {}
