/**
 * The payloads of events in `data.object`: types and their JSON Schemas. The public surface of
 * `riverhook/resources`.
 */
import type { TSchema } from 'typebox'

import { type Charge, chargeSchema } from './charge.ts'
import { type Checkout, checkoutSchema } from './checkout.ts'
import { type Customer, customerSchema } from './customer.ts'
import { type Fee, feeSchema } from './fee.ts'
import {
  type FileLink,
  fileLinkSchema,
  type FileObject,
  fileObjectSchema,
  type InvoiceFile,
  invoiceFileSchema
} from './file.ts'
import { type FulfillmentOrder, fulfillmentOrderSchema } from './fulfillment-order.ts'
import {
  type GlobalFulfillmentCancellationResponse,
  globalFulfillmentCancellationResponseSchema
} from './global-fulfillment-cancellation.ts'
import {
  type GlobalFulfillmentReturnResponse,
  globalFulfillmentReturnResponseSchema
} from './global-fulfillment-return.ts'
import { type GlobalFulfillmentOrder, globalFulfillmentOrderSchema } from './global-fulfillment.ts'
import { type InvoiceAttributes, invoiceAttributesSchema } from './invoice-attributes.ts'
import { type Invoice, invoiceSchema } from './invoice.ts'
import { type ReturnResponse, returnResponseSchema } from './logistics-return.ts'
import { type OrderRefund, orderRefundSchema } from './order-refund.ts'
import { type Order, orderSchema } from './order.ts'
import { type Payout, payoutSchema } from './payout.ts'
import { type Plan, planSchema } from './plan.ts'
import { type ReturnsResponse, returnsResponseSchema } from './returns.ts'
import { type SalesTransaction, salesTransactionSchema } from './sales-transaction.ts'
import { type Shipment, shipmentSchema } from './shipment.ts'
import { type Sku, skuSchema } from './sku.ts'
import { type Source, sourceSchema } from './source.ts'
import {
  type Subscription,
  subscriptionSchema,
  type SubscriptionWithInvoice,
  subscriptionWithInvoiceSchema
} from './subscription.ts'
import {
  type CustomerTaxIdentifier,
  customerTaxIdentifierSchema,
  type TaxIdentifier,
  taxIdentifierSchema
} from './tax-identifier.ts'

export * from './address.ts'
export * from './charge.ts'
export * from './checkout.ts'
export * from './customer.ts'
export * from './discount.ts'
export * from './fee.ts'
export * from './file.ts'
export * from './fulfillment-order.ts'
export * from './global-fulfillment-cancellation.ts'
export * from './global-fulfillment-return.ts'
export * from './global-fulfillment.ts'
export * from './hosted-checkout.ts'
export * from './invoice-attributes.ts'
export * from './invoice.ts'
export * from './item-parts.ts'
export * from './logistics-return.ts'
export * from './order-refund.ts'
export * from './order.ts'
export * from './payments.ts'
export * from './payout.ts'
export * from './plan.ts'
export * from './returns.ts'
export * from './sales-transaction.ts'
export * from './selling.ts'
export * from './shipment.ts'
export * from './sku.ts'
export * from './source-methods.ts'
export * from './source.ts'
export * from './subscription.ts'
export * from './tax-identifier.ts'

/** The resources that events carry in `data.object`, by name. */
export interface Resources {
  readonly Order: Order
  readonly Charge: Charge
  readonly Checkout: Checkout
  readonly Customer: Customer
  readonly CustomerTaxIdentifier: CustomerTaxIdentifier
  readonly Fee: Fee
  readonly FileLink: FileLink
  readonly FileObject: FileObject
  readonly FulfillmentOrder: FulfillmentOrder
  readonly GlobalFulfillmentCancellationResponse: GlobalFulfillmentCancellationResponse
  readonly GlobalFulfillmentOrder: GlobalFulfillmentOrder
  readonly GlobalFulfillmentReturnResponse: GlobalFulfillmentReturnResponse
  readonly Invoice: Invoice
  readonly InvoiceAttributes: InvoiceAttributes
  readonly InvoiceFile: InvoiceFile
  readonly OrderRefund: OrderRefund
  readonly Payout: Payout
  readonly Plan: Plan
  readonly ReturnResponse: ReturnResponse
  readonly ReturnsResponse: ReturnsResponse
  readonly SalesTransaction: SalesTransaction
  readonly Shipment: Shipment
  readonly Sku: Sku
  readonly Source: Source
  readonly Subscription: Subscription
  readonly SubscriptionWithInvoice: SubscriptionWithInvoice
  readonly TaxIdentifier: TaxIdentifier
}

/** The JSON Schema of each resource, by name. */
export const resourceSchemas = {
  Order: orderSchema,
  Charge: chargeSchema,
  Checkout: checkoutSchema,
  Customer: customerSchema,
  CustomerTaxIdentifier: customerTaxIdentifierSchema,
  Fee: feeSchema,
  FileLink: fileLinkSchema,
  FileObject: fileObjectSchema,
  FulfillmentOrder: fulfillmentOrderSchema,
  GlobalFulfillmentCancellationResponse: globalFulfillmentCancellationResponseSchema,
  GlobalFulfillmentOrder: globalFulfillmentOrderSchema,
  GlobalFulfillmentReturnResponse: globalFulfillmentReturnResponseSchema,
  Invoice: invoiceSchema,
  InvoiceAttributes: invoiceAttributesSchema,
  InvoiceFile: invoiceFileSchema,
  OrderRefund: orderRefundSchema,
  Payout: payoutSchema,
  Plan: planSchema,
  ReturnResponse: returnResponseSchema,
  ReturnsResponse: returnsResponseSchema,
  SalesTransaction: salesTransactionSchema,
  Shipment: shipmentSchema,
  Sku: skuSchema,
  Source: sourceSchema,
  Subscription: subscriptionSchema,
  SubscriptionWithInvoice: subscriptionWithInvoiceSchema,
  TaxIdentifier: taxIdentifierSchema
} as const satisfies Readonly<Record<keyof Resources, TSchema>>
