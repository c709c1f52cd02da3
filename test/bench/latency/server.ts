// The receiver of the bench `latency`: SQLite, and a handler that notes when it begins.
import { setInterval } from 'node:timers'
import Fastify from 'fastify'

import { riverhook } from '../../../src/index.ts'
import { announce } from '../announce.ts'

/** The parent's question, and the answer. */
export interface Reported {
  /** When the handler began, by the id of the event: milliseconds of the machine's monotonic clock. */
  readonly begun: readonly (readonly [string, number])[]
  /** The most memory of the process, in bytes, since the question before. */
  readonly mostRss: number
}

const [path = '', secret = '', inbox = ''] = process.argv.slice(2)
let begun: (readonly [string, number])[] = []
let mostRss = 0

const app = Fastify({ logger: false })
await app.register(riverhook, { path, secrets: [secret], inbox })
app.riverhook.on('*', { name: 'timed' }, ({ id }) => {
  begun.push([id, Number(process.hrtime.bigint()) / 1e6])
})
setInterval(() => {
  mostRss = Math.max(mostRss, process.memoryUsage.rss())
}, 100).unref()
process.on('message', (message) => {
  if (message !== 'report') return
  process.send?.({ begun, mostRss } satisfies Reported)
  begun = []
  mostRss = process.memoryUsage.rss()
})
await app.listen({ port: 0, host: '127.0.0.1' })
announce(app.server)
