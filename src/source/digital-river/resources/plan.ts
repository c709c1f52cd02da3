import { Type, type Static } from 'typebox'

import { count, flag, instant, metadata, nullable, oneOf, part, resource, text } from './kinds.ts'

export const planStateTransitionsSchema = resource({
  /** When it was activated. */
  activated: Type.Optional(nullable(instant)),
  /** When it was discontinued. */
  discontinued: Type.Optional(nullable(instant)),
  /** When it was deactivated. */
  deactivated: Type.Optional(nullable(instant))
})
/** When a plan entered each state. */
export interface PlanStateTransitions extends Static<typeof planStateTransitionsSchema> {}

// The model requires terms, interval, intervalCount and the numbers of days except for the reminder. No sample has a
// plan.
export const planSchema = resource({
  /** Digital River's id of the plan; subscriptions name it in `planId`. */
  id: text,
  /** When the plan was made. */
  createdTime: Type.Optional(instant),
  /** When the plan was last changed. */
  // The model's name of it ends in a colon, `updatedTime:`: a mistake, since all other resources have it without.
  updatedTime: Type.Optional(instant),
  /** When it entered each state so far. */
  stateTransitions: Type.Optional(part<PlanStateTransitions>(planStateTransitionsSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The terms that the customer agrees to. */
  terms: Type.Optional(text),
  /** The length of the customer's commitment, in days. */
  contractBindingDays: Type.Optional(count),
  /** The unit of a period. */
  interval: Type.Optional(oneOf('year', 'month', 'week', 'day')),
  /** The number of intervals in a period. */
  intervalCount: Type.Optional(count),
  /** The plan's name. */
  name: Type.Optional(nullable(text)),
  /** How many days before the invoice the customer is reminded. */
  reminderOffsetDays: Type.Optional(nullable(count)),
  /** Whether renewals are charged at the time most likely to succeed. */
  billingOptimization: Type.Optional(flag),
  /** How many days before the end of a period the invoice is made. */
  billingOffsetDays: Type.Optional(nullable(count)),
  /** For how many days the payment is tried. */
  collectionPeriodDays: Type.Optional(nullable(count)),
  /** The state of the plan, from draft to deactivated. */
  state: Type.Optional(oneOf('draft', 'active', 'discontinued', 'deactivated')),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** The terms of a subscription: how often it is billed, and when the customer is reminded. */
export interface Plan extends Static<typeof planSchema> {}
