import { Type, type Static } from 'typebox'

import { type Charge, chargeSchema } from './charge.ts'
import { amount, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Source, sourceSchema } from './source.ts'

export const sessionSchema = resource({
  id: Type.Optional(text),
  amountContributed: Type.Optional(amount),
  amountRemainingToBeContributed: Type.Optional(amount),
  /** Lets the browser of the buyer go on with it. Keep it out of logs. */
  clientSecret: Type.Optional(text),
  state: Type.Optional(oneOf(
    'requires_source', 'requires_confirmation', 'confirmed', 'pending', 'pending_funds', 'pending_redirect',
    'chargeable', 'complete', 'cancelled', 'processing', 'failed', 'requires_action'
  ))
})
/** How far the payment of a checkout has come. */
export interface Session extends Static<typeof sessionSchema> {}

export const paymentsSchema = resource({
  sources: Type.Optional(parts<Source>(sourceSchema)),
  charges: Type.Optional(parts<Charge>(chargeSchema)),
  session: Type.Optional(part<Session>(sessionSchema))
})
/** How it is paid: the methods, and the charges made to them. */
export interface Payments extends Static<typeof paymentsSchema> {}
