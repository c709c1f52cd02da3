import { Type, type Static, type TObject } from 'typebox'

import { type Discount, discountSchema } from './discount.ts'
import { item } from './item-parts.ts'
import { amount, count, instant, nullable, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Payments, paymentsSchema } from './payments.ts'
import { purchase } from './purchase.ts'

export const invoiceStateTransitionsSchema = resource({
  /** When it was made, and could still be changed. */
  draft: Type.Optional(nullable(instant)),
  /** When it could be collected. */
  open: Type.Optional(nullable(instant)),
  /** When it was made void. */
  void: Type.Optional(nullable(instant)),
  /** When it was paid. */
  paid: Type.Optional(nullable(instant)),
  /** When collecting was given up. */
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
  /** What the line was reduced by. */
  discount: Type.Optional(part<Discount>(discountSchema))
}
export const invoiceItemSchema: TObject<typeof item & typeof ofInvoiceItem> = resource({ ...ofInvoiceItem, ...item })
/** One line of an invoice. */
export interface InvoiceItem extends Static<typeof invoiceItemSchema> {}

// Two samples: no more than the id is certain.
const ofInvoice = {
  /** Digital River's id of the invoice. */
  id: text,
  /** When the invoice was made. */
  createdTime: Type.Optional(instant),
  /** When the invoice was last changed. */
  updatedTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: Type.Optional(text),
  /** What it is for, such as the name of the plan. */
  description: Type.Optional(text),
  /** What the buyer pays, in major units of the currency. */
  totalAmount: Type.Optional(amount),
  /** How many days collecting is tried. */
  collectionPeriodDays: Type.Optional(count),
  /** What is billed, line by line. */
  items: Type.Optional(parts<InvoiceItem>(invoiceItemSchema)),
  /** How far the invoice has come. */
  state: Type.Optional(oneOf('draft', 'open', 'void', 'paid', 'uncollectible')),
  /** When it came into each state so far. */
  stateTransitions: Type.Optional(part<InvoiceStateTransitions>(invoiceStateTransitionsSchema)),
  /** The payment methods, and the charges once collecting was tried. */
  payment: Type.Optional(part<Payments>(paymentsSchema)),
  /** How often collecting was tried. */
  attemptCount: Type.Optional(count),
  /** Who sets the charge off. `moto`: an order by mail or telephone. */
  chargeType: Type.Optional(oneOf('customer_initiated', 'merchant_initiated', 'moto')),
  /** The id of the order that it became. Absent until it is paid. */
  orderId: Type.Optional(text)
}
export const invoiceSchema: TObject<typeof purchase & typeof ofInvoice> = resource({ ...ofInvoice, ...purchase })
/** What a subscription asks its customer to pay for one period. */
export interface Invoice extends Static<typeof invoiceSchema> {}
