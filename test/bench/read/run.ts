import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import Table from 'cli-table3'

import { RiverhookError, type Inbox } from '../../../src/index.ts'
import { sqliteInbox } from '../../../src/inbox/sqlite/engine.ts'
import { arrival } from '../../inbox/arrivals.ts'
import { filtersByTwos } from '../../inbox/filters.ts'
import { fillSqlite } from './fill-sqlite.ts'

export interface ReadSettings {
  readonly events: number
  readonly seconds: number
}

const perSecond = 100
const mostMs = 50

/** Latencies by name, and the codes of errors with their numbers. */
class Measured {
  readonly times = new Map<string, number[]>()
  readonly errors = new Map<string, number>()

  async time(name: string, work: () => Promise<unknown>): Promise<void> {
    const startedAt = performance.now()
    try {
      await work()
    } catch (error) {
      const code = `${name}: ${error instanceof RiverhookError ? error.code : String(error)}`
      this.errors.set(code, (this.errors.get(code) ?? 0) + 1)
    }
    const times = this.times.get(name) ?? []
    times.push(performance.now() - startedAt)
    this.times.set(name, times)
  }
}

/**
 * Fills a SQLite inbox. Then records 100 events a second, while a client reads the statistics and every filter of a
 * list, alone and by twos, without a pause. Prints how long each took.
 */
export async function read({ events, seconds }: ReadSettings): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-bench-'))
  const inbox = sqliteInbox({ path: join(folder, 'inbox.db') })
  try {
    process.stderr.write(`Filling an inbox with ${events.toLocaleString('en-US')} events ...\n`)
    await fillSqlite(join(folder, 'inbox.db'), events)
    await inbox.open()
    const measured = new Measured()
    const endsAt = performance.now() + seconds * 1_000
    await Promise.all([record(inbox, measured, endsAt), readAll(inbox, measured, endsAt)])
    print(measured)
  } finally {
    await inbox.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function record(inbox: Inbox, measured: Measured, endsAt: number): Promise<void> {
  const calls: Promise<void>[] = []
  while (performance.now() < endsAt) {
    calls.push(measured.time('record', () => inbox.record([arrival(randomUUID(), ['archive'])])))
    await setTimeout(1_000 / perSecond)
  }
  await Promise.all(calls)
}

async function readAll(inbox: Inbox, measured: Measured, endsAt: number): Promise<void> {
  const filters = filtersByTwos()
  for (let index = 0; performance.now() < endsAt; index += 1) {
    const next = filters[(index * 37) % filters.length]
    if (next !== undefined) await measured.time(next.name, () => inbox.events(next.filter))
    if (index % 50 === 0) await measured.time('stats', () => inbox.stats())
  }
}

function print({ times, errors }: Measured): void {
  const table = new Table({
    head: ['', 'calls', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'expected'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] }
  })
  for (const [name, list] of times) {
    const sorted = list.sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
    const share = name === 'record' ? 0.99 : 0.95
    const expected =
      name === 'stats' ? '' : `p${share * 100} <= ${mostMs} ms: ${at(share) <= mostMs ? 'reached' : 'MISSED'}`
    table.push([name, sorted.length, ...[0.5, 0.95, 0.99, 1].map((part) => at(part).toFixed(1)), expected])
  }
  console.log(table.toString())
  console.log(errors.size === 0 ? 'No call was refused.' : [...errors].map((entry) => entry.join(': ')).join('\n'))
}
