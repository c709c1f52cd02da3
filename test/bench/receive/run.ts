import { writeFileSync } from 'node:fs'

import { checkFolder, commitOf, ownFolder } from '../checkout.ts'
import { describeMachine, readLoad } from '../machine.ts'
import { contestants, contestantsAgainst, type Contestant } from './contestants.ts'
import { Generator, Server, type Slice } from './measure.ts'
import { printSize, summarize } from './report.ts'

export interface ReceiveSettings {
  readonly rounds: number
  readonly warmUpRequests: number
  readonly sliceMs: number
  /** Only these contestants; (a) and its control are always among them, because the others are compared with (a). */
  readonly only: readonly string[]
  /** Only events of this size; undefined: all sizes. */
  readonly bytes: number | undefined
  /** The folder of another checkout to compare with. */
  readonly against: string | undefined
  /** The file to write the result to. */
  readonly json: string | undefined
}

export const sizes = [
  { label: '850-byte events', bytes: 850 },
  { label: '8 KiB events', bytes: 8 * 1024 }
]
const connections = 64
/** On a slow machine, a slice takes longer than planned: its beginning and its end must not be most of it. */
const leastRequests = 8 * connections

/** The slices of a contestant, one for each round. */
export type Results = ReadonlyMap<Contestant, readonly Slice[]>

/**
 * Loads the contestants in turn, in short slices, and prints a table for each size of event.
 *
 * The speed of a shared machine changes from second to second. So a slice takes about 150 ms, servers and connections
 * are kept, and the ratios are taken within a round. The order is rotated and reversed, so that no contestant always
 * follows the same one.
 * @returns false when a request was answered by anything but a 2xx
 */
export async function receive(settings: ReceiveSettings): Promise<boolean> {
  const { only, against, json, bytes: onlyBytes } = settings
  if (against !== undefined) checkFolder(against)
  const all = against === undefined ? contestants : contestantsAgainst(against)
  const chosen = all.filter(({ key }) => key.startsWith('a') || only.length === 0 || only.includes(key))
  const startedAt = new Date()
  const loads = [readLoad()]
  const reports = []
  let refused = 0
  for (const { label, bytes } of sizes.filter((size) => size.bytes === (onlyBytes ?? size.bytes))) {
    const results = await measureAll(chosen, label, bytes, settings)
    loads.push(readLoad())
    printSize(label, bytes, results)
    for (const [{ key }, slices] of results) {
      const bad = slices.filter((slice) => slice.refused > 0)
      refused += bad.length
      if (bad[0] !== undefined)
        console.error(`(${key}) did not accept all requests. The first other answer: ${bad[0].firstRefusal}`)
    }
    reports.push({ bytes, ...summarize(bytes, results) })
  }
  const about = {
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    commit: commitOf(ownFolder),
    against: against === undefined ? undefined : commitOf(against),
    machine: describeMachine(),
    load: loads,
    rounds: settings.rounds,
    sliceMs: settings.sliceMs,
    connections
  }
  console.log(JSON.stringify(about))
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ ...about, sizes: reports }, undefined, 2)}\n`)
  return refused === 0
}

async function measureAll(
  chosen: readonly Contestant[],
  label: string,
  bodyBytes: number,
  { rounds, warmUpRequests, sliceMs }: ReceiveSettings
): Promise<Results> {
  const generator = new Generator()
  const servers: { server: Server; perSecond: number; slices: Slice[] }[] = []
  try {
    for (const contestant of chosen) {
      process.stderr.write(`${label}: warming up (${contestant.key})\n`)
      const load = { generator, key: contestant.key, bodyBytes, connections }
      const server = await Server.start(contestant, load)
      const each = { server, perSecond: 0, slices: [] }
      servers.push(each)
      each.perSecond = await server.warmUp(warmUpRequests)
    }
    for (let round = 0; round < rounds; round += 1) {
      process.stderr.write(`${label}: round ${round + 1} of ${rounds}\n`)
      for (const each of inTurn(servers, round)) {
        const slice = await each.server.drive(Math.max(leastRequests, Math.round((each.perSecond * sliceMs) / 1000)))
        each.perSecond = slice.perSecond
        each.slices.push(slice)
      }
    }
    return new Map(chosen.map((contestant, index) => [contestant, servers[index]?.slices ?? []]))
  } finally {
    for (const { server } of servers) await server.stop()
    await generator.stop()
  }
}

/** Rotates the order from round to round, and reverses every second one. */
function inTurn<Each>(all: readonly Each[], round: number): readonly Each[] {
  const start = (round >> 1) % all.length
  const turned = [...all.slice(start), ...all.slice(0, start)]
  return round % 2 === 0 ? turned : turned.reverse()
}
