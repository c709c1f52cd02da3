import { Type, type Static } from 'typebox'

import { type Discount, discountSchema } from './discount.ts'
import { item } from './item-parts.ts'
import { amount, count, instant, oneOf, part, parts, resource, text } from './kinds.ts'
import { type Payments, paymentsSchema } from './payments.ts'
import { purchase } from './purchase.ts'

export const invoiceStateTransitionsSchema = resource({
  draft: Type.Optional(instant),
  open: Type.Optional(instant),
  void: Type.Optional(instant),
  paid: Type.Optional(instant),
  uncollectible: Type.Optional(instant)
})
/** When an invoice came into each state. Seen in samples; the model lists those of a plan here. */
export interface InvoiceStateTransitions extends Static<typeof invoiceStateTransitionsSchema> {}

export const invoiceItemSchema = resource({
  ...item,
  id: text,
  skuId: text,
  quantity: count,
  amount: amount,
  discount: Type.Optional(part<Discount>(discountSchema))
})
/** One line of an invoice. */
export interface InvoiceItem extends Static<typeof invoiceItemSchema> {}

export const invoiceSchema = resource({
  ...purchase,
  id: text,
  createdTime: instant,
  updatedTime: Type.Optional(instant),
  /** ISO 4217, such as EUR. */
  currency: text,
  description: Type.Optional(text),
  /** What the buyer pays. */
  totalAmount: amount,
  /** How many days collecting is tried. */
  collectionPeriodDays: Type.Optional(count),
  items: parts<InvoiceItem>(invoiceItemSchema),
  state: oneOf('draft', 'open', 'void', 'paid', 'uncollectible'),
  stateTransitions: Type.Optional(part<InvoiceStateTransitions>(invoiceStateTransitionsSchema)),
  payment: Type.Optional(part<Payments>(paymentsSchema)),
  /** How often collecting was tried. */
  attemptCount: Type.Optional(count),
  /** Who sets the charge off. */
  chargeType: Type.Optional(oneOf('customer_initiated', 'merchant_initiated', 'moto')),
  /** Absent until it is paid. */
  orderId: Type.Optional(text)
})
/** What a subscription asks its customer to pay for one period. */
export interface Invoice extends Static<typeof invoiceSchema> {}
