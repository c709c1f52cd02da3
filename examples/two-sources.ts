// Digital River beside Stripe: one plugin, one inbox, and handlers that are typed by each source.
//
//   DIGITAL_RIVER_SECRETS=whk_... STRIPE_SECRETS=whsec_... npm run example examples/two-sources.ts

import Fastify from 'fastify'
import riverhook from 'riverhook'
import { stripe } from 'riverhook/sources'

const app = Fastify({ logger: true })
const payments = stripe()

await app.register(riverhook, {
  inbox: process.env['RIVERHOOK_INBOX'] ?? 'sqlite:riverhook.db',
  endpoints: [
    { path: '/webhooks/digital-river', secrets: (process.env['DIGITAL_RIVER_SECRETS'] ?? '').split(',') },
    { path: '/webhooks/stripe', source: payments, secrets: (process.env['STRIPE_SECRETS'] ?? '').split(',') }
  ]
})

// Without a source, handlers are Digital River's.
app.riverhook.on('order.accepted', (event, { log }) => {
  log.info({ order: event.data.object.id }, 'ship it')
})

app.riverhook.from(payments).on('invoice.paid', (event, { log }) => {
  log.info({ invoice: event.data.object.id }, 'book it')
})

await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
