// Riverhook mounted in an existing service: its routes, parsers and error handling stay as they are.
//
//   RIVERHOOK_SECRETS=whk_... npm run example examples/mounted.ts

import Fastify from 'fastify'
import riverhook, { loggedError, PermanentError } from 'riverhook'

const orders = new Map<string, string>()
const app = Fastify({ logger: true })

// The existing service.
app.get<{ Params: { id: string } }>('/orders/:id', async ({ params }, reply) => {
  const state = orders.get(params.id)
  return state === undefined ? reply.code(404).send({ message: 'no such order' }) : { id: params.id, state }
})

// The addition: one endpoint, POST /webhooks/digital-river.
await app.register(riverhook, {
  secrets: () => (process.env['RIVERHOOK_SECRETS'] ?? '').split(','),
  inbox: process.env['RIVERHOOK_INBOX'] ?? 'sqlite:riverhook.db',
  onDead: (event, { handler, error }) => {
    app.log.error({ event_id: event.id, handler, err: loggedError(error) }, 'somebody should look at this order')
  }
})

// Runs until it succeeds, with the same idempotencyKey each time.
app.riverhook.on('order.accepted', { name: 'ship', orderBy: (event) => event.data.object['id'] }, (event, { log }) => {
  const { id } = event.data.object
  if (typeof id !== 'string') throw new PermanentError('The order has no id: no retry can help')
  orders.set(id, 'accepted')
  log.info('order is on its way')
})

app.riverhook.on('order.*', { name: 'audit' }, (event, { log }) => {
  log.info({ created: event.createdTime }, 'seen')
})

await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
