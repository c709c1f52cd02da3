import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { crash } from './crash.ts'
import { seeded } from './seeded.ts'

// npm run test:crash -- --kills 200 [--seed N]

const { values } = parseArgs({ options: { kills: { type: 'string', default: '200' }, seed: { type: 'string' } } })
const kills = Number(values.kills)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error('usage: npm run test:crash -- --kills N [--seed N]')
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), 'riverhook-crash-'))
console.log(`seed ${seed}, ${kills} kills, in ${folder}`)
const report = await crash({
  folder,
  kills,
  random: seeded(seed),
  onKill: (count, acknowledged) => {
    if (process.stdout.isTTY) process.stdout.write(`\rkill ${count}/${kills}, ${acknowledged} events acknowledged `)
    else if (count % 20 === 0) console.log(`kill ${count}/${kills}, ${acknowledged} events acknowledged`)
  }
})
console.log(`\n${JSON.stringify(report, undefined, 2)}`)
const good = report.lost.length + report.ranAgain.length + report.outOfOrder.length === 0 && report.integrity === 'ok' && report.exitCode === 0
if (good) rmSync(folder, { recursive: true })
else console.log(`FAILED; what is left of it is in ${folder}`)
process.exit(good ? 0 : 1)
