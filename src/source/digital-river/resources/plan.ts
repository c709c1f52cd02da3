import { Type, type Static } from 'typebox'

import { count, flag, instant, metadata, oneOf, part, resource, text } from './kinds.ts'

export const planStateTransitionsSchema = resource({
  activated: Type.Optional(instant),
  discontinued: Type.Optional(instant),
  deactivated: Type.Optional(instant)
})
/** When a plan came into each state. */
export interface PlanStateTransitions extends Static<typeof planStateTransitionsSchema> {}

export const planSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  updatedTime: Type.Optional(instant),
  stateTransitions: Type.Optional(part<PlanStateTransitions>(planStateTransitionsSchema)),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** What the customer agrees to. */
  terms: Type.Optional(text),
  /** For how many days the customer is bound. */
  contractBindingDays: Type.Optional(count),
  interval: Type.Optional(oneOf('year', 'month', 'week', 'day')),
  /** How many intervals make a period. */
  intervalCount: Type.Optional(count),
  name: Type.Optional(text),
  /** How many days before the invoice the customer is reminded. */
  reminderOffsetDays: Type.Optional(count),
  /** Whether renewals are tried at the time most likely to succeed. */
  billingOptimization: Type.Optional(flag),
  /** How many days before the end of a period it is billed. */
  billingOffsetDays: Type.Optional(count),
  /** How many days collecting is tried. */
  collectionPeriodDays: Type.Optional(count),
  state: Type.Optional(oneOf('draft', 'active', 'discontinued', 'deactivated')),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata)
})
/** The terms of a subscription: how often it is billed, and when the customer is reminded. */
export interface Plan extends Static<typeof planSchema> {}
