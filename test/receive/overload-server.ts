// The server of overload.test.ts. Its inbox takes a fixed time for each event, like a store that cannot keep up.
import { setTimeout as delay } from 'node:timers/promises'
import Fastify from 'fastify'

import riverhook, { memoryInbox, type Arrival } from '../../src/index.ts'

const msPerEvent = 5
const inbox = memoryInbox()
const { record } = inbox
inbox.record = async (arrivals: readonly Arrival[]) => {
  await delay(msPerEvent * arrivals.length)
  return record.call(inbox, arrivals)
}

const app = Fastify()
await app.register(riverhook, { secrets: 'whk_a', inbox })
const url = await app.listen({ port: 0, host: '127.0.0.1' })

process.on('message', (what) => {
  if (what === 'memory') {
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    process.send?.(heapUsed + external)
  } else void inbox.stats().then(({ events }) => process.send?.(events))
})
process.send?.(`${url}/webhooks/digital-river`)
