import diagnostics from 'node:diagnostics_channel'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import Table from 'cli-table3'
import { pino } from 'pino'

import { createRiverhook } from '../../../src/index.ts'
import { postgresInbox } from '../../../src/inbox/postgres/engine.ts'
import { sqliteInbox } from '../../../src/inbox/sqlite/engine.ts'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { fillPostgres } from '../../inbox/fill-postgres.ts'
import { run, startOwnPostgres } from '../../inbox/postgres-server.ts'
import { describeMachine, readLoad } from '../machine.ts'
import { fillSqlite } from '../read/fill-sqlite.ts'
import { estimate, estimateText, median, ratios } from '../statistics.ts'
import { CheckpointCycle, checkpointSettings } from './checkpoint.ts'
import { scaleEvents } from './events.ts'
import { onceKey, Work } from './work.ts'

export interface ScaleSettings {
  readonly events: number
  readonly rounds: number
  /** Default: both. */
  readonly engine: 'sqlite' | 'postgres' | undefined
}

/** An inbox with a number of events. */
interface Filled {
  readonly address: string
  open(): Inbox
  bytes(): Promise<number>
  /** Makes a number of pending deliveries due now. */
  makeDue(count: number): Promise<void>
  /** If it matters how long ago the last checkpoint was. */
  beginCycle?(): Promise<CheckpointCycle>
}

const small = 1_000
const leastRatio = 0.8
const longestPauseMs = 50
const longestStartMs = 5_000

const tasks: readonly (readonly [string, (work: Work) => Promise<number>])[] = [
  ['record', (work) => work.record()],
  ['claim and settle', (work) => work.claim()],
  ['list the newest events', (work) => work.list({})],
  ['list a type', (work) => work.list({ type: 'order.accepted' })],
  ['list the dead letters of a handler', (work) => work.list({ handler: 'archive', state: 'dead' })],
  ['list by a search key of many events', (work) => work.list({ about: 'customer-0' })],
  ['list by a search key of one event', (work) => work.list({ about: onceKey })]
]

/**
 * Compares an inbox with very many events with one of 1,000, on SQLite and on PostgreSQL: recording, claiming and
 * settling, lists, the purge beside arrivals, and a start with many due deliveries.
 */
export async function scale(settings: ScaleSettings): Promise<void> {
  if (settings.engine !== 'postgres') await scaleSqlite(settings)
  if (settings.engine !== 'sqlite') await scalePostgres(settings)
  console.log(JSON.stringify({ machine: describeMachine(), load: readLoad() }))
}

async function scaleSqlite(settings: ScaleSettings): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-bench-'))
  try {
    await compare('SQLite', settings, async (events) => {
      const path = join(folder, `${events}.db`)
      await fillSqlite(path, scaleEvents(events))
      return {
        address: `sqlite:${path}`,
        open: () => sqliteInbox({ path }),
        bytes: () => Promise.resolve(statSync(path).size),
        makeDue(count) {
          const db = new DatabaseSync(path)
          db.exec(
            `UPDATE delivery SET due_at = 0 WHERE id IN (SELECT id FROM delivery WHERE state = 'pending' LIMIT ${count})`
          )
          db.close()
          return Promise.resolve()
        }
      }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function scalePostgres(settings: ScaleSettings): Promise<void> {
  // A quarter of the memory, as PostgreSQL's documentation advises for a server.
  const buffers = `shared_buffers=${Math.round(totalmem() / 4 / 2 ** 20)}MB`
  const server = await startOwnPostgres([buffers, ...checkpointSettings].flatMap((setting) => ['-c', setting]))
  try {
    await compare('PostgreSQL', settings, async (events) => {
      const connectionString = await server.createDatabase({ teardown: () => undefined })
      await fillPostgres(connectionString, scaleEvents(events))
      return {
        address: connectionString,
        open: () => postgresInbox({ connectionString }),
        async bytes() {
          const [row] = await run(connectionString, 'SELECT pg_database_size(current_database()) AS bytes')
          return Number(row?.['bytes'])
        },
        async makeDue(count) {
          await run(
            connectionString,
            `UPDATE riverhook.delivery SET due_at = '2026-01-01' WHERE id IN (SELECT id FROM riverhook.delivery WHERE state = 'pending' LIMIT ${count})`
          )
          await run(connectionString, 'VACUUM ANALYZE riverhook.delivery')
        },
        beginCycle: () => CheckpointCycle.begin(connectionString)
      }
    })
  } finally {
    await server.stop()
  }
}

async function compare(
  name: string,
  { events, rounds }: ScaleSettings,
  make: (events: number) => Promise<Filled>
): Promise<void> {
  process.stderr.write(`${name}: filling inboxes with ${count(small)} and ${count(events)} events ...\n`)
  const [few, many] = [await make(small), await make(events)]
  const bytes = (await many.bytes()) / events
  console.log(`${name}: ${count(bytes)} bytes an event, of which the body has 1,500`)
  const works = [await Work.open(few.open()), await Work.open(many.open())] as const
  try {
    const cycle = await many.beginCycle?.()
    if (cycle !== undefined) await recordCycle(name, works, cycle)
    const rates = await race(works, rounds)
    // A slice says little about a cycle.
    if (cycle !== undefined) rates.delete('record')
    print(name, events, rates)
    const { purged, longestMs } = await works[1].purgeBesideArrivals()
    report(`${name}: the longest recording while ${count(purged)} events were purged`, longestMs, longestPauseMs)
  } finally {
    for (const work of works) await work.close()
  }
  const due = Math.min(1_000_000, events / 4)
  await many.makeDue(due)
  report(
    `${name}: from a start with ${count(due)} due deliveries to the first result`,
    await startMs(many),
    longestStartMs
  )
}

/** Records with both inboxes in turn, from a checkpoint until the next one is due. */
async function recordCycle(name: string, [few, many]: readonly [Work, Work], cycle: CheckpointCycle): Promise<void> {
  process.stderr.write(`${name}: recording until the next checkpoint is due ...\n`)
  const [fewRates, manyRates]: [number[], number[]] = [[], []]
  while (!(await cycle.isOver())) {
    fewRates.push(await few.record())
    manyRates.push(await many.record())
  }
  const ratioOf = (slices: number): number => mean(manyRates.slice(0, slices)) / mean(fewRates.slice(0, slices))
  const ratio = ratioOf(manyRates.length)
  console.log(
    `${name}: recording from a checkpoint to the next: ${count(mean(manyRates))} events/s, beside ${count(mean(fewRates))} with ${count(small)}: ${ratio.toFixed(2)}, expected at least ${leastRatio}: ${ratio >= leastRatio ? 'PASS' : 'MISSED'}. In the first ${firstSlices} of ${manyRates.length} slices: ${ratioOf(firstSlices).toFixed(2)}`
  )
}

const firstSlices = 30

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

type Rates = Map<string, readonly [number[], number[]]>

/** Does each task with both inboxes in turn. */
async function race(works: readonly [Work, Work], rounds: number): Promise<Rates> {
  const rates = new Map(tasks.map(([what]): [string, [number[], number[]]] => [what, [[], []]]))
  for (let round = -1; round < rounds; round += 1) {
    process.stderr.write(round < 0 ? 'warming up\n' : `round ${round + 1} of ${rounds}\n`)
    for (const [what, run] of tasks)
      for (const at of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        const perSecond = await run(works[at])
        if (round >= 0) rates.get(what)?.[at].push(perSecond)
      }
  }
  return rates
}

/** From the start of a receiver to the first result of an attempt. */
async function startMs({ address }: Filled): Promise<number> {
  const settled = once(diagnostics.channel('riverhook:settled'))
  const log = pino({ level: 'silent' })
  const riverhook = createRiverhook({ log, secrets: 'whk_bench', inbox: address, retention: '36500d' })
  for (const name of ['erp', 'mail', 'archive']) riverhook.on('*', { name }, () => undefined)
  const startedAt = performance.now()
  await riverhook.start()
  await settled
  const ms = performance.now() - startedAt
  await riverhook.stop()
  return ms
}

function once(channel: diagnostics.Channel): Promise<void> {
  return new Promise((resolve) => {
    const listener = (): void => {
      channel.unsubscribe(listener)
      resolve()
    }
    channel.subscribe(listener)
  })
}

function print(name: string, events: number, rates: Rates): void {
  const table = new Table({
    head: [name, `${count(small)}, a second`, `${count(events)}, a second`, 'ratio', `expected: >= ${leastRatio}`],
    colAligns: ['left', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] }
  })
  for (const [what, [few, many]] of rates) {
    const ratio = estimate(ratios(many, few))
    const verdict = ratio.median >= leastRatio ? 'PASS' : 'MISSED'
    table.push([what, count(median(few)), count(median(many)), estimateText(ratio), verdict])
  }
  console.log(table.toString())
}

function report(what: string, ms: number, most: number): void {
  console.log(`${what}: ${count(ms)} ms, expected at most ${count(most)}: ${ms <= most ? 'PASS' : 'MISSED'}`)
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
