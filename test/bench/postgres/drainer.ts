// Drains deliveries with riverhook: [database, deliveries, milliseconds of work]. They are there already.
import diagnostics from 'node:diagnostics_channel'
import { setTimeout as delay } from 'node:timers/promises'

import Fastify from 'fastify'

import { riverhook } from '../../../src/index.ts'

const [database = '', count, workMs] = process.argv.slice(2)
const deliveries = Number(count)
const app = Fastify({ logger: false })
await app.register(riverhook, { path: '/webhooks', secrets: ['whk_bench'], inbox: database, concurrency: 64 })
let startedAt: number | undefined
app.riverhook.on('*', { concurrency: 64 }, async () => {
  startedAt ??= performance.now()
  if (Number(workMs) > 0) await delay(Number(workMs))
})
let settled = 0
const done = new Promise<void>((resolve) => {
  diagnostics.subscribe('riverhook:settled', () => {
    settled += 1
    if (settled === deliveries) resolve()
  })
})
await app.ready()
await done
process.send?.({ perSecond: deliveries / ((performance.now() - (startedAt ?? Number.NaN)) / 1000) })
await app.close()
process.disconnect()
