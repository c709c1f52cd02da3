// The server of flood.test.ts. On request it reports its memory: the use after a garbage collection, and the peak since
// the last report.
import Fastify from 'fastify'

import riverhook from '../../src/index.ts'

const app = Fastify()
await app.register(riverhook, { secrets: 'whk_a', inbox: 'memory:' })
const url = await app.listen({ port: 0, host: '127.0.0.1' })

function memory(): number {
  const { heapUsed, external } = process.memoryUsage()
  // External memory includes the array buffers that hold bodies.
  return heapUsed + external
}

let peak = 0
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().external)
}, 1).unref()

process.on('message', (what) => {
  globalThis.gc?.()
  if (what === 'memory') peak = 0
  process.send?.(memory() + (what === 'peak' ? Math.max(0, peak - process.memoryUsage().external) : 0))
  peak = 0
})
process.send?.(`${url}/webhooks/digital-river`)
