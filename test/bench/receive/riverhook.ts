// Contestants (b) and (c): the plugin as a merchant mounts it, with the log off.
import Fastify from 'fastify'

import { riverhook } from '../../../src/index.ts'
import { announce } from '../announce.ts'

const [path, secret, inbox, handler, validate = 'flag'] = process.argv.slice(2) as [
  string,
  string,
  string,
  string | undefined,
  'flag' | 'off' | undefined
]
const app = Fastify({ logger: false })
await app.register(riverhook, { path, secrets: [secret], inbox, validate })
// Of a backlog: known, so that it is not parked, and not for what is sent here.
if (handler === 'backlog') app.riverhook.on('refund.failed', { name: '*' }, () => undefined)
if (handler === 'no-op') app.riverhook.on('*', () => undefined)
await app.listen({ port: 0, host: '127.0.0.1' })
announce(app.server)
