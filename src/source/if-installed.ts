declare const isMissing: unique symbol

/**
 * The types of an optional package, or others where it is not installed: the import that is then ignored gives `any`,
 * which fits everything. (Compared in a tuple, because the compiler does not resolve a condition on the type of a
 * failed import.)
 *
 *     import type Stripe from 'stripe' // see stripe.ts
 *     export type StripeEvent = IfInstalled<Stripe.Event, StripeWireEvent>
 */
export type IfInstalled<Types, Otherwise> = [Types] extends [{ readonly [isMissing]: true }] ? Otherwise : Types
