import { Type, type Static } from 'typebox'

import { type Charge, chargeSchema } from './charge.ts'
import { amount, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Source, sourceSchema } from './source.ts'

export const nextActionDataSchema = resource({
  /** Where to redirect the buyer. For the action `redirect`. */
  redirectUrl: Type.Optional(text),
  /** The id of the payment method whose instructions to show. For the action `show_payment_instructions`. */
  sourceId: Type.Optional(text),
  /** Gives the buyer's browser access to those instructions. Keep it out of logs. */
  sourceClientSecret: Type.Optional(text),
  /** The id of the payment session. */
  sessionId: Type.Optional(text),
  /** For the bank's authentication of the buyer: a browser token. */
  fingerprintToken: Type.Optional(text),
  /** For the bank's authentication of the buyer: a challenge token. */
  challengeToken: Type.Optional(text),
  /** For the bank's authentication of the buyer: a site key. */
  originKey: Type.Optional(text)
})
/** The data for the next step of a payment. */
export interface NextActionData extends Static<typeof nextActionDataSchema> {}

export const nextActionSchema = resource({
  /** The step to take. */
  action: Type.Optional(oneOf('redirect', 'show_payment_instructions', 'sca_required')),
  /** The data for the step. */
  data: Type.Optional(part<NextActionData>(nextActionDataSchema))
})
/** The step that a payment waits for. */
export interface NextAction extends Static<typeof nextActionSchema> {}

export const sessionSchema = resource({
  /** The id of the payment session; charges name it in `paymentSessionId`. */
  id: Type.Optional(text),
  /** The amount covered by the chosen payment methods, in major units of the currency. */
  amountContributed: Type.Optional(amount),
  /** The amount that is not covered yet, in major units of the currency. */
  amountRemainingToBeContributed: Type.Optional(amount),
  /** Gives the buyer's browser access to the session. Keep it out of logs. */
  clientSecret: Type.Optional(text),
  /** The state of the payment. */
  state: Type.Optional(
    oneOf(
      'requires_source',
      'requires_confirmation',
      'confirmed',
      'pending',
      'pending_funds',
      'pending_redirect',
      'chargeable',
      'complete',
      'cancelled',
      'processing',
      'failed',
      'requires_action'
    )
  ),
  /** The step that the payment waits for, if any. */
  nextAction: Type.Optional(part<NextAction>(nextActionSchema))
})
/** The state of a checkout's payment. */
export interface Session extends Static<typeof sessionSchema> {}

export const paymentsSchema = resource({
  /** The payment methods. */
  sources: Type.Optional(parts<Source>(sourceSchema)),
  /** Their charges. Absent if there are none. */
  charges: Type.Optional(parts<Charge>(chargeSchema)),
  /** The state of the payment. */
  session: Type.Optional(part<Session>(sessionSchema))
})
/** The payment methods and their charges. */
export interface Payments extends Static<typeof paymentsSchema> {}
