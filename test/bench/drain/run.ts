import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import Table from 'cli-table3'

import { checkFolder, commitOf, ownFolder } from '../checkout.ts'
import { startChild, type Child } from '../child.ts'
import { totalCpu } from '../cpu.ts'
import { readLoad } from '../machine.ts'
import { estimate, estimateText, median, ratios } from '../statistics.ts'
import type { Drained, DrainOrder } from './drainer.ts'

export interface DrainSettings {
  readonly small: number
  readonly large: number
  /** The number of small backlogs: each takes a tenth of a second, so the median is reported. */
  readonly repeats: number
}

const atLeast = 8_000

/**
 * A separate process fills SQLite files with events that one handler has not been given yet, and delivers them with the
 * plugin's default settings. Prints how many deliveries per second were done and stored.
 */
export async function drain(settings: DrainSettings): Promise<void> {
  await inFolder(async (folder) => {
    // The first one warms the process up and is not reported.
    const backlogs = [20_000, ...Array.from({ length: settings.repeats }, () => settings.small), settings.large]
    const drainer = startChild('drain/drainer.ts', [ownFolder])
    const results: Drained[] = []
    for (const [index, events] of backlogs.entries())
      results.push(await drainOne(drainer, { path: join(folder, `${index}.db`), events }))
    await drainer.stop()
    print(settings, results.slice(1, -1), results.at(-1))
  })
}

export interface AgainstSettings {
  /** The folder of the other checkout. */
  readonly checkout: string
  readonly rounds: number
  readonly events: number
}

/** Drains backlogs in turn with this clone, with another checkout, and with that one again, as the control. */
export async function drainAgainst({ checkout, rounds, events }: AgainstSettings): Promise<void> {
  checkFolder(checkout)
  await inFolder(async (folder) => {
    const drainers = [ownFolder, checkout, checkout].map((each) => ({
      child: startChild('drain/drainer.ts', [each]),
      results: [] as Drained[]
    }))
    let files = 0
    for (let round = -1; round < rounds; round += 1) {
      process.stderr.write(round < 0 ? 'warming up\n' : `round ${round + 1} of ${rounds}\n`)
      const inTurn = round % 2 === 0 ? drainers : drainers.toReversed()
      for (const { child, results } of inTurn) {
        const drained = await drainOne(child, { path: join(folder, `${(files += 1)}.db`), events })
        if (round >= 0) results.push(drained)
      }
    }
    for (const { child } of drainers) await child.stop()
    const [own = [], other = [], again = []] = drainers.map(({ results }) => results)
    console.log(`this clone: ${commitOf(ownFolder)}; the other checkout: ${commitOf(checkout)}; load ${readLoad()}`)
    compare('this clone to the other checkout', own, other)
    compare('control: the other checkout twice', again, other)
  })
}

function compare(title: string, results: readonly Drained[], others: readonly Drained[]): void {
  const ratio = (read: (drained: Drained) => number): string => {
    return estimateText(estimate(ratios(results.map(read), others.map(read))))
  }
  const cpu = ({ cpu }: Drained): number => (cpu === undefined ? Number.NaN : totalCpu(cpu))
  console.log(
    `${title}: CPU ${ratio(cpu)} (main ${ratio((each) => each.cpu?.main ?? Number.NaN)}, SQLite ${ratio((each) => each.cpu?.sqlite ?? Number.NaN)}), ` +
      `${median(results.map(cpu)).toFixed(0)} us a delivery; deliveries/s ${ratio(({ perSecond }) => perSecond)}`
  )
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-bench-'))
  try {
    await run(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function drainOne(drainer: Child, order: DrainOrder): Promise<Drained> {
  drainer.process.send(order)
  const drained = (await drainer.message()) as Drained
  for (const end of ['', '-wal', '-shm', '.lock']) rmSync(`${order.path}${end}`, { force: true })
  return drained
}

function print(settings: DrainSettings, small: readonly Drained[], large: Drained | undefined): void {
  const table = new Table({
    head: ['backlog', 'deliveries/s', 'until the first attempt, ms', `expected: >= ${count(atLeast)}/s`],
    colAligns: ['left', 'right', 'right', 'left'],
    style: { head: [], border: [] }
  })
  const row = (label: string, perSecond: number, firstMs: number) => {
    table.push([label, count(perSecond), count(firstMs), perSecond >= atLeast ? 'PASS' : 'MISSED'])
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
    `The two are ${(apart * 100).toFixed(0)} % apart; expected: at most 20 %: ${apart <= 0.2 ? 'PASS' : 'MISSED'}`
  )
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
