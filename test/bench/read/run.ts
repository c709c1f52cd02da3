import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import Table from 'cli-table3'

import { startOwnPostgres } from '../../inbox/postgres-server.ts'
import { fillPostgres } from '../../inbox/fill-postgres.ts'
import { manyEvents } from '../../inbox/filters.ts'
import { event, postOver } from '../../receive/receiver.ts'
import { startChild } from '../child.ts'
import { fillSqlite } from './fill-sqlite.ts'
import { type Answered, Measured } from './measured.ts'

export interface ReadSettings {
  readonly events: number
  readonly seconds: number
}

const perSecond = 100
const mostMs = 50

/**
 * Fills an inbox on SQLite, and one on PostgreSQL. Lists it by every filter, alone and by twos. Then sends 100 signed
 * events a second to a server on it, which settles them, while its inbox is read without a pause: the statistics, the
 * lists, and all events. Prints how long each took.
 */
export async function read(settings: ReadSettings): Promise<void> {
  await readSqlite(settings)
  await readPostgres(settings)
}

async function readSqlite({ events, seconds }: ReadSettings): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-bench-'))
  try {
    const path = join(folder, 'inbox.db')
    await measure('SQLite', `sqlite:${path}`, { events, seconds }, () => fillSqlite(path, manyEvents(events)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function readPostgres({ events, seconds }: ReadSettings): Promise<void> {
  const server = await startOwnPostgres(['-c', 'shared_buffers=256MB', '-c', 'max_wal_size=4GB'])
  try {
    const database = await server.createDatabase({ teardown: () => undefined })
    await measure('PostgreSQL', database, { events, seconds }, () => fillPostgres(database, manyEvents(events)))
  } finally {
    await server.stop()
  }
}

async function measure(
  name: string,
  address: string,
  { events, seconds }: ReadSettings,
  fill: () => Promise<void>
): Promise<void> {
  process.stderr.write(`${name}: filling an inbox with ${events.toLocaleString('en-US')} events ...\n`)
  await fill()
  const child = startChild('read/server.ts', [address])
  try {
    const { port } = (await child.message()) as { readonly port: number }
    const url = `http://127.0.0.1:${port}/webhooks/digital-river`
    const answer = async (): Promise<Measured> => new Measured((await child.message()) as Answered)
    const listed = answer()
    child.process.send({})
    print(`${name}: each list alone`, await listed, (name) => name !== sent, 0.95)
    const read = answer()
    child.process.send({ ms: seconds * 1_000 })
    const measured = await send(url, seconds * 1_000)
    measured.addAll(await read)
    print(`${name}: ${perSecond} requests a second beside`, measured, (name) => name === sent, 0.99)
  } finally {
    await child.stop()
  }
}

const sent = 'request, to its answer'

/** Sends requests at a fixed rate, whether or not they are answered. */
async function send(url: string, ms: number): Promise<Measured> {
  const agent = new Agent({ keepAlive: true })
  const measured = new Measured()
  const requests: Promise<void>[] = []
  const startedAt = performance.now()
  for (let count = 0; performance.now() - startedAt < ms; count += 1) {
    requests.push(
      measured.time(sent, async () => {
        const { status } = await postOver(agent, url, event())
        if (status !== 202) throw new Error(`status ${status}`)
      })
    )
    await setTimeout(Math.max(0, startedAt + ((count + 1) * 1_000) / perSecond - performance.now()))
  }
  await Promise.all(requests)
  agent.destroy()
  return measured
}

/** Prints the latencies. Some of them are expected to be short, in a share of the calls. */
function print(title: string, { times, errors }: Measured, isExpected: (name: string) => boolean, share: number): void {
  const table = new Table({
    head: ['', 'calls', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'expected'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] }
  })
  for (const [name, list] of times) {
    const sorted = list.sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
    const verdict = `p${share * 100} <= ${mostMs} ms: ${at(share) <= mostMs ? 'reached' : 'MISSED'}`
    const figures = [0.5, 0.95, 0.99, 1].map((part) => at(part).toFixed(1))
    table.push([name, sorted.length, ...figures, isExpected(name) ? verdict : ''])
  }
  console.log(`${title}, load of the machine ${loadavg()[0]?.toFixed(1) ?? ''}`)
  console.log(table.toString())
  console.log(errors.size === 0 ? 'No call was refused.' : [...errors].map((entry) => entry.join(': ')).join('\n'))
}
