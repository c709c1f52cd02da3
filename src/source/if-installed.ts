/**
 * The types of an optional package, or others where it is not installed: the import that is then ignored gives `any`.
 *
 *     import type Stripe from 'stripe' // see stripe.ts
 *     export type StripeEvent = IfInstalled<Stripe.Event, StripeWireEvent>
 */
export type IfInstalled<Types, Otherwise> = 0 extends 1 & Types ? Otherwise : Types
