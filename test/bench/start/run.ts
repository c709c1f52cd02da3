import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { sqliteInbox } from '../../../src/index.ts'
import { arrivalFor } from '../arrival.ts'
import { eventBody } from '../body.ts'
import { readLoad } from '../machine.ts'
import { estimate, estimateText, median, ratios } from '../statistics.ts'

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const events = 1_000
/** The most that `riverhook stats` may take, beside reading the file: a multiple of the time of Node alone. */
const atMost = 1.5

/** A program that reads what `riverhook stats` reads, without Riverhook. */
const reading = `
  const { DatabaseSync } = require('node:sqlite')
  const db = new DatabaseSync('inbox.db', { readOnly: true })
  console.log(db.prepare('SELECT state, count(*), min(received_at), sum(duplicates) FROM event GROUP BY state').all())
  console.log(db.prepare('SELECT handler, state, count(*), min(due_at) FROM delivery GROUP BY handler, state').all())`

const programs = {
  'node -e 0': ['-e', '0'],
  'reading the file': ['-e', reading],
  'riverhook --version': [main, '--version'],
  'riverhook stats': [main, 'stats'],
  'riverhook events list': [main, 'events', 'list']
} as const

type Name = keyof typeof programs

/**
 * Starts each command of the built package in turn, with a small SQLite inbox, and prints how long it took beside
 * `node -e 0`.
 * @returns false if `riverhook stats` takes longer than expected
 */
export async function start(rounds: number): Promise<boolean> {
  if (!existsSync(main)) throw new Error(`${main} does not exist: run npm run build`)
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-bench-'))
  try {
    await fill(join(folder, 'inbox.db'))
    const names = Object.keys(programs) as Name[]
    const times = new Map<Name, number[]>(names.map((name) => [name, []]))
    // The first rounds compile, and fill the caches.
    for (let round = -2; round < rounds; round += 1)
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const ms = run(name, folder)
        if (round >= 0) times.get(name)?.push(ms)
      }
    const of = (name: Name): readonly number[] => times.get(name) ?? []
    const node = of('node -e 0')
    for (const name of names) {
      const ratio = estimate(ratios(of(name), node))
      console.log(`${name}: ${median(of(name)).toFixed(0)} ms, ${estimateText(ratio)} times node -e 0`)
    }
    const rest = of('riverhook stats').map((ms, round) => ms - (of('reading the file')[round] ?? NaN))
    const beside = estimate(ratios(rest, node).map((ratio) => ratio + 1))
    const isReached = beside.median <= atMost
    console.log(
      `riverhook stats beside reading the file: ${estimateText(beside)}; expected: at most ${atMost}: ${isReached ? 'PASS' : 'MISSED'}; load ${readLoad()}`
    )
    return isReached
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fill(path: string): Promise<void> {
  const inbox = sqliteInbox({ path })
  await inbox.open()
  const body = eventBody(850)
  await inbox.record(Array.from({ length: events }, (_, index) => arrivalFor('erp', { id: String(index), body })))
  await inbox.close()
}

/** @returns the time from the start of the process to its end, in milliseconds */
function run(name: Name, folder: string): number {
  const startedAt = performance.now()
  const env = { ...process.env, RIVERHOOK_INBOX: 'sqlite:inbox.db' }
  const { status, stderr } = spawnSync(process.execPath, programs[name], { cwd: folder, env, encoding: 'utf8' })
  const ms = performance.now() - startedAt
  if (status !== 0) throw new Error(`${name} failed: ${stderr}`)
  return ms
}
