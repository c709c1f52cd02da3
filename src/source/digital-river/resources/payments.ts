import { Type, type Static } from 'typebox'

import { type Charge, chargeSchema } from './charge.ts'
import { amount, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Source, sourceSchema } from './source.ts'

export const nextActionDataSchema = resource({
  /** Where to send the buyer. Of the action `redirect`. */
  redirectUrl: Type.Optional(text),
  /** The id of the payment method to show instructions for. Of the action `show_payment_instructions`. */
  sourceId: Type.Optional(text),
  /** Lets the browser of the buyer show those instructions. Keep it out of logs. */
  sourceClientSecret: Type.Optional(text),
  /** The id of the payment session. */
  sessionId: Type.Optional(text),
  /** Passed on to the bank's check of the buyer: a token of the browser. */
  fingerprintToken: Type.Optional(text),
  /** Passed on to the bank's check of the buyer: a token of the question asked. */
  challengeToken: Type.Optional(text),
  /** Passed on to the bank's check of the buyer: a key of the site. */
  originKey: Type.Optional(text)
})
/** What is needed to take the next step of a payment. */
export interface NextActionData extends Static<typeof nextActionDataSchema> {}

export const nextActionSchema = resource({
  /** The step to take. */
  action: Type.Optional(oneOf('redirect', 'show_payment_instructions', 'sca_required')),
  /** What the step needs. */
  data: Type.Optional(part<NextActionData>(nextActionDataSchema))
})
/** The step that a payment waits for. */
export interface NextAction extends Static<typeof nextActionSchema> {}

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
  /** The step that the payment waits for. Absent where there is none. */
  nextAction: Type.Optional(part<NextAction>(nextActionSchema))
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
