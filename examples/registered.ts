// A service that registers its webhook at Digital River at the start, with the event types of the handlers below.
// Later it checks the webhook regularly, and fetches events that never arrived.
//
//   DIGITAL_RIVER_API_KEY=sk_... RIVERHOOK_SECRETS=whk_... ADDRESS=https://shop.example/webhooks/digital-river \
//     npm run example examples/registered.ts

import Fastify from 'fastify'
import riverhook from 'riverhook'

const app = Fastify({ logger: true })

await app.register(riverhook, {
  secrets: () => (process.env['RIVERHOOK_SECRETS'] ?? '').split(','),
  inbox: process.env['RIVERHOOK_INBOX'] ?? 'sqlite:riverhook.db',
  // The key is read from DIGITAL_RIVER_API_KEY, or from the file that DIGITAL_RIVER_API_KEY_FILE names.
  register: { address: process.env['ADDRESS'] ?? 'https://shop.example/webhooks/digital-river', repair: true },
  backfill: { every: '15m', overlap: '1h' },
  onRegistrationChange: ({ address, lines, repaired }) => {
    app.log.error({ address, lines, repaired }, 'somebody has changed our webhook')
  }
})

app.riverhook.on('order.accepted', (event, { log }) => {
  log.info({ created: event.createdTime }, 'ship it')
})

app.get('/registrations', async () => app.riverhook.registrations())

await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
