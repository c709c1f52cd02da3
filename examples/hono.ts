// Riverhook in Hono. Next.js route handlers take the same function.
//
//   RIVERHOOK_SECRETS=whk_... npm run example examples/hono.ts

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createRiverhook } from 'riverhook'
import { toWebHandler } from 'riverhook/web'

const riverhook = createRiverhook({
  path: '/webhooks/digital-river',
  secrets: () => (process.env['RIVERHOOK_SECRETS'] ?? '').split(','),
  inbox: process.env['RIVERHOOK_INBOX'] ?? 'sqlite:riverhook.db'
})

riverhook.on('order.accepted', { name: 'ship' }, (event, { log }) => {
  log.info({ order: event.data.object.id }, 'order is on its way')
})

await riverhook.start()
const handler = toWebHandler(riverhook)
const app = new Hono()
// Before any middleware that reads the body: the signature covers its exact bytes.
app.post('/webhooks/digital-river', ({ req }) => handler(req.raw))
app.get('/health/ready', async (context) => {
  const { ready, reasons } = await riverhook.health()
  return context.json({ reasons }, ready ? 200 : 503)
})

const server = serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 3000) }, ({ port }) => {
  process.stdout.write(`Server listening at http://127.0.0.1:${port}\n`)
})

// Stop requests first, then let running handlers end, and close the inbox.
process.once('SIGTERM', () => {
  server.close()
  void riverhook.stop()
})
