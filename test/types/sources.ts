// Compiled, never run: the source passed as a value determines the types of handlers.
import { Type } from 'typebox'

import {
  defineHandler,
  digitalRiver,
  eventType,
  type AnyEvent,
  type CustomEventType,
  type Event,
  type HandlerDefinition,
  type Registrar,
  type RiverhookOptions,
  type Source
} from '../../src/index.ts'
import { same } from './same.ts'

interface Paid extends AnyEvent {
  readonly type: 'bill.paid'
  readonly payload: { readonly currency: string; readonly amount: number }
}
interface Pushed extends AnyEvent {
  readonly type: 'orders/create' | 'orders/delete'
  readonly payload: { readonly order: string }
}
interface Other extends AnyEvent {
  readonly type: CustomEventType
  readonly payload: Readonly<Record<string, unknown>>
}

declare const riverhook: Registrar
declare const payments: Source<Paid | Pushed | Other> & { readonly payloadPath: readonly ['payload'] }
declare const untyped: Source
declare const closed: Source<Paid>

// A source of any events is accepted by every parameter for a source.
const options: RiverhookOptions = { source: payments }
const sources: Source[] = [payments, untyped, closed, digitalRiver()]

riverhook.from(payments).on('bill.paid', (event, context) => {
  same<typeof event, Paid>()
  same<typeof context.event, Paid>()
  same<typeof event.payload.amount, number>()
  // @ts-expect-error a misspelt field
  event.payload.amuont
})
riverhook.from(payments).on('orders/create', (event) => {
  same<typeof event.type, 'orders/create'>()
  same<typeof event.payload.order, string>()
})
riverhook.from(payments).on('orders/*', { name: 'orders', orderBy: (event) => event.payload.order }, (event) => {
  same<typeof event.type, 'orders/create' | 'orders/delete'>()
})
riverhook.from(payments).on('*', (event) => {
  same<typeof event.type, 'bill.paid' | 'orders/create' | 'orders/delete'>()
  if (event.type === 'bill.paid') same<typeof event.payload.currency, string>()
})
riverhook.from(payments).on(eventType('bill.voided'), (event) => {
  same<typeof event.type, 'bill.voided'>()
  same<typeof event.payload, Readonly<Record<string, unknown>>>()
})
// @ts-expect-error a misspelt event type
riverhook.from(payments).on('bill.payed', () => undefined)
// @ts-expect-error a type of another source
riverhook.from(payments).on('order.accepted', () => undefined)
// @ts-expect-error a type of another source
riverhook.on('bill.paid', () => undefined)
// @ts-expect-error a misspelt option
riverhook.from(payments).on('bill.paid', { timeuot: 1 }, () => undefined)

// A handler's own schema gives the type of the payload, at the place that this source has for it.
riverhook.from(payments).on('bill.paid', { schema: Type.Object({ total: Type.Integer() }) }, ({ type, payload }) => {
  same<typeof type, 'bill.paid'>()
  same<typeof payload.total, number>()
  // @ts-expect-error not in the schema
  payload.currency
})

// A source without a list of types reports no mistake in them.
riverhook.from(untyped).on('anything', (event) => {
  same<typeof event.type, 'anything'>()
  same<typeof event.id, string>()
})
riverhook.from(closed).on(eventType('bill.voided'), (event) => {
  same<typeof event.type, 'bill.voided'>()
})

// Digital River as a value is the same as the default.
riverhook.from(digitalRiver()).on('order.accepted', (event) => {
  same<typeof event, Event<'order.accepted'>>()
})
// @ts-expect-error a misspelt event type
riverhook.from(digitalRiver()).on('order.acepted', () => undefined)

const paid = defineHandler(payments, 'bill.paid', ({ payload }, { log }) => {
  log.info({ currency: payload.currency }, 'paid')
})
same<typeof paid, HandlerDefinition>()
defineHandler(payments, 'orders/*', { orderBy: (event) => event.payload.order }, ({ payload }) => payload.order)
defineHandler(payments, 'bill.paid', { schema: Type.Object({ total: Type.Integer() }) }, ({ payload }) => {
  same<typeof payload.total, number>()
})
defineHandler('order.accepted', (event) => {
  same<typeof event, Event<'order.accepted'>>()
})
// @ts-expect-error a misspelt event type
defineHandler(payments, 'bill.payed', () => undefined)
// @ts-expect-error a type of another source
defineHandler('bill.paid', () => undefined)

// The result of defineHandler is accepted as a handler.
riverhook.on(paid)
// @ts-expect-error no definition
riverhook.on({ pattern: 'x' })

// @ts-expect-error the check itself can fail
same<typeof options, typeof sources>()
