// The process that delivers: the plugin as a merchant mounts it, with one no-op handler and the log off.
import { randomUUID } from 'node:crypto'
import diagnostics from 'node:diagnostics_channel'

import Fastify from 'fastify'

import type { AcceptedArrival } from '../../../src/inbox/inbox.ts'
import { arrivalFor } from '../arrival.ts'
import { eventBody, idOffset } from '../body.ts'
import { importFrom } from '../checkout.ts'
import { cpuBetween, readThreads, type Cpu } from '../cpu.ts'

export interface DrainOrder {
  /** The SQLite file. It is filled first, with deliveries for one handler. */
  readonly path: string
  readonly events: number
}

export interface Drained {
  /** From the start of the app to the first attempt. */
  readonly firstMs: number
  /** Deliveries a second, from the first attempt to the last one that was stored. */
  readonly perSecond: number
  /** The CPU time of a delivery meanwhile. Undefined where it cannot be read. */
  readonly cpu: Cpu | undefined
  /** The same for the first of them, while the backlog is about as long as at the start. */
  readonly head: { readonly events: number; readonly perSecond: number }
}

/** The pattern and name of the no-op handler. */
const handler = '*'
const batchSize = 1_000
const headEvents = 20_000

const [checkout = ''] = process.argv.slice(2)
const { riverhook } = await importFrom(checkout, 'src/index.ts')
const { sqliteInbox } = await importFrom(checkout, 'src/inbox/sqlite/engine.ts')

process.on('message', (order: DrainOrder) => {
  void fill(order)
    .then(() => drain(order))
    .then((result) => process.send?.(result))
})

/** Fills a new file with events that the handler has not been given yet. */
async function fill({ path, events }: DrainOrder): Promise<void> {
  if (events > headEvents) process.stderr.write(`Filling an inbox with ${events.toLocaleString('en-US')} events ...\n`)
  const inbox = sqliteInbox({ path })
  await inbox.open()
  const template = eventBody(850)
  for (let filled = 0; filled < events; filled += batchSize) {
    const batch = Array.from({ length: Math.min(batchSize, events - filled) }, () => arrival(template))
    await inbox.record(batch)
  }
  await inbox.close()
}

function arrival(template: Buffer): AcceptedArrival {
  const id = randomUUID()
  const body = Buffer.from(template)
  body.write(id, idOffset, 'latin1')
  return arrivalFor(handler, { id, body })
}

async function drain({ path, events }: DrainOrder): Promise<Drained> {
  const app = Fastify({ logger: false })
  await app.register(riverhook, { path: '/webhooks', secrets: ['whk_bench'], inbox: `sqlite:${path}` })

  let firstAt = Number.NaN
  let cpuBefore: Cpu | undefined
  app.riverhook.on(handler, () => {
    if (!Number.isNaN(firstAt)) return
    firstAt = performance.now()
    cpuBefore = readOwnCpu()
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
  const cpuAfter = readOwnCpu()
  await app.close()
  return {
    firstMs: firstAt - startedAt,
    perSecond: events / ((endedAt - firstAt) / 1000),
    cpu: cpuBefore && cpuAfter && cpuBetween(cpuBefore, cpuAfter, events),
    head: { events: head, perSecond: head / ((headAt - firstAt) / 1000) }
  }
}

function readOwnCpu(): Cpu | undefined {
  return process.platform === 'linux' ? readThreads(process.pid) : undefined
}
