// A TypeScript host: compiled with the published types, never run.
import Fastify from 'fastify'
import { defineHandler, PermanentError, RetryLater, riverhook } from 'riverhook'
import { type Order, orderSchema } from 'riverhook/resources'
import { github, hmacSource, standardWebhooks, stripe } from 'riverhook/sources'
import { createDigitalRiver, runHandler, sampleEvent } from 'riverhook/testing'

// Undefined is the default, under exactOptionalPropertyTypes too.
const { tolerance } = {} as { tolerance?: number }
const app = Fastify()
await app.register(riverhook, { path: '/webhooks', secrets: ['whk_1'], inbox: 'memory:', tolerance })

app.riverhook.on('order.accepted', (event, { attempt, signal }) => {
  const type: 'order.accepted' = event.type
  const count: number = attempt
  if (signal.aborted) throw new RetryLater({ after: count })
  // @ts-expect-error an exact handler's type is that literal and no other
  const other: 'order.blocked' = event.type
  const order: Order = event.data.object
  const amount: number = order.totalAmount
  // @ts-expect-error an order has no such field
  const wrong: unknown = order.totalAmmount
  return [type, other, amount, wrong]
})

export const sample: Order = sampleEvent('order.accepted').data.object
export const core: readonly string[] = orderSchema.required

// @ts-expect-error an option that does not exist
await app.register(riverhook, { path: '/webhooks', secrets: ['whk_1'], toleranse: 300 })

await using river = await createDigitalRiver({ liveMode: false })
const secrets: readonly string[] = river.secretsOf(river.addWebhook({ address: 'https://a.example/' }).id)
const { state } = await runHandler(
  defineHandler('order.accepted', () => secrets),
  { type: 'order.accepted' }
)
const ended: 'done' | 'retry' | 'dead' = state

export const seen = ended

export default defineHandler('order.*', () => {
  throw new PermanentError('never')
})

// Other providers: the source passed as a value determines the types.
export const payments = hmacSource({ name: 'payments', header: 'x-signature', id: 'digest', type: { field: 'kind' } })
app.riverhook.from(payments).on('invoice.*', ({ payload }) => payload['amount'])
app.riverhook.from(standardWebhooks({ prefix: 'svix' })).on('user.created', ({ id, payload }) => [id, payload['data']])
// Without the providers' type packages, events have the general shape of the source.
app.riverhook.from(stripe()).on('invoice.paid', ({ data, livemode }) => {
  const live: boolean = livemode
  const paid: unknown = data.object['amount_paid']
  // @ts-expect-error not in the event
  return [live, paid, data.nothing]
})
app.riverhook.from(github()).on('issues.opened', ({ type, payload }) => {
  const opened: 'issues.opened' = type
  const action: unknown = payload['action']
  return [opened, action]
})
