import type { Scene } from './scene.ts'

/** The state that the resource has when the event tells of it, where it is not the last word of the type. */
const states: Readonly<Record<string, string>> = {
  'order.created': 'accepted',
  'order.submitted': 'accepted',
  'order.updated': 'accepted',
  'order.review_opened': 'in_review',
  'order.review_closed': 'accepted',
  'order.dispute.resolved': 'accepted',
  'order.chargeback': 'dispute',
  'order.refunded': 'complete',
  'order.charge.refund.failed': 'complete',
  'order.charge.reauth.failed': 'accepted',
  'checkout_session.order.created': 'accepted',
  'fulfillment_order.backordered': 'pending',
  'order.charge.cancel.complete': 'cancelled',
  'order.charge.completed': 'complete',
  'order.charge.refund.complete': 'complete',
  'order.charge.refund.completed': 'complete',
  'order.charge.refund.pending': 'complete',
  'order.charge.refund.created': 'complete',
  'order.charge.created': 'pending',
  'order.charge.cancel.failed': 'capturable',
  'order.charge.cancel.pending': 'capturable',
  'order.charge.cancel.pending_information': 'capturable',
  'order.charge.capture.complete': 'complete',
  'order.charge.capture.completed': 'complete',
  'order.charge.capture.failed': 'capturable',
  'order.charge.capture.pending': 'capturable',
  'order.charge.capture.created': 'capturable',
  'charge.capture.created': 'capturable',
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

/** Those of parts, which have a state of their own. By the field that they are in. */
const partStates: Readonly<Record<string, (scene: Scene) => string>> = {
  // An item of an order, of a return or of an order to a warehouse: each takes the word that it knows.
  items: ({ type }) => (/\.(?:fulfilled|complete)$/.test(type) ? 'fulfilled' : lastWord(type)),
  sources: () => 'chargeable',
  charges: ({ payment }) => ({ open: 'pending', authorised: 'capturable', captured: 'complete', refunded: 'complete', cancelled: 'cancelled', failed: 'failed' })[payment],
  session: ({ payment, type }) => (payment !== 'open' ? 'complete' : type === 'order.pending_payment' ? 'pending_funds' : 'requires_confirmation'),
  captures: ({ type }) => (type.includes('.capture.') ? lastWord(type) : 'complete'),
  cancels: ({ type }) => (type.includes('.cancel.') ? lastWord(type) : 'complete'),
  refunds: ({ type }) => (type.includes('refund.') ? lastWord(type) : 'complete'),
  invoice: ({ payment }) => ({ open: 'draft', captured: 'paid' } as Record<string, string>)[payment] ?? 'open',
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

function lastWord(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1)
}
