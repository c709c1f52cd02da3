// Compiled, never run: the types that a merchant's editor shows for handlers. A line that should be refused and is not
// is an error too.
import { Type } from 'typebox'

import {
  catalogue,
  defineHandler,
  eventType,
  forward,
  orderIdOf,
  resourceIdOf,
  type EndpointOptions,
  type Event,
  type EventOf,
  type HandlerContext,
  type HandlerDefinition,
  type HandlerFunction,
  type HandlerOptions,
  type KnownEventType,
  type Registrar,
  type TypesOf
} from '../../src/index.ts'
import type {
  Invoice,
  Charge,
  InvoiceFile,
  Order,
  OrderItem,
  OrderRefund,
  Resources,
  Shipment,
  Subscription
} from '../../src/source/digital-river/resources/index.ts'
import { sampleEvent } from '../../src/testing/index.ts'
import type { PreviousAttributes } from '../../src/source/digital-river/event.ts'
import type { Handler } from '../../src/handlers/registry.ts'
import { same } from './same.ts'

type IsAny<T> = 0 extends 1 & T ? true : false
function notAny<T>(..._proof: IsAny<T> extends true ? [never] : []): void {}

declare const riverhook: Registrar

// event.type is a literal in an exact handler, a template literal below a prefix, a string for all other patterns.
riverhook.on('order.accepted', (event, context) => {
  same<typeof event.type, 'order.accepted'>()
  same<typeof event, Event<'order.accepted'>>()
  same<typeof context, HandlerContext<'order.accepted'>>()
  same<typeof context.event.type, 'order.accepted'>()
  same<typeof event.data.object, Order>()
  same<typeof context.signal, AbortSignal>()
  same<typeof context.attempt, number>()
  // @ts-expect-error another type can never arrive here
  if (event.type === 'order.cancelled') return
  same<(typeof event.data.object.items)[number], OrderItem>()
  // An enum is open: documented values are suggested, and a new value is no error.
  same<Order['customerType'], 'business' | 'individual' | (string & {}) | undefined>()
  same<NonNullable<typeof event.data.previousAttributes>['state'], Order['state'] | null | undefined>()
  // @ts-expect-error a misspelt field
  event.data.object.itmes
  // @ts-expect-error what is not in every sample may be missing
  event.data.object.customerId.length
  // @ts-expect-error events are not to be changed
  event.id = 'x'
})
// As in the sample of the type: null for missing values, in the parts as well.
const fromDraft: Event<'subscription.updated'>['data']['previousAttributes'] = {
  billingAgreementId: null,
  contractBindingUntil: null,
  state: 'draft',
  stateTransitions: { activated: null },
  updatedTime: '2022-10-25T15:48:51Z'
}
notAny<typeof fromDraft>()
riverhook.on('subscription.updated', ({ data: { object, previousAttributes } }) => {
  same<NonNullable<typeof previousAttributes>, PreviousAttributes<Subscription>>()
  same<
    NonNullable<NonNullable<typeof previousAttributes>['stateTransitions']>['activated'],
    string | null | undefined
  >()
  same<NonNullable<typeof previousAttributes>['items'], typeof object.items | null | undefined>()
  // @ts-expect-error it may be null, and it may not have changed
  previousAttributes?.stateTransitions?.activated.length
  // @ts-expect-error a misspelt field of a part
  previousAttributes?.stateTransitions?.activeted
})
same<PreviousAttributes<Record<string, unknown>>, { readonly [Attribute in string]?: unknown }>()
riverhook.on('order.charge.*', (event) => {
  same<typeof event.type, Extract<KnownEventType, `order.charge.${string}`>>()
  if (event.type === 'order.charge.cancelled') same<typeof event, Event<'order.charge.cancelled'>>()
  // @ts-expect-error outside the prefix
  if (event.type === 'refund.complete') return
})
riverhook.on('*', (event) => {
  same<typeof event.type, KnownEventType>()
  if (event.type === 'refund.failed') same<typeof event, Event<'refund.failed'>>()
})

// The resource is that of the type, not of its prefix.
same<Event<'order.charge.capture.complete'>['data']['object'], Charge>()
same<Event<'order.charge.refund.failed'>['data']['object'], Order>()
same<Event<'order.invoice.created'>['data']['object'], InvoiceFile>()
same<Event<'fulfillment_order.shipped'>['data']['object'], Shipment>()
same<Event<'refund.failed'>['data']['object'], OrderRefund>()
same<Event<'subscription.extended'>['data']['object']['subscription'], Subscription>()
same<Event<'subscription.extended'>['data']['object']['invoice'], Invoice>()
same<Event<'subscription.deleted'>['data']['object'], Partial<Subscription>>()
same<Event<'global_returns.created'>['data']['object'], Record<string, unknown>>()
same<Event<'x.y'>['data']['object'], Record<string, unknown>>()
riverhook.on('order.*', { orderBy: orderIdOf }, () => undefined)
riverhook.on('*', { orderBy: resourceIdOf }, ({ type, data }) => {
  // In a handler of many types, the type determines the payload.
  if (type === 'payout.created') same<typeof data.object, Resources['Payout']>()
})

// A handler's own schema gives the type: a JSON Schema, or one of TypeBox.
riverhook.on(
  'sku.created',
  {
    schema: {
      type: 'object',
      required: ['price'],
      properties: { price: { type: 'number' }, tags: { type: 'array', items: { type: 'string' } } }
    },
    orderBy: (event) => event.data.object.price
  },
  (event, context) => {
    same<typeof event.type, 'sku.created'>()
    same<typeof event.data.object.price, number>()
    same<typeof context.event, typeof event>()
    // @ts-expect-error the schema has no such field
    event.data.object.prize
  }
)
defineHandler(eventType('erp.order'), { schema: Type.Object({ total: Type.Integer() }) }, ({ data }) => {
  same<typeof data.object.total, number>()
})
defineHandler('order.*', { name: 'x', schema: JSON.parse('{}') as object }, ({ type }) => {
  same<typeof type, Extract<KnownEventType, `order.${string}`>>()
})
// @ts-expect-error a misspelt option beside a schema
riverhook.on('*', { schema: { type: 'object' }, timeuot: 1 }, () => undefined)

// A literal that no event has is a mistake. eventType() names a new type. A prefix may cover
// such types, so an unknown one compiles, and stops the start.
// @ts-expect-error a misspelt event type
riverhook.on('order.acepted', () => undefined)
// @ts-expect-error a misspelt event type
defineHandler('order.acepted', () => undefined)
const sampleAccepted = () => sampleEvent('order.accepted')
// @ts-expect-error a misspelt event type
sampleEvent('order.acepted')
sampleEvent(eventType('order.split'))
same<Event<'order.accepted'>, ReturnType<typeof sampleAccepted>>()
for (const type of Object.keys(catalogue)) sampleEvent(type)
riverhook.on(eventType('order.split'), (event, context) => {
  same<typeof event.type, 'order.split'>()
  same<typeof context.event, Event<'order.split'>>()
})
riverhook.on('brand.new.*', (event) => {
  same<typeof event.type, `brand.new.${string}`>()
})
same<KnownEventType extends string ? (string extends KnownEventType ? 'open' : 'closed') : never, 'closed'>()
declare const patternFromElsewhere: string
riverhook.on(patternFromElsewhere, (event) => {
  same<typeof event.type, string>()
})

// Options are in the middle and optional. orderBy gets the same event.
riverhook.on(
  'order.*',
  { name: 'orders', timeout: 1_000, concurrency: 2, onFailure: 'skip', retry: { attempts: 3 } },
  () => undefined
)
riverhook.on('order.accepted', { orderBy: (event) => event.data.object['id'] }, async () => undefined)
riverhook.on(
  'order.accepted',
  {
    orderBy: (event) => {
      same<typeof event.type, 'order.accepted'>()
      return event.id
    }
  },
  () => undefined
)
// @ts-expect-error a misspelt option
riverhook.on('*', { timeuot: 1 }, () => undefined)
// @ts-expect-error a span of time
riverhook.on('*', { timeout: true }, () => undefined)
// @ts-expect-error block or skip
riverhook.on('*', { onFailure: 'stop' }, () => undefined)
// @ts-expect-error a misspelt option of an option
riverhook.on('*', { retry: { attemps: 1 } }, () => undefined)
// @ts-expect-error no function
riverhook.on('*', { name: 'x' })
// @ts-expect-error the options come before the function
riverhook.on('*', () => undefined, { name: 'x' })
// @ts-expect-error no pattern
riverhook.on(() => undefined)

// defineHandler has the same types, and its result can be registered.
const definition = defineHandler('order.refunded', { name: 'refunds' }, (event, { log }) => {
  same<typeof event.type, 'order.refunded'>()
  log.info({ amount: 1 }, 'refunded')
})
same<typeof definition, HandlerDefinition>()
defineHandler('refund.*', (event) => {
  same<typeof event.type, Extract<KnownEventType, `refund.${string}`>>()
})
// @ts-expect-error a misspelt option
defineHandler('*', { nmae: 'x' }, () => undefined)
riverhook.on(definition.pattern, definition.options, definition.run)

// A handler for every event works for one type too, and not the other way round.
const forAll: HandlerFunction = (event) => event.id
riverhook.on('order.accepted', forAll)
const forOne: HandlerFunction<'order.accepted'> = (event) => event.id
// @ts-expect-error it would be given other types
riverhook.on('order.*', forOne)

same<TypesOf<'order.accepted'>, 'order.accepted'>()
same<TypesOf<'a.b.*'>, `a.b.${string}`>()
same<TypesOf<'*'>, KnownEventType>()
same<EventOf<'refund.failed' | 'refund.pending'>, Event<'refund.failed'> | Event<'refund.pending'>>()
same<TypesOf<string>, string>()

// Secrets come from a variable, a list or a vault, as one text or several.
const secretSources: EndpointOptions['secrets'][] = [
  's',
  ['s'],
  () => 's',
  () => ['s'],
  async () => 's',
  async () => ['s']
]
// @ts-expect-error a number is no secret
secretSources.push(async () => 7)

// No type has become `any`, which would make every line above compile.
notAny<Parameters<HandlerFunction>[0]>()
notAny<Parameters<HandlerFunction>[1]>()
notAny<HandlerContext['log']>()
notAny<HandlerContext['signal']>()
notAny<ReturnType<HandlerFunction>>()
notAny<HandlerOptions['retry']>()
notAny<NonNullable<HandlerOptions['orderBy']>>()
notAny<ReturnType<NonNullable<HandlerOptions['orderBy']>>>()
notAny<Event['data']['object'][string]>()
notAny<Handler['run']>()
notAny<typeof definition.options>()
// @ts-expect-error the check itself can fail
notAny<ReturnType<typeof JSON.parse>>()
// @ts-expect-error the check itself can fail
same<string, 'x'>()

// Forwarding: the pattern types the event of orderBy, and a mistake in it is refused.
const hooks = 'http://erp.internal/hooks'
forward({ url: hooks, orderBy: (event) => event.type })
forward({ url: hooks, pattern: 'order.*' })
forward({ url: hooks, pattern: eventType('order.split') })
forward({
  url: hooks,
  pattern: 'order.accepted',
  orderBy: (event) => {
    same<typeof event, Event<'order.accepted'>>()
    return event.data.object.id
  }
})
// @ts-expect-error a misspelt event type
forward({ url: hooks, pattern: 'order.acepted' })
// @ts-expect-error nowhere to send it
forward({ pattern: 'order.accepted' })
