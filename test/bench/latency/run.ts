import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import Table from 'cli-table3'

import { startChild, type Child } from '../child.ts'
import { describeMachine, readLoad } from '../machine.ts'
import { measure } from '../receive/measure.ts'
import { contestants } from '../receive/contestants.ts'
import { schemes } from '../receive/scheme.ts'
import { quantile } from '../statistics.ts'
import type { Loaded, Order } from './load.ts'
import type { Reported } from './server.ts'

export interface LatencySettings {
  readonly seconds: number
}

const path = '/webhooks'
const bodyBytes = 850
/** Connections of a provider that sends ten times as much as is answered. */
const mostConnections = 4_000

interface Result {
  readonly name: string
  readonly perSecond: number
  readonly loaded: Loaded
  /** Undefined for the route, which has no handler. */
  readonly reported: Reported | undefined
}

/**
 * Measures how many events a second are received and handled without a pause. Then sends half of that, and ten times
 * that, at a fixed rate to a new server, and prints how long the answers and the handlers took. A route that stores
 * nothing gets the same requests: its times are those of the machine.
 */
export async function latency({ seconds }: LatencySettings): Promise<void> {
  const contestant = contestants.find(({ key }) => key === 'c*')
  if (contestant === undefined) throw new Error('There is no contestant c*')
  const load = { bodyBytes, connections: 64, warmUpRequests: 30_000, measuredMs: 5_000 }
  const { perSecond } = await measure(contestant, load)
  console.log(`Received and handled without a pause: ${Math.round(perSecond)} events a second, 64 connections`)
  const order = { perSecond: perSecond / 2, seconds }
  const most = { perSecond: perSecond * 10, seconds: Math.min(seconds, 10) }
  const half = await at('half of it', 'latency/server.ts', order)
  const halfOfRoute = await at('the route, half', 'receive/baseline.ts', order)
  const tenfold = await at('ten times of it', 'latency/server.ts', most)
  const tenfoldOfRoute = await at('the route, ten times', 'receive/baseline.ts', most)
  print([half, halfOfRoute, tenfold, tenfoldOfRoute])
  judge(half, tenfold)
  console.log(JSON.stringify({ machine: describeMachine(), load: readLoad() }))
}

async function at(
  name: string,
  file: 'latency/server.ts' | 'receive/baseline.ts',
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number }
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-bench-'))
  const server = startChild(file, [path, schemes['digital-river'].secret, `sqlite:${folder}/inbox.db`])
  const settle = file === 'latency/server.ts' ? handled : () => Promise.resolve(undefined)
  const generator = startChild('latency/load.ts')
  try {
    const { port } = (await server.message()) as { readonly port: number }
    const order = { port, path, bodyBytes, mostConnections }
    process.stderr.write(`${name}: warming up\n`)
    await settle(server, await drive(generator, { ...order, perSecond: 1_000, ms: 20_000 }))
    process.stderr.write(`${name}: ${Math.round(perSecond)} requests a second for ${seconds} s\n`)
    const loaded = await drive(generator, { ...order, perSecond, ms: seconds * 1_000 })
    return { name, perSecond, loaded, reported: await settle(server, loaded) }
  } finally {
    await generator.stop()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Waits until the handler has begun for each accepted request. */
async function handled(server: Child, { answers }: Loaded): Promise<Reported> {
  const accepted = answers.filter(([, status]) => status === 202).length
  const begun: (readonly [string, number])[] = []
  let mostRss = 0
  for (;;) {
    const reported = await report(server)
    for (const one of reported.begun) begun.push(one)
    mostRss = Math.max(mostRss, reported.mostRss)
    if (begun.length >= accepted) return { begun, mostRss }
    await setTimeout(200)
  }
}

async function drive(generator: Child, order: Order): Promise<Loaded> {
  generator.process.send(order)
  return (await generator.message()) as Loaded
}

async function report(server: Child): Promise<Reported> {
  server.process.send('report')
  return (await server.message()) as Reported
}

function print(results: readonly Result[]): void {
  const table = new Table({
    head: ['', 'requests/s', 'answers', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms', 'handler p50 ms', 'memory MiB'],
    colAligns: ['left', ...Array.from({ length: 8 }, () => 'right' as const)],
    style: { head: [], border: [] }
  })
  for (const result of results) {
    const times = answerTimes(result)
    const figures = [0.5, 0.99, 0.999, 1].map((share) => quantile(times, share).toFixed(1))
    const { reported } = result
    const ofHandlers =
      reported === undefined
        ? ['', '']
        : [quantile(handlerTimes(result), 0.5).toFixed(1), Math.round(reported.mostRss / 2 ** 20)]
    table.push([result.name, Math.round(result.perSecond), answersOf(result), ...figures, ...ofHandlers])
  }
  console.log(table.toString())
}

function judge(half: Result, tenfold: Result): void {
  const verdicts: readonly (readonly [string, string, boolean])[] = [
    atMost('half: p99.9 of the answers', quantile(answerTimes(half), 0.999), 50),
    atMost('half: median from the request to the handler', quantile(handlerTimes(half), 0.5), 5),
    // Most of them are on connections that Node.js has not accepted yet: it accepts one in a turn of the event loop.
    [
      'ten times: requests without an answer within 3,000 ms',
      `${tenfold.loaded.givenUp}, expected none`,
      tenfold.loaded.givenUp === 0
    ]
  ]
  for (const [what, result, isReached] of verdicts) console.log(`${isReached ? 'PASS' : 'MISSED'} ${what}: ${result}`)
}

function atMost(what: string, ms: number, most: number): readonly [string, string, boolean] {
  return [what, `${ms.toFixed(1)} ms, expected at most ${most} ms`, ms <= most]
}

function answersOf({ loaded: { answers, unsent, givenUp, notConnected } }: Result): string {
  const byStatus = Map.groupBy(answers, ([, status]) => status)
  return [
    ...[...byStatus].map(([status, list]) => `${status}: ${list.length}`),
    ...(unsent === 0 ? [] : [`not sent: ${unsent}`]),
    ...(givenUp === 0 ? [] : [`given up: ${givenUp}`]),
    ...(notConnected === 0 ? [] : [`not connected: ${notConnected}`])
  ].join('\n')
}

function answerTimes({ loaded: { answers } }: Result): Float64Array {
  return Float64Array.from(answers, ([, , sentAt, answeredAt]) => answeredAt - sentAt)
}

/** From the request to the beginning of its handler, for the requests that were answered. */
function handlerTimes({ loaded: { answers }, reported }: Result): Float64Array {
  const sent = new Map(answers.map(([id, , sentAt]) => [id, sentAt]))
  return Float64Array.from(
    (reported?.begun ?? []).flatMap(([id, at]) => (sent.has(id) ? at - (sent.get(id) ?? at) : []))
  )
}
