import { Type, type Static } from 'typebox'

import { amount, anything, flag, instant, metadata, oneOf, part, resource, text } from './kinds.ts'
import {
  type BPay, bPaySchema, type CreditCard, creditCardSchema, type DirectDebit, directDebitSchema, type GiftCard,
  giftCardSchema, type GooglePay, googlePaySchema, type InternetBankPayment, internetBankPaymentSchema,
  type Klarna, type KlarnaRecurring, klarnaRecurringSchema, klarnaSchema, type Konbini, konbiniSchema,
  type Owner, ownerSchema, type PayCo, payCoSchema, type PayPal, payPalSchema, type WireTransfer,
  wireTransferSchema
} from './source-methods.ts'

export const sourceSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  /** Lets the browser of the buyer confirm it. Keep it out of logs. */
  clientSecret: Type.Optional(text),
  /** Says which of the following fields there is. */
  type: Type.Optional(oneOf(
    'creditCard', 'directDebit', 'googlePay', 'applePay', 'payPal', 'payPalBilling', 'payPalCredit',
    'wireTransfer', 'customerCredit', 'alipay', 'bPay', 'onlineBanking', 'codJapan', 'klarnaCredit',
    'klarnaCreditRecurring', 'konbini', 'bankTransfer', 'msts', 'bancontact', 'giftCard', 'ideal', 'amazonPay',
    'afterPay', 'ccAvenue'
  )),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** What it contributes, in major units of the currency. Absent where it is reusable. */
  amount: Type.Optional(amount),
  /** Whether a customer may keep it. */
  reusable: Type.Optional(flag),
  owner: Type.Optional(part<Owner>(ownerSchema)),
  creditCard: Type.Optional(part<CreditCard>(creditCardSchema)),
  googlePay: Type.Optional(part<GooglePay>(googlePaySchema)),
  payPal: Type.Optional(part<PayPal>(payPalSchema)),
  payPalBilling: Type.Optional(part<PayPal>(payPalSchema)),
  payPalCredit: Type.Optional(part<PayPal>(payPalSchema)),
  directDebit: Type.Optional(part<DirectDebit>(directDebitSchema)),
  wireTransfer: Type.Optional(part<WireTransfer>(wireTransferSchema)),
  // The list of types has no such method, the fields do.
  payCo: Type.Optional(part<PayCo>(payCoSchema)),
  alipay: Type.Optional(anything),
  applePay: Type.Optional(anything),
  bPay: Type.Optional(part<BPay>(bPaySchema)),
  onlineBanking: Type.Optional(part<InternetBankPayment>(internetBankPaymentSchema)),
  codJapan: Type.Optional(anything),
  klarnaCredit: Type.Optional(part<Klarna>(klarnaSchema)),
  klarnaCreditRecurring: Type.Optional(part<KlarnaRecurring>(klarnaRecurringSchema)),
  konbini: Type.Optional(part<Konbini>(konbiniSchema)),
  bankTransfer: Type.Optional(anything),
  msts: Type.Optional(anything),
  bancontact: Type.Optional(anything),
  ideal: Type.Optional(anything),
  giftCard: Type.Optional(part<GiftCard>(giftCardSchema)),
  amazonPay: Type.Optional(anything),
  afterPay: Type.Optional(anything),
  ccAvenue: Type.Optional(anything),
  /** Whether the buyer is sent elsewhere, or pays by himself into an account. */
  flow: Type.Optional(oneOf('standard', 'redirect', 'receiver')),
  state: Type.Optional(oneOf('pending_funds', 'pending_redirect', 'requires_action', 'chargeable', 'consumed', 'cancelled', 'failed')),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  customerId: Type.Optional(text),
  paymentSessionId: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A payment method, used once or kept by a customer. The field named like `type` holds its details. */
export interface Source extends Static<typeof sourceSchema> {}
