import { Type } from 'typebox'

import {
  type Billing,
  billingSchema,
  type Organization,
  organizationSchema,
  type ShipFrom,
  shipFromSchema,
  type Shipping,
  shippingSchema
} from './address.ts'
import { type Discount, discountSchema } from './discount.ts'
import { type InvoiceAttributes, invoiceAttributesSchema } from './invoice-attributes.ts'
import { amount, anything, flag, metadata, nullable, oneOf, oneOrMany, part, parts, text } from './kinds.ts'
import {
  type PurchaseLocation,
  purchaseLocationSchema,
  type SellingEntity,
  sellingEntitySchema,
  type ShippingChoice,
  shippingChoiceSchema
} from './selling.ts'
import { type TaxIdentifier, taxIdentifierSchema } from './tax-identifier.ts'

/** What a checkout, an order and an invoice have in common. Every amount is in major units of `currency`. */
export const purchase = {
  /** Digital River's id of the buyer. Absent where the buyer is a guest. */
  customerId: Type.Optional(text),
  /** The buyer's email address. */
  email: Type.Optional(text),
  /** The buyer's language and country, such as en_US. */
  locale: Type.Optional(text),
  /** The application that made the request, as it named itself. */
  applicationId: Type.Optional(text),
  /** The merchant's own id for it. */
  upstreamId: Type.Optional(nullable(text)),
  /** Whether a company or a private person buys. */
  customerType: Type.Optional(oneOf('business', 'individual')),
  /** The company of Digital River that is the seller of record. */
  sellingEntity: Type.Optional(part<SellingEntity>(sellingEntitySchema)),
  /** The buyer's tax numbers. */
  taxIdentifiers: Type.Optional(parts<Partial<TaxIdentifier>>(Type.Partial(taxIdentifierSchema))),
  /** Where goods go to, and to whom. Some orders have none. */
  shipTo: Type.Optional(part<Shipping>(shippingSchema)),
  /** Who is billed, and where. */
  billTo: Type.Optional(part<Billing>(billingSchema)),
  /** Items and shipping, before tax, in major units of the currency: so in the samples. */
  subtotal: Type.Optional(amount),
  /** The taxes that the buyer pays, in major units of the currency. */
  totalTax: Type.Optional(amount),
  /** Taxes that the importer of record pays, in major units of the currency. */
  totalImporterTax: Type.Optional(amount),
  /** Whether the importer of record pays taxes. */
  importerOfRecordTax: Type.Optional(nullable(flag)),
  /** Regulatory fees, in major units of the currency. */
  totalFees: Type.Optional(amount),
  /** Customs duties, in major units of the currency. */
  totalDuty: Type.Optional(amount),
  /** What was taken off, in major units of the currency. */
  totalDiscount: Type.Optional(amount),
  /** Shipping, in major units of the currency; it is part of `subtotal`. */
  totalShipping: Type.Optional(amount),
  /** The reduction of the whole. */
  discount: Type.Optional(part<Discount>(discountSchema)),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
}

/** More fields that a checkout and an order have. */
export const origin = {
  /** The IP address of the buyer's browser. */
  browserIp: Type.Optional(text),
  /**
   * For invoices in China and Taiwan: the name in the provider's guide and its sample payloads. No document has a
   * list: it is read as well.
   */
  invoiceAttribute: Type.Optional(
    oneOrMany<Partial<InvoiceAttributes>>(Type.Partial(invoiceAttributesSchema), anything)
  ),
  /** The same: the name in the model. */
  invoiceAttributes: Type.Optional(
    oneOrMany<Partial<InvoiceAttributes>>(Type.Partial(invoiceAttributesSchema), anything)
  ),
  /** Where goods leave from; it decides taxes and duties. An item can have its own. */
  shipFrom: Type.Optional(part<ShipFrom>(shipFromSchema)),
  /** The company that buys, as the merchant knows it. */
  organization: Type.Optional(part<Organization>(organizationSchema)),
  /** Where the buyer is, when there is no address yet. */
  purchaseLocation: Type.Optional(part<PurchaseLocation>(purchaseLocationSchema)),
  /** How it is shipped, and what that costs. Absent in the samples without shipping costs. */
  shippingChoice: Type.Optional(nullable(part<ShippingChoice>(shippingChoiceSchema)))
}
