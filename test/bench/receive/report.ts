import Table from 'cli-table3'

import { totalCpu } from '../cpu.ts'
import { estimate, estimateText, median, ratios, type Estimate } from '../statistics.ts'
import { comparisons, expectations, type Expectation } from './contestants.ts'
import type { Slice } from './measure.ts'
import type { Results } from './run.ts'

const figures = {
  CPU: ({ cpu }: Slice) => totalCpu(cpu),
  'requests/s': ({ perSecond }: Slice) => perSecond
} as const

/** The ratio of two contestants: the median of the rounds, and the ratio of the sums of all rounds. */
interface Ratio extends Estimate {
  /** Includes rare work that no typical slice has, such as copying the log into the file. */
  readonly ofSums: number
}

/** The results of one size, for the report and for JSON. */
export function summarize(bytes: number, results: Results) {
  const slicesOf = new Map([...results].map(([{ key }, slices]) => [key, slices]))
  return {
    contestants: [...results].map(([{ key, label }, slices]) => ({
      key,
      label,
      perSecond: median(slices.map(figures['requests/s'])),
      p50Ms: median(slices.map(({ p50Ms }) => p50Ms)),
      p99Ms: median(slices.map(({ p99Ms }) => p99Ms)),
      cpuMicros: median(slices.map(figures.CPU)),
      mainMicros: median(slices.map(({ cpu }) => cpu.main)),
      sqliteMicros: median(slices.map(({ cpu }) => cpu.sqlite)),
      cpuRatio: ratioOf(slicesOf, [key, 'a'], 'CPU'),
      rateRatio: ratioOf(slicesOf, [key, 'a'], 'requests/s'),
      rounds: slices
    })),
    comparisons: comparisons.flatMap(({ keys, of }) => {
      const cpu = ratioOf(slicesOf, keys, 'CPU')
      const rate = ratioOf(slicesOf, keys, 'requests/s')
      if (cpu === undefined || rate === undefined) return []
      const main = ratioOf(slicesOf, keys, ({ cpu }) => cpu.main)
      const sqlite = ratioOf(slicesOf, keys, ({ cpu }) => cpu.sqlite)
      return [{ keys, of, cpu, rate, main, sqlite }]
    }),
    expectations: expectations.flatMap((expectation) => {
      if (expectation.bytes?.includes(bytes) === false) return []
      const ratio = ratioOf(slicesOf, expectation.keys, expectation.figure)
      return ratio === undefined ? [] : [{ ...expectation, ratio, verdict: verdictOf(expectation, ratio.median) }]
    })
  }
}

export function printSize(title: string, bytes: number, results: Results): void {
  const { contestants, comparisons, expectations } = summarize(bytes, results)
  const table = new Table({
    head: ['', title, 'requests/s', 'p50 ms', 'p99 ms', 'CPU us', 'main', 'SQLite', 'CPU to (a)', 'requests/s to (a)'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] }
  })
  for (const each of contestants)
    table.push([
      `(${each.key})`,
      each.label,
      Math.round(each.perSecond).toLocaleString('en-US'),
      each.p50Ms.toFixed(1),
      each.p99Ms.toFixed(1),
      each.cpuMicros.toFixed(0),
      each.mainMicros.toFixed(0),
      each.sqliteMicros.toFixed(0),
      withInterval(each.cpuRatio),
      withInterval(each.rateRatio)
    ])
  console.log(table.toString())
  for (const { keys, of, cpu, rate, main, sqlite } of comparisons)
    console.log(
      `(${keys[0]}) to (${keys[1]}), ${of}: CPU ${withInterval(cpu)}, of sums ${cpu.ofSums.toFixed(2)} (main ${withInterval(main)}, SQLite ${withInterval(sqlite)}); requests/s ${withInterval(rate)}`
    )
  for (const { keys, of, figure, atMost, atLeast, ratio, verdict } of expectations)
    console.log(
      `${verdict} (${keys[0]}) to (${keys[1]}), ${of}: ${figure} ${withInterval(ratio)}, of sums ${ratio.ofSums.toFixed(2)}; expected: ${atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`}`
    )
}

function ratioOf(
  slicesOf: ReadonlyMap<string, readonly Slice[]>,
  [key, other]: readonly [string, string],
  figure: keyof typeof figures | ((slice: Slice) => number)
): Ratio | undefined {
  const slices = slicesOf.get(key)
  const others = slicesOf.get(other)
  if (slices === undefined || others === undefined) return undefined
  const read = typeof figure === 'function' ? figure : figures[figure]
  const perRound = ratios(slices.map(read), others.map(read))
  return { ...estimate(perRound), ofSums: overall(slices, figure) / overall(others, figure) }
}

/** The figure of all slices together. */
function overall(slices: readonly Slice[], figure: keyof typeof figures | ((slice: Slice) => number)): number {
  const requests = slices.reduce((sum, slice) => sum + slice.requests, 0)
  if (figure === 'requests/s') return requests / slices.reduce((sum, { ms }) => sum + ms / 1000, 0)
  const read = typeof figure === 'function' ? figure : figures[figure]
  return slices.reduce((sum, slice) => sum + read(slice) * slice.requests, 0) / requests
}

function verdictOf({ atMost = Infinity, atLeast = -Infinity }: Expectation, value: number): 'PASS' | 'MISSED' {
  return value <= atMost && value >= atLeast ? 'PASS' : 'MISSED'
}

function withInterval(ratio: Estimate | undefined): string {
  return ratio === undefined ? '' : estimateText(ratio)
}
