// One replica of the bench: [database, what it does with a delivery: 'hang' or 'take'].
import Fastify from 'fastify'

import { riverhook } from '../../../src/index.ts'

const [database = '', what] = process.argv.slice(2)
const app = Fastify({ logger: false })
await app.register(riverhook, { path: '/webhooks', secrets: ['whk_bench'], inbox: database })
app.riverhook.on('*', { timeout: 600_000 }, async ({ id }) => {
  process.send?.({ id })
  if (what === 'hang') await new Promise(() => undefined)
})
await app.ready()
process.send?.('ready')
