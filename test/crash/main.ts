import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { startPostgres } from '../inbox/postgres-server.ts'
import { crash } from './crash.ts'
import { crashReplicas } from './replicas.ts'
import { seeded } from './seeded.ts'

// npm run test:crash -- [--replicas] [--kills 200] [--seed N]: one server on SQLite, or two replicas on PostgreSQL

const { values } = parseArgs({
  options: {
    replicas: { type: 'boolean', default: false },
    kills: { type: 'string', default: '200' },
    seed: { type: 'string' }
  }
})
const kills = Number(values.kills)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error('usage: npm run test:crash -- [--replicas] --kills N [--seed N]')
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), 'riverhook-crash-'))
console.log(`seed ${seed}, ${kills} kills, in ${folder}`)
const options = { folder, kills, random: seeded(seed), onKill: tell }
const good = values.replicas ? await onReplicas() : await onOneServer()
if (good) rmSync(folder, { recursive: true })
else console.log(`FAILED; what is left of it is in ${folder}`)
process.exit(good ? 0 : 1)

async function onOneServer(): Promise<boolean> {
  const report = await crash(options)
  console.log(`\n${JSON.stringify(report, undefined, 2)}`)
  return (
    report.lost.length + report.ranAgain.length + report.outOfOrder.length + report.miscounts.length === 0 &&
    report.integrity === 'ok' &&
    report.exitCode === 0
  )
}

async function onReplicas(): Promise<boolean> {
  const postgres = await startPostgres()
  try {
    const report = await crashReplicas({
      ...options,
      database: await postgres.createDatabase({ teardown: () => undefined })
    })
    console.log(`\n${JSON.stringify(report, undefined, 2)}`)
    return (
      report.lost.length +
        report.twice.length +
        report.wrongSums.length +
        report.doneWithout +
        report.outOfOrder.length +
        report.miscounts.length ===
        0 && report.exitCodes.every((code) => code === 0)
    )
  } finally {
    await postgres.stop()
  }
}

function tell(count: number, acknowledged: number): void {
  if (process.stdout.isTTY) process.stdout.write(`\rkill ${count}/${kills}, ${acknowledged} events acknowledged `)
  else if (count % 20 === 0) console.log(`kill ${count}/${kills}, ${acknowledged} events acknowledged`)
}
