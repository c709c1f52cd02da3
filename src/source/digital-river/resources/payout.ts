import { Type, type Static, type TObject } from 'typebox'

import { amount, flag, instant, resource, text } from './kinds.ts'

/** The payer and the payee. */
export const parties = {
  /** The payer's id. */
  payerId: Type.Optional(text),
  /** The payer's name. */
  payerName: Type.Optional(text),
  /** The payee's id. */
  payeeId: Type.Optional(text),
  /** The payee's name. */
  payeeName: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
}

const ofPayout = {
  /** Digital River's id of the payout. */
  id: text,
  /** When it was made. */
  createdTime: Type.Optional(instant),
  /** When the money is paid. */
  payoutTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** The paid amount, in major units of the currency. */
  amount: Type.Optional(amount)
}
export const payoutSchema: TObject<typeof parties & typeof ofPayout> = resource({ ...ofPayout, ...parties })
/** One payment from Digital River to the merchant. */
export interface Payout extends Static<typeof payoutSchema> {}
