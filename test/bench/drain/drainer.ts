// The process that delivers: the plugin as a merchant mounts it, with one no-op handler and the log off.
import diagnostics from 'node:diagnostics_channel'

import Fastify from 'fastify'

import { riverhook } from '../../../src/index.ts'

export interface DrainOrder {
  /** The SQLite file, filled with deliveries for one handler. */
  readonly path: string
  readonly events: number
  readonly handler: string
}

export interface Drained {
  /** From the start of the app to the first attempt. */
  readonly firstMs: number
  /** Deliveries a second, from the first attempt to the last one that was stored. */
  readonly perSecond: number
  /** The same for the first of them, while the backlog is about as long as at the start. */
  readonly head: { readonly events: number; readonly perSecond: number }
}

const headEvents = 20_000

process.on('message', (order: DrainOrder) => {
  void drain(order).then((result) => process.send?.(result))
})

async function drain({ path, events, handler }: DrainOrder): Promise<Drained> {
  const app = Fastify({ logger: false })
  await app.register(riverhook, { path: '/webhooks', secrets: ['whk_bench'], inbox: `sqlite:${path}` })

  let firstAt = Number.NaN
  app.riverhook.on(handler, () => {
    if (Number.isNaN(firstAt)) firstAt = performance.now()
  })

  const head = Math.min(headEvents, events)
  let headAt = Number.NaN
  let settled = 0
  const done = new Promise<void>((resolve) => {
    const count = () => {
      settled += 1
      if (settled === head) headAt = performance.now()
      if (settled < events) return
      diagnostics.unsubscribe('riverhook:settled', count)
      resolve()
    }
    diagnostics.subscribe('riverhook:settled', count)
  })

  const startedAt = performance.now()
  await app.ready()
  await done
  const endedAt = performance.now()
  await app.close()
  return {
    firstMs: firstAt - startedAt,
    perSecond: events / ((endedAt - firstAt) / 1000),
    head: { events: head, perSecond: head / ((headAt - firstAt) / 1000) }
  }
}
