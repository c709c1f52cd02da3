// The contestants that are riverhook: the plugin as a merchant mounts it, with the log off.
import diagnostics from 'node:diagnostics_channel'

import Fastify from 'fastify'

import { announce } from '../announce.ts'
import { importFrom } from '../checkout.ts'

export interface ServerOptions {
  /** The folder of the checkout. */
  readonly checkout: string
  readonly inbox: string
  /** `backlog`: one that is known, so that it is not parked, and is not for the events that are sent here. */
  readonly handler?: 'no-op' | 'backlog'
  readonly validate?: 'flag' | 'off'
  readonly source?: 'github' | 'standardWebhooks'
  readonly isEncrypted?: boolean
}

const [path = '', secret = '', given = '{}'] = process.argv.slice(2)
const { checkout, inbox, handler, validate = 'flag', source, isEncrypted } = JSON.parse(given) as ServerOptions
const { riverhook } = await importFrom(checkout, 'src/index.ts')
const app = Fastify({ logger: false })
await app.register(riverhook, {
  path,
  secrets: [secret],
  inbox,
  validate,
  ...(isEncrypted === true && { encryption: { keys: [`k1:${Buffer.alloc(32, 7).toString('base64')}`] } }),
  ...(source !== undefined && { source: (await importFrom(checkout, 'src/sources.ts'))[source]() })
})
if (handler === 'backlog') app.riverhook.on('refund.failed', { name: '*' }, () => undefined)
if (handler === 'no-op') app.riverhook.on('*', () => undefined)

let settled = 0
let awaited = Infinity
const answer = (): void => {
  if (settled < awaited) return
  awaited = Infinity
  process.send?.({ settled })
}
if (handler === 'no-op')
  diagnostics.subscribe('riverhook:settled', () => {
    settled += 1
    answer()
  })
process.on('message', (message) => {
  if (typeof message !== 'object' || message === null || !('untilSettled' in message)) return
  awaited = Number(message.untilSettled)
  answer()
})

await app.listen({ port: 0, host: '127.0.0.1' })
announce(app.server)
