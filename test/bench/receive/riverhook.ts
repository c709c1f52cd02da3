// Contestants (b), (c), (d+) and (e+): the plugin as a merchant mounts it, with the log off.
import Fastify from 'fastify'

import { riverhook } from '../../../src/index.ts'
import { github, standardWebhooks } from '../../../src/sources.ts'
import { announce } from '../announce.ts'

const sources = { github, standardWebhooks }

const [path, secret, inbox, handler, validate = 'flag', sourceName] = process.argv.slice(2) as [
  string,
  string,
  string,
  string | undefined,
  'flag' | 'off' | undefined,
  keyof typeof sources | undefined
]
const app = Fastify({ logger: false })
await app.register(riverhook, { path, secrets: [secret], inbox, validate, source: sourceName && sources[sourceName]() })
// Of a backlog: known, so that it is not parked, and not for what is sent here.
if (handler === 'backlog') app.riverhook.on('refund.failed', { name: '*' }, () => undefined)
if (handler === 'no-op') app.riverhook.on('*', () => undefined)
await app.listen({ port: 0, host: '127.0.0.1' })
announce(app.server)
