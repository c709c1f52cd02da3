import { valuesAt } from '../../model/values-at.ts'

/**
 * The fields of `data.object` that name what an event is about. The first ones count if there are more than an event
 * can have: the resource, the merchant's own id, and the resources that it belongs to come before charges and captures.
 */
const paths = [
  'id',
  'upstreamId',
  'orderId',
  'orderUpstreamId',
  'customerId',
  'email',
  'invoiceId',
  'subscriptionId',
  'checkoutId',
  'checkoutSessionId',
  // A subscription with its invoice, as in subscription.extended.
  'subscription',
  'subscription.upstreamId',
  'subscription.customerId',
  'invoice',
  'invoice.upstreamId',
  'invoice.orderId',
  'invoice.customerId',
  'invoice.email',
  // The order of a fulfillment.
  'orderDetails',
  'orderDetails.upstreamId',
  'orderDetails.customerId',
  'orderDetails.email',
  'fulfillmentOrderId',
  'fulfillmentOrderUpstreamId',
  'shipmentId',
  'items.subscriptionInfo.subscriptionId',
  'charges',
  'payment.charges',
  'captures',
  'refunds',
  'cancels'
]

/** Lists the ids in an event of Digital River. After a deletion, the id may be in `data.previousAttributes`. */
export const keysOf = valuesAt([...paths.map((path) => `data.object.${path}`), 'data.previousAttributes.id'])
