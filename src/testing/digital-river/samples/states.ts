import type { Scene } from './scene.ts'

/** The state of the resource at the time of the event, if it is not the last word of the type. */
const states: Readonly<Record<string, string>> = {
  'order.created': 'accepted',
  'order.submitted': 'accepted',
  'order.updated': 'accepted',
  'order.review_opened': 'in_review',
  'order.review_closed': 'accepted',
  'order.dispute.resolved': 'accepted',
  'order.refunded': 'complete',
  'order.charge.refund.failed': 'complete',
  'order.charge.reauth.failed': 'accepted',
  'checkout_session.order.created': 'accepted',
  'fulfillment_order.backordered': 'pending',
  // Of a part: the rest can still be captured. So in the samples, as of the captures below.
  'order.charge.cancel.complete': 'capturable',
  'order.charge.completed': 'complete',
  'order.charge.refund.complete': 'processing',
  'order.charge.refund.completed': 'processing',
  'order.charge.refund.pending': 'processing',
  'order.charge.refund.created': 'processing',
  'order.charge.created': 'pending',
  'order.charge.cancel.failed': 'capturable',
  'order.charge.cancel.pending': 'capturable',
  'order.charge.cancel.pending_information': 'capturable',
  'order.charge.capture.complete': 'capturable',
  'order.charge.capture.completed': 'capturable',
  'order.charge.capture.failed': 'capturable',
  'order.charge.capture.pending': 'processing',
  'order.charge.capture.created': 'processing',
  'charge.capture.created': 'processing',
  'refund.complete': 'succeeded',
  'refund.completed': 'succeeded',
  'refund.created': 'pending',
  'refund.updated': 'pending',
  'subscription.created': 'draft',
  'subscription.deleted': 'draft',
  'subscription.updated': 'active',
  'subscription.extended': 'active',
  'subscription.payment_failed': 'active',
  'subscription.reminder': 'active',
  'subscription.source_invalid': 'active',
  'invoice.created': 'draft',
  'invoice.updated': 'draft',
  'invoice.payment_failed': 'open',
  'customer.tax_identifier.created': 'pending',
  'tax_identifier.updated': 'verified',
  'tax_identifier.deleted': 'verified',
  'plan.created': 'draft',
  'plan.updated': 'active',
  'plan.deleted': 'draft',
  'return.updated': 'created'
}

/** The states of parts, which have their own state. By the field that holds the part. */
const partStates: Readonly<Record<string, (scene: Scene) => string>> = {
  // An item of an order, of a return or of an order to a warehouse: each takes the word that it knows.
  items: ({ type }) => (/^order\.(?:fulfilled|complete|refunded|dispute)/.test(type) ? 'fulfilled' : lastWord(type)),
  sources: () => 'chargeable',
  charges: ({ payment }) =>
    ({
      open: 'pending',
      authorised: 'capturable',
      collecting: 'processing',
      captured: 'complete',
      refunded: 'complete',
      cancelled: 'cancelled',
      failed: 'failed'
    })[payment],
  session: ({ payment, type }) =>
    payment !== 'open' ? 'complete' : type === 'order.pending_payment' ? 'pending_funds' : 'requires_confirmation',
  captures: ({ payment, type }) =>
    payment === 'collecting' ? 'pending' : type.includes('.capture.') ? lastWord(type) : 'complete',
  cancels: ({ type }) => (type.includes('.cancel.') ? lastWord(type) : 'complete'),
  refunds: ({ type }) => (type.includes('refund.') ? lastWord(type) : 'complete'),
  invoice: ({ payment }) => (({ open: 'draft', collecting: 'paid' }) as Record<string, string>)[payment] ?? 'open',
  taxIdentifiers: () => 'verified'
}

/**
 * @param around the resource, or the field that the state is in
 * @param documented the values that it can have; the first stands for what has no state of that name
 */
export function stateOf(around: string, documented: readonly string[], scene: Scene): string {
  const wanted = partStates[around]?.(scene) ?? states[scene.type] ?? lastWord(scene.type)
  const finished = /^(?:completed|succeeded)$/.test(wanted) ? 'complete' : wanted
  return [wanted, finished].find((state) => documented.includes(state)) ?? documented[0] ?? wanted
}

/**
 * The states that came before one. Orders, their items, subscriptions and invoices have some in common: each takes
 * those that it knows.
 */
const earlier: Readonly<Record<string, readonly string[]>> = {
  fulfilled: ['created', 'accepted'],
  complete: ['accepted', 'fulfilled'],
  dispute: ['accepted', 'fulfilled', 'complete'],
  returned: ['created', 'accepted', 'fulfilled', 'complete'],
  cancelled: ['created', 'accepted', 'activated'],
  failed: ['activated'],
  lapsed: ['activated'],
  ended: ['activated'],
  open: ['draft'],
  void: ['draft', 'open'],
  paid: ['created', 'fulfilled', 'draft', 'open'],
  uncollectible: ['draft', 'open']
}
/** Further earlier states that an event implies. */
const implied: Readonly<Record<string, readonly string[]>> = {
  'order.review_closed': ['in_review', 'review_opened'],
  'order.dispute.resolved': ['accepted', 'fulfilled', 'complete', 'dispute', 'passed', 'review_opened']
}
/** Where a list of times has another name for a state. */
const transitions: Readonly<Record<string, string>> = { active: 'activated', activeFree: 'activatedFree' }

/**
 * The states up to the one that it has, in their order, by the names that its list of times has for them.
 * @param known the names in that list
 */
export function historyOf(state: string, known: readonly string[], { type }: Scene): readonly string[] {
  const reached = transitions[state] ?? state
  return [...(earlier[state] ?? []), ...(implied[type] ?? []), reached].filter(
    (each, index, all) => known.includes(each) && all.indexOf(each) === index
  )
}

function lastWord(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1)
}
