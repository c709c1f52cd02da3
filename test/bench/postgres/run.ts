import Table from 'cli-table3'

import { startOwnPostgres, startPostgres } from '../../inbox/postgres-server.ts'
import { ownFolder } from '../checkout.ts'
import { startChild } from '../child.ts'
import { measure, type Measured } from '../receive/measure.ts'
import type { ServerOptions } from '../receive/riverhook.ts'
import { describeMachine, readLoad } from '../machine.ts'
import { median, ratios } from '../statistics.ts'
import { totalCpu } from '../cpu.ts'
import { postgresCpu } from './cpu.ts'
import { fill, makeDue } from './fill.ts'

export interface PostgresSettings {
  readonly rounds: number
  readonly warmUpRequests: number
  readonly measuredMs: number
  readonly jobs: number
  readonly largeBacklog: number
}

type CreateDatabase = () => Promise<string>

/** All on one server, of which every commit is on disk before it is answered. */
export async function postgres(settings: PostgresSettings): Promise<void> {
  const flags = ['-c', 'shared_buffers=256MB', '-c', 'max_wal_size=4GB', '-c', 'fsync=on', '-c', 'full_page_writes=on']
  const server = process.env['DATABASE_URL'] === undefined ? await startOwnPostgres(flags) : await startPostgres()
  const dropped: (() => Promise<unknown>)[] = []
  const create: CreateDatabase = () => server.createDatabase({ teardown: (drop) => dropped.push(drop) })
  try {
    await recordRates(create, settings)
    await drainRates(create, settings)
    await backlogRates(create, settings)
    await takeover(create)
    console.log(JSON.stringify({ machine: describeMachine(), load: readLoad() }))
  } finally {
    for (const drop of dropped) await drop()
    await server.stop()
  }
}

const accepted = '"status":"accepted"'

function servers(database: string): Readonly<Record<'a' | 'i' | 'p' | 'r', Measured & { readonly label: string }>> {
  const common = { scheme: 'digital-river', expected: accepted } as const
  return {
    a: { ...common, label: 'hand-written route, nothing stored', file: 'receive/baseline.ts', args: () => [] },
    i: {
      ...common,
      label: 'hand-written route, one INSERT a request',
      file: 'peers/pg-insert.js',
      args: () => [database]
    },
    p: { ...common, label: 'route that calls pg-boss send', file: 'peers/pg-boss-send.js', args: () => [database] },
    r: {
      ...common,
      label: 'riverhook',
      file: 'receive/riverhook.ts',
      args: () => [JSON.stringify({ checkout: ownFolder, inbox: database, handler: 'backlog' } satisfies ServerOptions)]
    }
  }
}

async function recordRates(
  create: CreateDatabase,
  { rounds, warmUpRequests, measuredMs }: PostgresSettings
): Promise<void> {
  const table = new Table({
    head: ['recorded, 850-byte events', '1 request at a time', '16', '64', 'CPU us at 64', 'of PostgreSQL'],
    style: { head: [], border: [] }
  })
  const rates = new Map<string, number[]>()
  const cpu = new Map<string, number[]>()
  const readDatabaseCpu = await postgresCpu(await create())
  for (const connections of [1, 16, 64]) {
    for (let round = 1; round <= rounds; round += 1) {
      for (const [key, contestant] of Object.entries(servers(await create()))) {
        const slice = await measure(
          { ...contestant, readDatabaseCpu },
          { bodyBytes: 850, connections, warmUpRequests, measuredMs }
        )
        const { perSecond, refused, firstRefusal } = slice
        add(cpu, `${key} ${connections}`, totalCpu(slice.cpu))
        add(cpu, `${key} ${connections} database`, slice.databaseCpu)
        if (refused > 0) console.error(`${contestant.label} did not accept ${refused} requests: ${firstRefusal}`)
        add(rates, `${key} ${connections}`, perSecond)
        process.stderr.write(
          `${connections} at a time, round ${round}/${rounds}, ${contestant.label}: ${count(perSecond)}/s\n`
        )
      }
    }
  }
  const of = (key: string, connections: number): number[] => rates.get(`${key} ${connections}`) ?? []
  for (const [key, { label }] of Object.entries(servers('')))
    table.push([
      label,
      ...[1, 16, 64].map((connections) => `${count(median(of(key, connections)))}/s`),
      ...[`${key} 64`, `${key} 64 database`].map((name) => count(median(cpu.get(name) ?? [])))
    ])
  console.log(table.toString())
  judge('one request at a time, beside a hand-written INSERT', of('r', 1), of('i', 1), 0.6)
  judge('one request at a time, beside pg-boss send', of('r', 1), of('p', 1), 1)
  judge('64 at a time, beside pg-boss send', of('r', 64), of('p', 64), 8)
}

async function drainRates(create: CreateDatabase, { rounds, jobs }: PostgresSettings): Promise<void> {
  const contestants = [
    { label: 'graphile-worker, 64 at a time', file: 'peers/graphile-drain.js', mode: '', isFilled: false },
    {
      label: 'graphile-worker, 64 at a time, local queue',
      file: 'peers/graphile-drain.js',
      mode: 'local',
      isFilled: false
    },
    { label: 'pg-boss, 4 workers, batches of 64', file: 'peers/pg-boss-drain.js', mode: '', isFilled: false },
    { label: 'riverhook, 64 at a time', file: 'postgres/drainer.ts', mode: '', isFilled: true }
  ]
  const table = new Table({
    head: [`drained, ${count(jobs)} deliveries`, 'no-op', '1 ms'],
    style: { head: [], border: [] }
  })
  const rates = new Map<string, number[]>()
  for (const workMs of [0, 1]) {
    for (let round = 1; round <= rounds; round += 1) {
      for (const { label, file, mode, isFilled } of contestants) {
        const database = await create()
        if (isFilled) {
          await fill(database, jobs, 'pending')
          await makeDue(database, jobs)
        }
        const child = startChild(file, [database, String(jobs), String(workMs), mode])
        const { perSecond } = (await child.message()) as { perSecond: number }
        await child.stop()
        add(rates, `${label} ${workMs}`, perSecond)
        process.stderr.write(`${workMs} ms of work, round ${round}/${rounds}, ${label}: ${count(perSecond)}/s\n`)
      }
    }
  }
  const of = (index: number, workMs: number): number[] =>
    rates.get(`${contestants[index]?.label ?? ''} ${workMs}`) ?? []
  for (const [index, { label }] of contestants.entries())
    table.push([label, ...[0, 1].map((workMs) => `${count(median(of(index, workMs)))}/s`)])
  console.log(table.toString())
  judge('drained, no-op, beside pg-boss', of(3, 0), of(2, 0), 1.5)
  judge('drained, no-op, beside graphile-worker', of(3, 0), of(0, 0), 1)
}

/** Settled deliveries stay in the table until they are purged: what do a million of them cost? */
async function backlogRates(
  create: CreateDatabase,
  { rounds, warmUpRequests, measuredMs, jobs, largeBacklog }: PostgresSettings
): Promise<void> {
  const table = new Table({
    head: ['with a backlog of', 'recorded, 64 at a time', 'drained, no-op'],
    style: { head: [], border: [] }
  })
  const results: number[][] = []
  for (const backlog of [1_000, largeBacklog]) {
    const database = await create()
    process.stderr.write(`Filling an inbox with ${count(backlog)} events ...\n`)
    // Half are done, and half wait for their time: the index of what is to be done is as large as it gets.
    await fill(database, backlog / 2, 'done')
    await fill(database, backlog / 2, 'pending')
    const recorded: number[] = []
    for (let round = 1; round <= rounds; round += 1)
      recorded.push(
        (await measure(servers(database).r, { bodyBytes: 850, connections: 64, warmUpRequests, measuredMs })).perSecond
      )
    const deliveries = Math.min(jobs, backlog / 2)
    await makeDue(database, deliveries)
    const child = startChild('postgres/drainer.ts', [database, String(deliveries), '0'])
    const { perSecond } = (await child.message()) as { perSecond: number }
    await child.stop()
    results.push([median(recorded), perSecond])
    table.push([
      `${count(backlog)} events`,
      `${count(median(recorded))}/s`,
      `${count(perSecond)}/s (the first ${count(deliveries)})`
    ])
  }
  console.log(table.toString())
  const [[small = Number.NaN] = [], [large = Number.NaN] = []] = results
  judge(`recorded beside ${count(largeBacklog)} events, to 1,000`, [large], [small], 0.8)
}

async function takeover(create: CreateDatabase): Promise<void> {
  const database = await create()
  await fill(database, 1, 'pending')
  await makeDue(database, 1)
  const one = startChild('postgres/takeover.ts', [database, 'hang'])
  await one.message()
  // Ready, and busy with the delivery, in either order.
  await one.message()
  const other = startChild('postgres/takeover.ts', [database, 'take'])
  await other.message()
  const killedAt = performance.now()
  one.process.kill('SIGKILL')
  await other.message()
  const seconds = (performance.now() - killedAt) / 1000
  await other.stop()
  const verdict = seconds <= 15 ? 'PASS' : 'MISSED'
  console.log(`${verdict} from SIGKILL to the takeover: ${seconds.toFixed(1)} s, expected: at most 15`)
}

function add(lists: Map<string, number[]>, key: string, value: number): void {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  list.push(value)
}

/** Prints the median ratio of two contestants, round by round, and whether it is as expected. */
function judge(what: string, rates: readonly number[], others: readonly number[], atLeast: number): void {
  const ratio = median(ratios(rates, others))
  console.log(`${ratio >= atLeast ? 'PASS' : 'MISSED'} ${what}: ${ratio.toFixed(2)}, expected: at least ${atLeast}`)
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
