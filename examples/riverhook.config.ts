// Read by `riverhook serve` and the commands, from the working directory or from where RIVERHOOK_CONFIG says.
// Environment variables override it.
import { defineConfig, defineHandler } from 'riverhook'

const ship = defineHandler('order.accepted', { name: 'ship', timeout: '10s' }, (event, { log }) => {
  log.info({ order: event.data.object.id }, 'ship it')
})

export default defineConfig({
  port: Number(process.env['PORT'] ?? 8080),
  inbox: process.env['DATABASE_URL'] ?? 'sqlite:riverhook.db',
  endpoints: [
    { path: '/webhooks/live', secrets: process.env['LIVE_SECRETS'] ?? 'whk_live', mode: 'live' },
    { path: '/webhooks/test', secrets: process.env['TEST_SECRETS'] ?? 'whk_test', mode: 'test' }
  ],
  handlers: [ship],
  retry: { attempts: 8, base: '10s' },
  onDead: (event, { handler }) => {
    console.error(`gave up on ${event.id} for ${handler}`)
  }
})
