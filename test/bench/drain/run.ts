import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import Table from 'cli-table3'

import type { AcceptedArrival } from '../../../src/inbox/inbox.ts'
import { sqliteInbox } from '../../../src/inbox/sqlite/engine.ts'
import { eventBody, idOffset } from '../body.ts'
import { startChild } from '../child.ts'
import { median } from '../statistics.ts'
import type { Drained, DrainOrder } from './drainer.ts'

export interface DrainSettings {
  readonly small: number
  readonly large: number
  /** The number of small backlogs: each takes a tenth of a second, so the median is reported. */
  readonly repeats: number
}

/** The pattern and name of the no-op handler. */
const handler = '*'
const batchSize = 1_000
const atLeast = 8_000

/**
 * Fills SQLite files with events that one handler has not been given yet. A separate process delivers them with the
 * plugin's default settings. Prints how many deliveries per second were done and stored.
 */
export async function drain(settings: DrainSettings): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-bench-'))
  try {
    // The first one warms the process up and is not reported.
    const backlogs = [20_000, ...Array.from({ length: settings.repeats }, () => settings.small), settings.large]
    const orders: DrainOrder[] = []
    for (const [index, events] of backlogs.entries()) {
      const path = join(folder, `${index}.db`)
      await fill(path, events)
      orders.push({ path, events, handler })
    }
    const drainer = startChild('drain/drainer.ts')
    const results: Drained[] = []
    for (const order of orders) {
      drainer.process.send(order)
      results.push((await drainer.message()) as Drained)
    }
    await drainer.stop()
    print(settings, results.slice(1, -1), results.at(-1))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fill(path: string, events: number): Promise<void> {
  if (events > 20_000) process.stderr.write(`Filling an inbox with ${events.toLocaleString('en-US')} events ...\n`)
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
  const receivedAt = new Date()
  return {
    state: 'accepted',
    realm: 'digital-river',
    id,
    source: 'digital-river',
    headers: {},
    type: 'order.accepted',
    liveMode: false,
    createdTime: '2021-03-31T19:24:47.317312Z',
    body,
    endpoint: '/webhooks',
    receivedAt,
    receipt: { judgedAt: receivedAt.toISOString(), checks: ['signature'] },
    deliveries: [{ handler }]
  }
}

function print(settings: DrainSettings, small: readonly Drained[], large: Drained | undefined): void {
  const table = new Table({
    head: ['backlog', 'deliveries/s', 'until the first attempt, ms', `expected: >= ${count(atLeast)}/s`],
    colAligns: ['left', 'right', 'right', 'left'],
    style: { head: [], border: [] }
  })
  const row = (label: string, perSecond: number, firstMs: number) => {
    table.push([label, count(perSecond), count(firstMs), perSecond >= atLeast ? 'reached' : 'MISSED'])
  }
  const smallRate = median(small.map(({ perSecond }) => perSecond))
  const largeRate = large?.perSecond ?? Number.NaN
  row(`${count(settings.small)} (median of ${small.length})`, smallRate, median(small.map(({ firstMs }) => firstMs)))
  row(
    `${count(settings.large)}, the first ${count(large?.head.events ?? 0)}`,
    large?.head.perSecond ?? Number.NaN,
    large?.firstMs ?? Number.NaN
  )
  row(`${count(settings.large)}, all of it`, largeRate, large?.firstMs ?? Number.NaN)
  console.log(table.toString())
  const apart = Math.abs(largeRate - smallRate) / Math.max(largeRate, smallRate)
  console.log(
    `The two are ${(apart * 100).toFixed(0)} % apart; expected: at most 20 %: ${apart <= 0.2 ? 'reached' : 'MISSED'}`
  )
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
