import { Type } from 'typebox'

import {
  type Billing, billingSchema, type Organization, organizationSchema, type ShipFrom, shipFromSchema,
  type Shipping, shippingSchema
} from './address.ts'
import { type Discount, discountSchema } from './discount.ts'
import { type InvoiceAttributes, invoiceAttributesSchema } from './invoice-attributes.ts'
import { amount, flag, metadata, oneOf, part, parts, text } from './kinds.ts'
import {
  type PurchaseLocation, purchaseLocationSchema, type SellingEntity, sellingEntitySchema, type ShippingChoice,
  shippingChoiceSchema
} from './selling.ts'
import { type TaxIdentifier, taxIdentifierSchema } from './tax-identifier.ts'

/** What a checkout, an order and an invoice have in common. Every amount is in major units of `currency`. */
export const purchase = {
  /** Absent where the buyer is a guest. */
  customerId: Type.Optional(text),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  email: Type.Optional(text),
  /** Such as en_US. */
  locale: Type.Optional(text),
  /** The application that made the request, as it named itself. */
  applicationId: Type.Optional(text),
  /** The merchant's own id for it. */
  upstreamId: Type.Optional(text),
  customerType: Type.Optional(oneOf('business', 'individual')),
  sellingEntity: Type.Optional(part<SellingEntity>(sellingEntitySchema)),
  taxIdentifiers: Type.Optional(parts<TaxIdentifier>(taxIdentifierSchema)),
  shipTo: Type.Optional(part<Shipping>(shippingSchema)),
  billTo: Type.Optional(part<Billing>(billingSchema)),
  /** Items and shipping, before tax: so in the samples. */
  subtotal: Type.Optional(amount),
  totalTax: Type.Optional(amount),
  /** Taxes that the importer of record pays. */
  totalImporterTax: Type.Optional(amount),
  /** Whether the importer of record pays taxes. */
  importerOfRecordTax: Type.Optional(flag),
  /** Regulatory fees. */
  totalFees: Type.Optional(amount),
  /** Customs duties. */
  totalDuty: Type.Optional(amount),
  totalDiscount: Type.Optional(amount),
  totalShipping: Type.Optional(amount),
  /** What the buyer pays. */
  totalAmount: Type.Optional(amount),
  discount: Type.Optional(part<Discount>(discountSchema)),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
}

/** What a checkout and an order have besides. */
export const origin = {
  /** The buyer's address on the network. */
  browserIp: Type.Optional(text),
  /** For invoices in China and Taiwan. */
  invoiceAttributes: Type.Optional(part<InvoiceAttributes>(invoiceAttributesSchema)),
  shipFrom: Type.Optional(part<ShipFrom>(shipFromSchema)),
  organization: Type.Optional(part<Organization>(organizationSchema)),
  purchaseLocation: Type.Optional(part<PurchaseLocation>(purchaseLocationSchema)),
  shippingChoice: Type.Optional(part<ShippingChoice>(shippingChoiceSchema))
}
