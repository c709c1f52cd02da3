import { Type, type Static } from 'typebox'

import { amount, flag, instant, resource, text } from './kinds.ts'

/** Who pays whom. */
export const parties = {
  payerId: Type.Optional(text),
  payerName: Type.Optional(text),
  payeeId: Type.Optional(text),
  payeeName: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
}

export const payoutSchema = resource({
  ...parties,
  id: text,
  createdTime: Type.Optional(instant),
  payoutTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** In major units of the currency. */
  amount: Type.Optional(amount)
})
/** One payment from Digital River to the merchant. */
export interface Payout extends Static<typeof payoutSchema> {}
