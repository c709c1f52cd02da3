// Two endpoints in one service: Digital River's test environment and its production, each with its own secrets. A
// request that is signed with a secret of the other endpoint is refused, and the log says that the two were mixed up.
// An event of the other mode is refused too: the test secret must not be enough to send live events.
//
//   LIVE_SECRETS=whk_... TEST_SECRETS=whk_... npm run example examples/two-endpoints.ts

import Fastify from 'fastify'
import riverhook from 'riverhook'

const app = Fastify({ logger: true })

await app.register(riverhook, {
  inbox: process.env['RIVERHOOK_INBOX'] ?? 'sqlite:riverhook.db',
  endpoints: [
    { path: '/webhooks/live', mode: 'live', secrets: (process.env['LIVE_SECRETS'] ?? '').split(',') },
    { path: '/webhooks/test', mode: 'test', secrets: (process.env['TEST_SECRETS'] ?? '').split(',') }
  ]
})

app.riverhook.on('order.accepted', (event, { endpoint, log }) => {
  // The same handler serves both. Check liveMode before any action that a test order must not cause.
  log.info({ live_mode: event.liveMode, endpoint }, event.liveMode ? 'ship it' : 'only a test')
})

await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
