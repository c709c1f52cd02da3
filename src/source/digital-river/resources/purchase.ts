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

/** The common fields of a checkout, an order and an invoice. Every amount is in major units of `currency`. */
export const purchase = {
  /** Digital River's id of the buyer. Absent for a guest. */
  customerId: Type.Optional(text),
  /** The buyer's email address. */
  email: Type.Optional(text),
  /** The buyer's language and country, such as en_US. */
  locale: Type.Optional(text),
  /** The application that made the request, as it named itself. */
  applicationId: Type.Optional(text),
  /** The merchant's own id of it. */
  upstreamId: Type.Optional(nullable(text)),
  /** Whether the buyer is a company or a private person. */
  customerType: Type.Optional(oneOf('business', 'individual')),
  /** The company of Digital River that is the seller of record. */
  sellingEntity: Type.Optional(part<SellingEntity>(sellingEntitySchema)),
  /** The buyer's tax numbers. */
  taxIdentifiers: Type.Optional(parts<Partial<TaxIdentifier>>(Type.Partial(taxIdentifierSchema))),
  /** The recipient, and where the goods go. Some orders have none. */
  shipTo: Type.Optional(part<Shipping>(shippingSchema)),
  /** The payer and the billing address. */
  billTo: Type.Optional(part<Billing>(billingSchema)),
  /** Items and shipping, before tax, in major units of the currency, according to the samples. */
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
  /** The sum of the discounts, in major units of the currency. */
  totalDiscount: Type.Optional(amount),
  /** Shipping, in major units of the currency; included in `subtotal`. */
  totalShipping: Type.Optional(amount),
  /** The discount on the whole purchase. */
  discount: Type.Optional(part<Discount>(discountSchema)),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
}

/** More fields of a checkout and an order. */
export const origin = {
  /** The IP address of the buyer's browser. */
  browserIp: Type.Optional(text),
  /**
   * For invoices in China and Taiwan, under the name in the provider's guide and its sample payloads. A list is
   * accepted too, although no document has one.
   */
  invoiceAttribute: Type.Optional(
    oneOrMany<Partial<InvoiceAttributes>>(Type.Partial(invoiceAttributesSchema), anything)
  ),
  /** The same, under the name in the model. */
  invoiceAttributes: Type.Optional(
    oneOrMany<Partial<InvoiceAttributes>>(Type.Partial(invoiceAttributesSchema), anything)
  ),
  /** Where goods are shipped from. This determines taxes and duties. An item may have its own. */
  shipFrom: Type.Optional(part<ShipFrom>(shipFromSchema)),
  /** The company that buys, as the merchant knows it. */
  organization: Type.Optional(part<Organization>(organizationSchema)),
  /** The buyer's place, before an address is known. */
  purchaseLocation: Type.Optional(part<PurchaseLocation>(purchaseLocationSchema)),
  /** The shipping method and its cost. Absent in the samples without shipping costs. */
  shippingChoice: Type.Optional(nullable(part<ShippingChoice>(shippingChoiceSchema)))
}
