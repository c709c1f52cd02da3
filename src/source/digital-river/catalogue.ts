import type { Resources } from './resources/index.ts'

/**
 * How well the resource of an event type is known:
 * - `sample`: seen in a full payload of the provider's.
 * - `documented`: stated by the provider, or seen in an abridged payload, which does not show all fields.
 * - `inferred`: from the name of the type, as an event carries the resource that changed; or from a screenshot.
 * - `unknown`: no resource is given.
 */
export type Basis = 'sample' | 'documented' | 'inferred' | 'unknown'

/** The facts about one event type. */
export interface CatalogueEntry {
  /** The resource in `data.object`. Absent if it is unknown: the payload is then typed as an unknown object. */
  readonly resource?: keyof Resources
  /** The meaning, in one line. */
  readonly means: string
  readonly basis: Basis
  /** Digital River can add `physical` and `metadata` to the product details, at the merchant's request. */
  readonly expandable?: true
  /**
   * `data.object` may be `{}`, with the last values in `data.previousAttributes`, as in the sample of
   * `subscription.deleted`. Other deletions are unknown: expect both.
   */
  readonly mayBeEmpty?: true
  /** Still listed, but no longer sent. */
  readonly withdrawn?: true
}

/**
 * Every known event type of Digital River, with its meaning and its resource. The resource cannot be derived from the
 * prefix of the type, nor the state from its last word. The set is open: an event of another type is recorded and
 * handled like any other.
 */
export const catalogue = {
  'account.update.failure': { means: "A change of the merchant's account failed", basis: 'unknown' },
  'account.update.success': { means: "A change of the merchant's account was made", basis: 'unknown' },
  // This type and charge.pending are from an earlier page of the provider's documentation. Its OpenAPI document has
  // charge.created and charge.succeeded, but only in examples. They are left out, because the provider may refuse a
  // whole webhook for one type that does not exist.
  'charge.cancelled': { resource: 'Charge', means: 'A charge was cancelled', basis: 'inferred' },
  'charge.capture.created': {
    resource: 'Charge',
    means: 'The collection of an authorised amount was asked for',
    basis: 'inferred'
  },
  'charge.pending': { resource: 'Charge', means: 'A charge waits for its payment method', basis: 'inferred' },
  'checkout.created': { resource: 'Checkout', means: 'A checkout was begun', basis: 'inferred' },
  'checkout.deleted': { resource: 'Checkout', means: 'A checkout was deleted', basis: 'inferred', mayBeEmpty: true },
  'checkout.updated': { resource: 'Checkout', means: 'A checkout was changed', basis: 'inferred' },
  'checkout_session.order.created': {
    resource: 'Order',
    means: 'A hosted checkout became an order. Not the sign to fulfil: that is order.accepted',
    basis: 'documented'
  },
  // Known from a release note of 2019. It probably carried the resource of its name, of which no model exists.
  'credit_memo.created': { means: 'A credit memo was made', basis: 'unknown', withdrawn: true },
  'customer.created': { resource: 'Customer', means: 'A customer was added', basis: 'inferred' },
  'customer.deleted': { resource: 'Customer', means: 'A customer was deleted', basis: 'inferred', mayBeEmpty: true },
  'customer.invoice_attribute.created': {
    resource: 'InvoiceAttributes',
    means: 'Invoice attributes were added to a customer',
    basis: 'inferred'
  },
  'customer.source.created': {
    resource: 'Source',
    means: 'A payment method was added to a customer',
    basis: 'inferred'
  },
  'customer.source.deleted': {
    resource: 'Source',
    means: 'A payment method was taken from a customer',
    basis: 'inferred',
    mayBeEmpty: true
  },
  'customer.tax_identifier.created': {
    resource: 'TaxIdentifier',
    means: 'A tax identifier was added to a customer',
    basis: 'documented'
  },
  'customer.updated': { resource: 'Customer', means: 'A customer was changed', basis: 'inferred' },
  'fee.created': { resource: 'Fee', means: 'A regulatory fee was added to a SKU', basis: 'inferred' },
  'fee.deleted': { resource: 'Fee', means: 'A regulatory fee was deleted', basis: 'inferred', mayBeEmpty: true },
  'fee.updated': { resource: 'Fee', means: 'A regulatory fee was changed', basis: 'inferred' },
  'file.created': { resource: 'FileObject', means: 'A file was stored', basis: 'inferred' },
  'file.deleted': { resource: 'FileObject', means: 'A file was deleted', basis: 'inferred', mayBeEmpty: true },
  'fileLink.created': { resource: 'FileLink', means: 'A public link to a file was made', basis: 'inferred' },
  'fileLink.deleted': {
    resource: 'FileLink',
    means: 'A public link to a file was deleted',
    basis: 'inferred',
    mayBeEmpty: true
  },
  'fileLink.updated': {
    resource: 'FileLink',
    means: 'A public link to a file was changed, for example its expiry',
    basis: 'inferred'
  },
  'fulfiller.created': { means: 'A fulfiller was added', basis: 'unknown' },
  'fulfiller.deleted': { means: 'A fulfiller was deleted', basis: 'unknown' },
  'fulfiller.updated': { means: 'A fulfiller was changed', basis: 'unknown' },
  'fulfillment.created': {
    resource: 'FulfillmentOrder',
    means: 'The merchant reported shipped or cancelled lines of an order',
    basis: 'sample',
    expandable: true
  },
  'fulfillment_cancellation.accepted': {
    resource: 'GlobalFulfillmentCancellationResponse',
    means: 'The warehouse agreed not to ship',
    basis: 'documented'
  },
  'fulfillment_cancellation.created': {
    resource: 'GlobalFulfillmentCancellationResponse',
    means: 'The warehouse was asked not to ship',
    basis: 'documented'
  },
  'fulfillment_cancellation.rejected': {
    resource: 'GlobalFulfillmentCancellationResponse',
    means: 'The warehouse ships all the same',
    basis: 'documented'
  },
  'fulfillment_order.backordered': {
    resource: 'GlobalFulfillmentOrder',
    means: 'The warehouse waits for stock',
    basis: 'documented'
  },
  'fulfillment_order.cancelled': {
    resource: 'GlobalFulfillmentOrder',
    means: 'The order to the warehouse was cancelled',
    basis: 'documented'
  },
  'fulfillment_order.pending': {
    resource: 'GlobalFulfillmentOrder',
    means: 'The warehouse has the order and has not shipped yet',
    basis: 'documented'
  },
  'fulfillment_order.shipped': { resource: 'Shipment', means: 'The warehouse shipped', basis: 'documented' },
  'fulfillment_return.accepted': {
    resource: 'GlobalFulfillmentReturnResponse',
    means: 'The warehouse took the goods back',
    basis: 'documented'
  },
  'fulfillment_return.created': {
    resource: 'GlobalFulfillmentReturnResponse',
    means: 'A return to the warehouse was announced',
    basis: 'documented'
  },
  'fulfillment_return.pending': {
    resource: 'GlobalFulfillmentReturnResponse',
    means: 'Returned goods are on their way or being checked',
    basis: 'documented'
  },
  'fulfillment_return.rejected': {
    resource: 'GlobalFulfillmentReturnResponse',
    means: 'The warehouse did not take the goods back',
    basis: 'documented'
  },
  'global_returns.accepted': { means: 'A global return was accepted', basis: 'unknown' },
  'global_returns.canceled': { means: 'A global return was cancelled', basis: 'unknown' },
  'global_returns.created': { means: 'A global return was begun', basis: 'unknown' },
  'global_returns.label.created': { means: 'The shipping label of a global return was made', basis: 'unknown' },
  'global_returns.scanned': { means: 'The parcel of a global return was scanned by the carrier', basis: 'unknown' },
  'invoice.created': {
    resource: 'Invoice',
    means: 'An invoice was made for a period of a subscription',
    basis: 'inferred'
  },
  'invoice.open': { resource: 'Invoice', means: 'An invoice may be collected now', basis: 'inferred' },
  'invoice.paid': { resource: 'Invoice', means: 'An invoice was paid', basis: 'inferred' },
  'invoice.payment_failed': { resource: 'Invoice', means: 'Collecting an invoice failed', basis: 'inferred' },
  'invoice.uncollectible': { resource: 'Invoice', means: 'An invoice was given up', basis: 'inferred' },
  'invoice.updated': { resource: 'Invoice', means: 'An invoice was changed', basis: 'inferred' },
  'invoice.void': { resource: 'Invoice', means: 'An invoice was made void', basis: 'inferred' },
  'invoice_attribute.created': {
    resource: 'InvoiceAttributes',
    means: 'Invoice attributes were stored',
    basis: 'inferred'
  },
  'invoice_attribute.deleted': {
    resource: 'InvoiceAttributes',
    means: 'Invoice attributes were deleted',
    basis: 'inferred',
    mayBeEmpty: true
  },
  'location.created': { means: 'A location was added', basis: 'unknown' },
  'location.deleted': { means: 'A location was deleted', basis: 'unknown' },
  'location.updated': { means: 'A location was changed', basis: 'unknown' },
  'logistics_return.received': {
    resource: 'ReturnResponse',
    means: 'Returned goods came in at the warehouse',
    basis: 'documented'
  },
  'manufacturer.created': { means: 'A manufacturer was added', basis: 'unknown' },
  'manufacturer.deleted': { means: 'A manufacturer was deleted', basis: 'unknown' },
  'manufacturer.updated': { means: 'A manufacturer was changed', basis: 'unknown' },
  'order.accepted': {
    resource: 'Order',
    means: 'Payment and fraud checks passed: fulfil the order',
    basis: 'sample',
    expandable: true
  },
  'order.blocked': {
    resource: 'Order',
    means: 'The order was refused by the fraud or compliance checks: do not fulfil',
    basis: 'documented'
  },
  'order.cancelled': { resource: 'Order', means: 'All of the order was cancelled', basis: 'sample', expandable: true },
  'order.charge.cancel.complete': { resource: 'Charge', means: 'An authorised amount was released', basis: 'sample' },
  'order.charge.cancel.failed': {
    resource: 'Charge',
    means: 'An authorised amount could not be released',
    basis: 'inferred'
  },
  'order.charge.cancel.pending': {
    resource: 'Charge',
    means: 'An authorised amount is being released',
    basis: 'inferred'
  },
  'order.charge.cancel.pending_information': {
    resource: 'Charge',
    means: 'The release of an amount waits for details from the buyer',
    basis: 'inferred'
  },
  'order.charge.cancelled': { resource: 'Charge', means: 'A charge was cancelled', basis: 'inferred' },
  'order.charge.capturable': {
    resource: 'Charge',
    means: 'A charge is authorised and can be collected',
    basis: 'inferred'
  },
  'order.charge.capture.complete': {
    resource: 'Charge',
    means: 'An authorised amount, or a part of it, was collected',
    basis: 'sample'
  },
  'order.charge.capture.completed': {
    resource: 'Charge',
    means: 'Earlier name of order.charge.capture.complete',
    basis: 'inferred',
    withdrawn: true
  },
  'order.charge.capture.created': {
    resource: 'Charge',
    means: 'Earlier name for the beginning of a capture',
    basis: 'inferred',
    withdrawn: true
  },
  'order.charge.capture.failed': {
    resource: 'Charge',
    means: 'An authorised amount could not be collected',
    basis: 'sample'
  },
  'order.charge.capture.pending': {
    resource: 'Charge',
    means: 'An authorised amount is being collected',
    basis: 'sample'
  },
  'order.charge.complete': { resource: 'Charge', means: 'All of a charge was collected', basis: 'inferred' },
  'order.charge.completed': { resource: 'Charge', means: 'A charge was completed', basis: 'inferred' },
  'order.charge.created': {
    resource: 'Charge',
    means: 'Earlier name for the beginning of a charge',
    basis: 'inferred',
    withdrawn: true
  },
  'order.charge.failed': {
    resource: 'Charge',
    means: 'A charge failed. At a renewal it may lack orderId',
    basis: 'documented'
  },
  'order.charge.pending': { resource: 'Charge', means: 'A charge waits for its payment method', basis: 'inferred' },
  'order.charge.processing': { resource: 'Charge', means: 'A charge is being processed', basis: 'inferred' },
  'order.charge.reauth.failed': {
    resource: 'Order',
    means: 'A payment could not be authorised again. Carries the order, not the charge',
    basis: 'sample'
  },
  'order.charge.refund.complete': { resource: 'Charge', means: 'Money of a charge was given back', basis: 'sample' },
  'order.charge.refund.completed': {
    resource: 'Charge',
    means: 'Earlier name of order.charge.refund.complete',
    basis: 'inferred',
    withdrawn: true
  },
  'order.charge.refund.created': {
    resource: 'Charge',
    means: "Earlier name for the beginning of a charge's refund",
    basis: 'inferred',
    withdrawn: true
  },
  'order.charge.refund.failed': {
    resource: 'Order',
    means: 'Money of a charge could not be given back. Carries the order, not the charge',
    basis: 'sample'
  },
  'order.charge.refund.pending': {
    resource: 'Charge',
    means: 'Money of a charge is being given back',
    basis: 'inferred'
  },
  'order.chargeback': {
    resource: 'SalesTransaction',
    means: "The buyer's bank took money back. Carries a line of the settlement, not the order",
    basis: 'documented'
  },
  'order.complete': {
    resource: 'Order',
    means: 'All of the order was fulfilled and collected; its state may be fulfilled',
    basis: 'sample'
  },
  'order.created': {
    resource: 'Order',
    means: 'An order was made. Not the sign to fulfil: that is order.accepted',
    basis: 'inferred'
  },
  'order.credit_memo.created': {
    resource: 'InvoiceFile',
    means: 'The credit memo of an order can be fetched',
    basis: 'sample'
  },
  'order.dispute': { resource: 'Order', means: 'The buyer disputes a charge of the order', basis: 'sample' },
  'order.dispute.resolved': { resource: 'Order', means: 'The dispute about an order is over', basis: 'sample' },
  'order.fulfilled': { resource: 'Order', means: 'All of the order was shipped or cancelled', basis: 'sample' },
  'order.invoice.created': {
    resource: 'InvoiceFile',
    means: 'The invoice of an order can be fetched',
    basis: 'sample'
  },
  'order.pending_payment': { resource: 'Order', means: "The order waits for the buyer's payment", basis: 'sample' },
  'order.refunded': {
    resource: 'Order',
    means: 'Money of the order was given back',
    basis: 'documented',
    expandable: true
  },
  'order.review_closed': { resource: 'Order', means: 'The fraud review of the order is over', basis: 'inferred' },
  'order.review_opened': {
    resource: 'Order',
    means: 'The order is under fraud review: do not fulfil yet',
    basis: 'sample'
  },
  'order.submitted': { resource: 'Order', means: 'An order was handed in', basis: 'inferred' },
  'order.updated': { resource: 'Order', means: 'An order was changed', basis: 'inferred' },
  'payout.created': { resource: 'Payout', means: 'Digital River began a payment to the merchant', basis: 'inferred' },
  'plan.created': { resource: 'Plan', means: 'A plan was made', basis: 'inferred' },
  'plan.deleted': { resource: 'Plan', means: 'A plan was deleted', basis: 'inferred', mayBeEmpty: true },
  'plan.updated': { resource: 'Plan', means: 'A plan was changed', basis: 'inferred' },
  'refund.complete': { resource: 'OrderRefund', means: 'All of the refund was paid', basis: 'sample' },
  'refund.completed': {
    resource: 'OrderRefund',
    means: 'Earlier name of refund.complete',
    basis: 'inferred',
    withdrawn: true
  },
  'refund.created': {
    resource: 'OrderRefund',
    means: 'Earlier name for the beginning of a refund',
    basis: 'inferred',
    withdrawn: true
  },
  'refund.failed': { resource: 'OrderRefund', means: 'The refund could not be paid', basis: 'sample' },
  'refund.pending': { resource: 'OrderRefund', means: 'The refund is being paid', basis: 'sample' },
  'refund.pending_information': {
    resource: 'OrderRefund',
    means: 'The refund waits for bank details from the buyer',
    basis: 'sample'
  },
  'refund.succeeded': { resource: 'OrderRefund', means: 'The refund was paid', basis: 'inferred' },
  'refund.updated': { resource: 'OrderRefund', means: 'A refund was changed', basis: 'inferred' },
  'return.accepted': {
    resource: 'ReturnsResponse',
    means: 'Returned goods were accepted: give the money back',
    basis: 'sample'
  },
  'return.created': { resource: 'ReturnsResponse', means: 'The buyer announced a return', basis: 'inferred' },
  'return.updated': { resource: 'ReturnsResponse', means: 'A return was changed', basis: 'inferred' },
  'sales_transaction.created': {
    resource: 'SalesTransaction',
    means: 'A line was added to the settlement',
    basis: 'inferred'
  },
  'sku.created': { resource: 'Sku', means: 'A SKU was added', basis: 'inferred' },
  'sku.deleted': { resource: 'Sku', means: 'A SKU was deleted', basis: 'inferred', mayBeEmpty: true },
  'sku.updated': { resource: 'Sku', means: 'A SKU was changed', basis: 'inferred' },
  'source.chargeable': { resource: 'Source', means: 'A payment method can be charged now', basis: 'inferred' },
  'source.created': { resource: 'Source', means: 'A payment method was made', basis: 'inferred' },
  'subscription.created': {
    resource: 'Subscription',
    means: 'A subscription was made, still a draft',
    basis: 'sample'
  },
  'subscription.deleted': {
    resource: 'Subscription',
    means: 'A draft of a subscription was deleted',
    basis: 'sample',
    mayBeEmpty: true
  },
  'subscription.extended': {
    resource: 'SubscriptionWithInvoice',
    means: 'A period was paid: give access for the next one',
    basis: 'sample'
  },
  'subscription.failed': { resource: 'Subscription', means: 'A subscription could not be activated', basis: 'sample' },
  'subscription.lapsed': {
    resource: 'Subscription',
    means: 'Collecting was given up: take access away',
    basis: 'sample'
  },
  'subscription.payment_failed': {
    resource: 'SubscriptionWithInvoice',
    means: 'Collecting for a period failed and will be tried again',
    basis: 'sample'
  },
  'subscription.reminder': {
    resource: 'SubscriptionWithInvoice',
    means: 'The next invoice is near: remind the customer',
    basis: 'sample'
  },
  'subscription.source_invalid': {
    resource: 'Subscription',
    means: 'The payment method of a subscription cannot be used any more',
    basis: 'sample'
  },
  'subscription.updated': {
    resource: 'Subscription',
    means: 'A subscription was changed, also from a draft to active',
    basis: 'sample'
  },
  'tax_identifier.deleted': {
    resource: 'CustomerTaxIdentifier',
    means: 'A tax identifier was deleted',
    basis: 'inferred',
    mayBeEmpty: true
  },
  'tax_identifier.not_valid': {
    resource: 'CustomerTaxIdentifier',
    means: 'The tax authority does not know the number',
    basis: 'documented'
  },
  'tax_identifier.pending': {
    resource: 'CustomerTaxIdentifier',
    means: 'The tax authority is being asked about the number',
    basis: 'documented'
  },
  'tax_identifier.updated': {
    resource: 'CustomerTaxIdentifier',
    means: 'A tax identifier was changed',
    basis: 'inferred'
  },
  'tax_identifier.verified': {
    resource: 'CustomerTaxIdentifier',
    means: 'The tax authority knows the number',
    basis: 'documented'
  }
} as const satisfies Readonly<Record<string, CatalogueEntry>>
