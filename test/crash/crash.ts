import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'

import { digitalRiver } from '../../src/index.ts'
import { startServer, type Server } from '../processes.ts'
import { findMiscounts } from './miscounts.ts'
import { placeHandlers } from './place-handlers.ts'
import { Answers } from './answers.ts'

export interface CrashReport {
  readonly kills: number
  /** Events that were answered 202. */
  readonly acknowledged: number
  /** Acknowledged events that were not handled by every handler. Must be empty. */
  readonly lost: readonly string[]
  /** Deliveries that were recorded as done and ran again. Must be empty. */
  readonly ranAgain: readonly string[]
  /** Order keys whose deliveries ran at the same time or out of order. Must be empty. */
  readonly outOfOrder: readonly string[]
  /** Counts of the tally that differ from the stored events and attempts, at any kill. Must be empty. */
  readonly miscounts: readonly string[]
  /** The result of `PRAGMA integrity_check` at the end. Must be `ok`. */
  readonly integrity: string
  /** The exit code after the final SIGTERM. Must be 0. */
  readonly exitCode: number | null
  /**
   * Runs that were repeated because their process died before it stored the outcome. Allowed: delivery is at least
   * once.
   */
  readonly repeated: number
}

export interface CrashOptions {
  readonly folder: string
  readonly kills: number
  /** The random numbers, from 0 to 1. A parameter, so that a run can be repeated. */
  readonly random: () => number
  readonly onKill?: (count: number, acknowledged: number) => void
}

const secret = 'whk_crash-test'
const senders = 6
const keys = 5

/** Runs the real server, kills it at random moments, restarts it, and checks that nothing was lost. */
export async function crash({ folder, kills, random, onKill }: CrashOptions): Promise<CrashReport> {
  const handlers = join(folder, 'handlers')
  placeHandlers(new URL('./handlers.ts', import.meta.url), handlers)
  const runsFile = join(folder, 'runs')
  writeFileSync(runsFile, '')
  const path = join(folder, 'inbox.db')
  const env = {
    RIVERHOOK_SECRETS: secret,
    RIVERHOOK_INBOX: `sqlite:${path}`,
    RIVERHOOK_HANDLERS: handlers,
    CRASH_TEST_RUNS: runsFile
  }
  const acknowledged = new Map<string, string>()
  const ranAgain = new Set<string>()
  const doneRuns = new Map<string, number>()
  const miscounts: string[] = []
  for (let kill = 1; kill <= kills; kill += 1) {
    const server = await startServer(env)
    const answers = new Answers()
    const sending = Array.from({ length: senders }, () => send(server, acknowledged, answers, random))
    await answers.more(Math.floor(random() * 30))
    await delay(random() * 20)
    await server.end('SIGKILL')
    await Promise.all(sending)
    compareDone(path, runsFile, doneRuns, ranAgain)
    miscounts.push(...(await findMiscounts('sqlite', (sql) => query(path, sql))))
    onKill?.(kill, acknowledged.size)
  }
  const server = await startServer(env)
  await settled(path)
  const exitCode = await server.end('SIGTERM')
  compareDone(path, runsFile, doneRuns, ranAgain)
  miscounts.push(...(await findMiscounts('sqlite', (sql) => query(path, sql))))
  const runs = readRuns(runsFile)
  return {
    kills,
    acknowledged: acknowledged.size,
    lost: [...acknowledged].filter(([id, type]) => !wasHandled(id, type, runs)).map(([id]) => id),
    ranAgain: [...ranAgain],
    outOfOrder: outOfOrder(path, runsFile),
    miscounts,
    integrity: query(path, 'PRAGMA integrity_check')
      .map((row) => String(row['integrity_check']))
      .join('; '),
    exitCode,
    repeated: [...runs.values()].filter((count) => count > 1).length
  }
}

/** POSTs events one after another until the server is down. An unanswered one is sent again, as by the provider. */
async function send(
  server: Server,
  acknowledged: Map<string, string>,
  answered: Answers,
  random: () => number
): Promise<void> {
  const source = digitalRiver()
  while (server.process.exitCode === null && server.process.signalCode === null) {
    const id = randomUUID()
    const type = random() < 0.7 ? 'order.accepted' : 'refund.complete'
    const body = Buffer.from(
      JSON.stringify({
        id,
        type,
        data: { object: { id: `key${Math.floor(random() * keys)}` } },
        liveMode: false,
        createdTime: new Date().toISOString()
      })
    )
    const copies = random() < 0.2 ? 2 : 1
    const answers = await Promise.allSettled(
      Array.from({ length: copies }, () =>
        fetch(`${server.url}/webhooks/digital-river`, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json', ...source.sign({ body, secret, at: new Date() }) }
        })
      )
    )
    for (const answer of answers) {
      if (answer.status === 'rejected') continue
      answered.add()
      if (answer.value.status === 202) acknowledged.set(id, type)
      await answer.value.arrayBuffer().catch(() => undefined)
    }
  }
}

/** Called while no process runs: a done delivery must not have run again since it was first seen as done. */
function compareDone(path: string, runsFile: string, doneRuns: Map<string, number>, ranAgain: Set<string>): void {
  const runs = readRuns(runsFile)
  for (const row of query(
    path,
    "SELECT d.handler, e.id FROM delivery d JOIN event e ON e.seq = d.event_seq WHERE d.state = 'done'"
  )) {
    const delivery = `${String(row['handler'])} ${String(row['id'])}`
    const count = runs.get(delivery) ?? 0
    const before = doneRuns.get(delivery)
    if (before === undefined) doneRuns.set(delivery, count)
    else if (before !== count) ranAgain.add(delivery)
  }
}

/** Resolves when no delivery is unsettled. Polls, because another process settles them. */
async function settled(path: string): Promise<void> {
  for (;;) {
    const [row] = query(path, "SELECT count(*) AS unsettled FROM delivery WHERE state NOT IN ('done', 'dead')")
    if (row?.['unsettled'] === 0) return
    await delay(100)
  }
}

function wasHandled(id: string, type: string, runs: ReadonlyMap<string, number>): boolean {
  const handlers = type.startsWith('order.') ? ['plain', 'ordered', 'slow', 'flaky'] : ['plain', 'ordered']
  return handlers.every((handler) => runs.has(`${handler} ${id}`))
}

/** The number of complete runs of each delivery. */
function readRuns(file: string): Map<string, number> {
  const runs = new Map<string, number>()
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [handler, id, , what] = line.split(' ')
    if (id === undefined || what === 'began') continue
    runs.set(`${handler ?? ''} ${id}`, (runs.get(`${handler ?? ''} ${id}`) ?? 0) + 1)
  }
  return runs
}

/**
 * Checks the order of each key: a delivery may begin only after the previous one in order of arrival has run to its
 * end, and before any later one.
 */
function outOfOrder(path: string, runsFile: string): string[] {
  const rows = query(
    path,
    "SELECT e.id, d.order_key FROM delivery d JOIN event e ON e.seq = d.event_seq WHERE d.handler = 'ordered' ORDER BY d.id"
  )
  const counts = new Map<string, number>()
  const places = new Map(
    rows.map((row) => {
      const key = String(row['order_key'])
      const place = (counts.get(key) ?? 0) + 1
      counts.set(key, place)
      return [String(row['id']), { key, place }]
    })
  )
  const ended = new Map<string, number>()
  const faults: string[] = []
  for (const line of readFileSync(runsFile, 'utf8').split('\n')) {
    const [handler, id = '', , what] = line.split(' ')
    const here = places.get(id)
    if (handler !== 'ordered' || here === undefined) continue
    const last = ended.get(here.key) ?? 0
    // The last one may run again: its process may have died before it stored the outcome.
    if (here.place !== last && here.place !== last + 1) faults.push(`${here.key}: ${here.place} after ${last}`)
    if (what === 'ran') ended.set(here.key, here.place)
  }
  return faults
}

function query(path: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(path, { timeout: 5000 })
  try {
    return db.prepare(sql).all()
  } finally {
    db.close()
  }
}
