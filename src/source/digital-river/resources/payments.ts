import { Type, type Static } from 'typebox'

import { type Charge, chargeSchema } from './charge.ts'
import { amount, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Source, sourceSchema } from './source.ts'

export const sessionSchema = resource({
  /** The id of the payment session; charges name it in `paymentSessionId`. */
  id: Type.Optional(text),
  /** What the payment methods chosen so far cover, in major units of the currency. */
  amountContributed: Type.Optional(amount),
  /** What they do not cover yet, in major units of the currency. */
  amountRemainingToBeContributed: Type.Optional(amount),
  /** Lets the browser of the buyer go on with it. Keep it out of logs. */
  clientSecret: Type.Optional(text),
  /** How far the payment has come. */
  state: Type.Optional(oneOf(
    'requires_source', 'requires_confirmation', 'confirmed', 'pending', 'pending_funds', 'pending_redirect',
    'chargeable', 'complete', 'cancelled', 'processing', 'failed', 'requires_action'
  ))
})
/** How far the payment of a checkout has come. */
export interface Session extends Static<typeof sessionSchema> {}

export const paymentsSchema = resource({
  /** The payment methods. */
  sources: Type.Optional(parts<Source>(sourceSchema)),
  /** The charges made to them. Absent until there is one. */
  charges: Type.Optional(parts<Charge>(chargeSchema)),
  /** How far the payment has come. */
  session: Type.Optional(part<Session>(sessionSchema))
})
/** How it is paid: the methods, and the charges made to them. */
export interface Payments extends Static<typeof paymentsSchema> {}
