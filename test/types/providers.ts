// Compiled, never run: the providers' own type packages type their events.
import { Type } from 'typebox'
import type { CloudEventV1 } from 'cloudevents'
import type Stripe from 'stripe'

import { defineHandler, eventType, type AnyEvent, type Registrar, type RiverhookOptions } from '../../src/index.ts'
import {
  cloudEvents,
  fastSpring,
  github,
  hmacSource,
  meta,
  paddle,
  payPal,
  shopify,
  slack,
  standardWebhooks,
  stripe,
  zoom,
  type CloudEventOf
} from '../../src/sources.ts'
import { same } from './same.ts'

declare const riverhook: Registrar
const payments = stripe()
const code = github()
const shop = shopify()
const openAi = standardWebhooks({ name: 'openai' })
export const options: RiverhookOptions = { source: payments }

riverhook.from(payments).on('invoice.paid', (event) => {
  same<typeof event.type, 'invoice.paid'>()
  same<typeof event.data.object, Stripe.Invoice>()
  same<typeof event.createdTime, string | undefined>()
  // @ts-expect-error a misspelt field
  event.data.object.curency
})
riverhook.from(payments).on('invoice.*', { orderBy: ({ data }) => data.object.id }, (event) => {
  if (event.type === 'invoice.paid') same<typeof event.data.object, Stripe.Invoice>()
  // @ts-expect-error a type that the pattern does not cover
  if (event.type === 'charge.captured') return
})
riverhook.from(payments).on('*', (event) => {
  if (event.type === 'charge.captured') same<typeof event.data.object, Stripe.Charge>()
})
riverhook.from(payments).on(eventType('v2.core.account.updated'), (event) => {
  same<typeof event.type, 'v2.core.account.updated'>()
})
// @ts-expect-error a misspelt event type
riverhook.from(payments).on('invoice.payed', () => undefined)

riverhook.from(code).on('pull_request.opened', ({ type, payload }) => {
  same<typeof type, 'pull_request.opened'>()
  same<typeof payload.action, 'opened'>()
  same<typeof payload.pull_request.number, number>()
})
riverhook.from(code).on('pull_request.review_requested', ({ payload }) => payload.pull_request.title)
riverhook.from(code).on('push', ({ payload }) => {
  same<typeof payload.ref, string>()
})
riverhook.from(code).on('issues.*', { name: 'issues' }, (event) => {
  if (event.type === 'issues.opened') same<typeof event.payload.action, 'opened'>()
  same<typeof event.payload.issue.number, number>()
})
// @ts-expect-error a misspelt event type
riverhook.from(code).on('pull_request.opend', () => undefined)
// @ts-expect-error another provider's
riverhook.from(code).on('invoice.paid', () => undefined)
// A handler's own schema gives the payload its type.
riverhook.from(code).on('push', { schema: Type.Object({ ref: Type.Literal('main') }) }, ({ payload }) => {
  same<typeof payload.ref, 'main'>()
})

riverhook.from(shop).on('orders/create', ({ type, payload, shop }) => {
  same<typeof type, 'orders/create'>()
  same<typeof payload, Readonly<Record<string, unknown>>>()
  same<typeof shop, string | undefined>()
})
riverhook.from(shop).on('orders/*', { schema: Type.Object({ total: Type.String() }) }, ({ payload }) => {
  same<typeof payload.total, string>()
})
riverhook.from(openAi).on('response.completed', ({ payload }) => {
  same<typeof payload, Readonly<Record<string, unknown>>>()
})

riverhook.from(slack()).on('reaction_added', ({ type, payload }) => {
  same<typeof type, 'reaction_added'>()
  same<typeof payload.event.reaction, string>()
})
riverhook.from(slack()).on('app_rate_limited', ({ payload }) => {
  same<typeof payload.minute_rate_limited, number>()
})
riverhook.from(slack()).on('message', ({ payload: { event } }) => {
  if (event.subtype === 'message_deleted') same<typeof event.deleted_ts, string>()
})
// @ts-expect-error a misspelt event type
riverhook.from(slack()).on('app_mentoin', () => undefined)
riverhook.from(slack()).on(eventType('a_new_event'), ({ payload }) => payload.event['user'])

riverhook.from(paddle()).on('transaction.completed', ({ type, data }) => {
  same<typeof type, 'transaction.completed'>()
  same<typeof data.customer_id, string | null | undefined>()
})
riverhook.from(paddle()).on('subscription.*', { name: 'subscriptions' }, (event) => {
  if (event.type === 'subscription.created') same<typeof event.data.transaction_id, string>()
  // @ts-expect-error a type that the pattern does not cover
  if (event.type === 'customer.created') return
})
// @ts-expect-error a misspelt event type
riverhook.from(paddle()).on('transaction.complete', () => undefined)

riverhook.from(payPal()).on('PAYMENT.CAPTURE.*', { name: 'captures' }, (event) => {
  if (event.type === 'PAYMENT.CAPTURE.REFUNDED') same<typeof event.resource, Readonly<Record<string, unknown>>>()
  // @ts-expect-error a type that the pattern does not cover
  if (event.type === 'PAYMENT.SALE.COMPLETED') return
})
riverhook.from(payPal()).on(eventType('PAYMENT.A-NEW.EVENT'), ({ type, resource_type }) => {
  same<typeof type, 'PAYMENT.A-NEW.EVENT'>()
  same<typeof resource_type, string | undefined>()
})
// @ts-expect-error a misspelt event type
riverhook.from(payPal()).on('PAYMENT.CAPTURE.COMPLETE', () => undefined)

riverhook.from(zoom()).on('recording.completed', ({ payload, download_token }) => {
  same<typeof payload.account_id, string | undefined>()
  same<typeof download_token, string | undefined>()
})
riverhook.from(zoom()).on('meeting.*', { schema: Type.Object({ account_id: Type.String() }) }, ({ payload }) => {
  same<typeof payload.account_id, string>()
})

riverhook.from(cloudEvents()).on('com.example.order', ({ payload }) => {
  same<typeof payload, CloudEventV1<unknown>>()
  same<typeof payload.subject, string | undefined>()
})
interface Order {
  readonly total: number
}
const named = cloudEvents<CloudEventOf<'com.example.order', Order> | CloudEventOf<'com.example.refund', string>>()
riverhook.from(named).on('com.example.*', ({ type, payload }) => {
  if (type === 'com.example.order') same<typeof payload.data, Order | undefined>()
})
// @ts-expect-error a misspelt event type
riverhook.from(named).on('com.example.ordr', () => undefined)

// FastSpring and Meta publish no list of types, so any type is accepted; the fields are known.
riverhook.from(fastSpring()).on('order.*', { name: 'orders' }, ({ type, live, data }) => {
  same<typeof type, `order.${string}`>()
  same<typeof live, boolean | undefined>()
  same<typeof data, Readonly<Record<string, unknown>>>()
})
riverhook.from(fastSpring()).on('order.completed', (event) => {
  // @ts-expect-error a misspelt field
  event.proccessed
})
riverhook.from(meta()).on('whatsapp_business_account.messages', ({ object, account, payload }) => {
  same<typeof object, string>()
  same<typeof account, string | undefined>()
  same<typeof payload, Readonly<Record<string, unknown>>>()
})
riverhook.from(meta()).on('page.*', { schema: Type.Object({ item: Type.String() }) }, ({ payload }) => {
  same<typeof payload.item, string>()
})

// A description may name its events.
interface Paid extends AnyEvent {
  readonly type: 'bill.paid'
  readonly amount: number
}
const bills = hmacSource<Paid>({
  name: 'bills',
  header: 'x-signature',
  id: { field: 'id' },
  type: { field: 'type' },
  event: ({ amount }, { id }) => ({ id, type: 'bill.paid', amount: Number(amount) })
})
defineHandler(bills, 'bill.paid', ({ amount }) => {
  same<typeof amount, number>()
})
// @ts-expect-error a misspelt event type
defineHandler(bills, 'bill.payed', () => undefined)
// @ts-expect-error the id is missing
hmacSource({ name: 'bills', header: 'x-signature', type: { field: 'type' } })
// @ts-expect-error a misspelt place
hmacSource({ name: 'bills', header: 'x-signature', id: { haeder: 'x-id' }, type: { field: 'type' } })
// @ts-expect-error the standard fixes what is signed
standardWebhooks({ signed: '{body}' })
// @ts-expect-error an option that does not exist
stripe({ tolerance: '5m' })
