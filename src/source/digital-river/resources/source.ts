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
  /** Lets the browser of the buyer confirm it. Keep it out of logs. */
  clientSecret: Type.Optional(text),
  /** The method. It says which of the following fields is present. */
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
  /** What it contributes, in major units of the currency. Absent where it is reusable. */
  amount: Type.Optional(amount),
  /** Whether a customer may keep it. */
  reusable: Type.Optional(flag),
  /** Whose payment method it is. */
  owner: Type.Optional(part<Owner>(ownerSchema)),
  /** What may be known of the card. Of type `creditCard`. */
  creditCard: Type.Optional(part<CreditCard>(creditCardSchema)),
  /** What may be known of the card behind it. Of type `googlePay`. */
  googlePay: Type.Optional(part<GooglePay>(googlePaySchema)),
  /** Where the buyer is sent, or the agreement. Of type `payPal`. */
  payPal: Type.Optional(part<PayPal>(payPalSchema)),
  /** The same of type `payPalBilling`. */
  payPalBilling: Type.Optional(part<PayPal>(payPalSchema)),
  /** The same of type `payPalCredit`. */
  payPalCredit: Type.Optional(part<PayPal>(payPalSchema)),
  /** Where the buyer gives the mandate. Of type `directDebit`. */
  directDebit: Type.Optional(part<DirectDebit>(directDebitSchema)),
  /** The account that the buyer must pay into. Of type `wireTransfer`. */
  wireTransfer: Type.Optional(part<WireTransfer>(wireTransferSchema)),
  /** Where the buyer is sent, and what PayCo says of it. */
  // The list of types has no such method, the fields do.
  payCo: Type.Optional(part<PayCo>(payCoSchema)),
  /** Of type `alipay`. Its shape is not known. */
  alipay: Type.Optional(anything),
  /** Of type `applePay`. Its shape is not known. */
  applePay: Type.Optional(anything),
  /** The account that the buyer must pay into. Of type `bPay`. */
  bPay: Type.Optional(part<BPay>(bPaySchema)),
  /** The bank. Of type `onlineBanking`. */
  onlineBanking: Type.Optional(part<InternetBankPayment>(internetBankPaymentSchema)),
  /** Of type `codJapan`, cash on delivery. Its shape is not known. */
  codJapan: Type.Optional(anything),
  /** Klarna's details. Of type `klarnaCredit`. */
  klarnaCredit: Type.Optional(part<Klarna>(klarnaSchema)),
  /** Where the buyer comes back to. Of type `klarnaCreditRecurring`. */
  klarnaCreditRecurring: Type.Optional(part<KlarnaRecurring>(klarnaRecurringSchema)),
  /** Where and how the buyer pays. Of type `konbini`. */
  konbini: Type.Optional(part<Konbini>(konbiniSchema)),
  /** Of type `bankTransfer`. Its shape is not known. */
  bankTransfer: Type.Optional(anything),
  /** Of type `msts`. Its shape is not known. */
  msts: Type.Optional(anything),
  /** Of type `bancontact`. Its shape is not known. */
  bancontact: Type.Optional(anything),
  /** Of type `ideal`. Its shape is not known. */
  ideal: Type.Optional(anything),
  /** What may be known of the gift card. Of type `giftCard`. */
  giftCard: Type.Optional(part<GiftCard>(giftCardSchema)),
  /** Of type `amazonPay`. Its shape is not known. */
  amazonPay: Type.Optional(anything),
  /** Of type `afterPay`. Its shape is not known. */
  afterPay: Type.Optional(anything),
  /** Of type `ccAvenue`. Its shape is not known. */
  ccAvenue: Type.Optional(anything),
  /** Of type `customerCredit`, the merchant's own store credit. Empty in the documents. */
  customerCredit: Type.Optional(anything),
  /** Whether the buyer is sent elsewhere, or pays by himself into an account. */
  flow: Type.Optional(oneOf('standard', 'redirect', 'receiver')),
  /** Whether it can be charged, and what it waits for if not. The sources inside an order have none. */
  state: Type.Optional(
    oneOf('pending_funds', 'pending_redirect', 'requires_action', 'chargeable', 'consumed', 'cancelled', 'failed')
  ),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** Digital River's id of the customer that keeps it. Absent if no customer does. */
  customerId: Type.Optional(text),
  /** The id of the payment session that it contributes to. */
  paymentSessionId: Type.Optional(text),
  /**
   * The merchant's own id for it: of type `customerCredit`, the store credit to take `amount` from. Seen in
   * `checkout_session.order.created`.
   */
  upstreamId: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A payment method, used once or kept by a customer. The field named like `type` holds its details. */
export interface Source extends Static<typeof sourceSchema> {}
