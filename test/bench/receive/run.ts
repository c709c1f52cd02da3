import Table from 'cli-table3'

import { median } from '../statistics.ts'
import { contestants, pairs, type Contestant } from './contestants.ts'
import { measure, type Round } from './measure.ts'

export interface ReceiveSettings {
  readonly rounds: number
  readonly warmUpMs: number
  readonly measuredMs: number
  /** Only these contestants; (a) is always among them, because the others are compared with it. */
  readonly only: readonly string[]
}

const sizes = [
  { label: '850-byte events', bytes: 850 },
  { label: '8 KiB events', bytes: 8 * 1024 }
]

/**
 * Measures every contestant, and prints a table for each size of event.
 * Each round starts a fresh server for each contestant in turn, so that what disturbs the machine for a while hits
 * all of them, and the ratio is taken within a round.
 * @returns false when a request was answered by anything but a 2xx
 */
export async function receive(settings: ReceiveSettings): Promise<boolean> {
  const chosen = contestants.filter(
    ({ key }) => key === 'a' || settings.only.length === 0 || settings.only.includes(key)
  )
  let allAccepted = true
  for (const { label, bytes } of sizes) {
    const results = new Map<Contestant, Round[]>(chosen.map((contestant) => [contestant, []]))
    for (let round = 1; round <= settings.rounds; round += 1) {
      for (const contestant of chosen) {
        const result = await measure(contestant, { bodyBytes: bytes, connections: 64, ...settings })
        results.get(contestant)?.push(result)
        process.stderr.write(
          `${label}, round ${round}/${settings.rounds}, (${contestant.key}): ${perSecond(result.perSecond)}/s\n`
        )
        if (result.refused > 0) {
          allAccepted = false
          console.error(
            `(${contestant.key}) did not accept ${result.refused} requests. The first answer: ${result.firstRefusal}`
          )
        }
      }
    }
    print(label, results)
  }
  return allAccepted
}

function print(title: string, results: ReadonlyMap<Contestant, readonly Round[]>): void {
  const table = new Table({
    head: ['', title, 'requests/s', 'p50 ms', 'p99 ms', 'CPU us', 'ratio to (a)', 'spread', 'expected'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] }
  })
  const baseline = [...results.values()][0] ?? []
  for (const [contestant, rounds] of results) {
    const ratios = rounds.map((round, index) => round.perSecond / (baseline[index]?.perSecond ?? Number.NaN))
    const ratio = median(ratios)
    const { atLeast } = contestant
    table.push([
      `(${contestant.key})`,
      contestant.label,
      perSecond(median(rounds.map((round) => round.perSecond))),
      median(rounds.map((round) => round.p50Ms)).toFixed(1),
      median(rounds.map((round) => round.p99Ms)).toFixed(1),
      median(rounds.map((round) => round.cpuMicros)).toFixed(0),
      ratio.toFixed(2),
      `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`,
      atLeast === undefined ? '' : `>= ${atLeast}: ${ratio >= atLeast ? 'reached' : 'MISSED'}`
    ])
  }
  console.log(table.toString())
  printPairs(new Map([...results].map(([{ key }, rounds]) => [key, rounds])))
}

function printPairs(results: ReadonlyMap<string, readonly Round[]>): void {
  for (const { keys, of, atLeast } of pairs) {
    const [rounds, others] = keys.map((key) => results.get(key))
    if (rounds === undefined || others === undefined) continue
    const ratioOf = (figure: 'perSecond' | 'cpuMicros') =>
      median(rounds.map((round, index) => round[figure] / (others[index]?.[figure] ?? Number.NaN)))
    const ratio = ratioOf('perSecond')
    const expected =
      atLeast === undefined ? '' : `; expected of requests/s: >= ${atLeast}: ${ratio >= atLeast ? 'reached' : 'MISSED'}`
    console.log(
      `${of}: (${keys[0]}) has ${ratio.toFixed(2)} of the requests/s of (${keys[1]}) and ${ratioOf('cpuMicros').toFixed(2)} of its CPU${expected}`
    )
  }
}

function perSecond(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
