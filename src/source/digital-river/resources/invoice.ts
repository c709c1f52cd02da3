import { Type, type Static, type TObject } from 'typebox'

import { type Discount, discountSchema } from './discount.ts'
import { item } from './item-parts.ts'
import { amount, count, instant, nullable, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Payments, paymentsSchema } from './payments.ts'
import { purchase } from './purchase.ts'

export const invoiceStateTransitionsSchema = resource({
  /** When it was made; it could still be changed then. */
  draft: Type.Optional(nullable(instant)),
  /** When it became ready for payment. */
  open: Type.Optional(nullable(instant)),
  /** When it was voided. */
  void: Type.Optional(nullable(instant)),
  /** When it was paid. */
  paid: Type.Optional(nullable(instant)),
  /** When payment was given up. */
  uncollectible: Type.Optional(nullable(instant))
})
/** When an invoice came into each state. Seen in samples; the model lists those of a plan here. */
export interface InvoiceStateTransitions extends Static<typeof invoiceStateTransitionsSchema> {}

const ofInvoiceItem = {
  /** Digital River's id of the line. */
  id: Type.Optional(text),
  /** How many pieces. */
  quantity: Type.Optional(count),
  /** For all pieces, in major units of the currency, without tax. */
  amount: Type.Optional(amount),
  /** The discount on the line. */
  discount: Type.Optional(part<Discount>(discountSchema))
}
export const invoiceItemSchema: TObject<typeof item & typeof ofInvoiceItem> = resource({ ...ofInvoiceItem, ...item })
/** One line of an invoice. */
export interface InvoiceItem extends Static<typeof invoiceItemSchema> {}

// Two samples, so only the id is certain.
const ofInvoice = {
  /** Digital River's id of the invoice. */
  id: text,
  /** When the invoice was made. */
  createdTime: Type.Optional(instant),
  /** When the invoice was last changed. */
  updatedTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** A description, such as the name of the plan. */
  description: Type.Optional(text),
  /** The amount that the buyer pays, in major units of the currency. */
  totalAmount: Type.Optional(amount),
  /** For how many days the payment is tried. */
  collectionPeriodDays: Type.Optional(count),
  /** The billed items. */
  items: Type.Optional(parts<InvoiceItem>(invoiceItemSchema)),
  /** The state of the invoice. */
  state: Type.Optional(oneOf('draft', 'open', 'void', 'paid', 'uncollectible')),
  /** When it came into each state so far. */
  stateTransitions: Type.Optional(part<InvoiceStateTransitions>(invoiceStateTransitionsSchema)),
  /** The payment methods, and the charges after the first attempt. */
  payment: Type.Optional(part<Payments>(paymentsSchema)),
  /** The number of payment attempts. */
  attemptCount: Type.Optional(count),
  /** The initiator of the charge. `moto`: an order by mail or telephone. */
  chargeType: Type.Optional(oneOf('customer_initiated', 'merchant_initiated', 'moto')),
  /** The id of the resulting order. Absent until the invoice is paid. */
  orderId: Type.Optional(text)
}
export const invoiceSchema: TObject<typeof purchase & typeof ofInvoice> = resource({ ...ofInvoice, ...purchase })
/** The bill of a subscription for one period. */
export interface Invoice extends Static<typeof invoiceSchema> {}
