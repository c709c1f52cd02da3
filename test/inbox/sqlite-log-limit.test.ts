import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { MessagePort } from 'node:worker_threads'

import t from 'tap'

import type { FileSettings } from '../../src/inbox/sqlite/database.ts'
import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { LogLimit } from '../../src/inbox/sqlite/log-limit.ts'
import { type Call, packArrivals } from '../../src/inbox/sqlite/protocol.ts'
import { canStartHere } from '../../src/inbox/sqlite/start-owner.ts'
import { Thread } from '../../src/inbox/sqlite/thread.ts'
import { arrival } from './arrivals.ts'

// Risk: an answer waits until the log is copied into the file, or the log grows without a limit; or a server that is at
// its limit spends its time on copies.

function record(count: number, now = 0): Call {
  const args = { arrivals: Array.from({ length: count }), bodies: new Uint8Array() }
  return { callId: 1, name: 'record', args, now } as unknown as Call
}

function settle(now = 0): Call {
  return { callId: 2, name: 'settle', args: [], now } as unknown as Call
}

const prune = { callId: 3, name: 'prune', args: {}, now: 0 } as unknown as Call

/** The limit after the last of some transactions. */
function limitAfter(...transactions: readonly (readonly Call[])[]): number | undefined {
  const limit = new LogLimit()
  return transactions.map((calls) => limit.after(calls)).at(-1)
}

const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value)

t.test('the log is short while few events arrive at a time', (t) => {
  t.equal(limitAfter([record(1)]), 1_000)
  t.equal(limitAfter(...times(100, [record(12)])), 1_000)
  t.equal(limitAfter(...times(100, [record(12)]), [settle()]), 1_000, 'also after outcomes')
  t.equal(limitAfter(...times(100, [record(12)]), [record(100)]), 1_000, 'one batch does not count')
  t.end()
})

t.test('the log is long while many events arrive at a time', (t) => {
  t.equal(limitAfter(...times(100, [record(32)])), 4_000)
  t.equal(limitAfter(...times(100, [settle(), record(16), record(16)])), 4_000, 'in a few calls')
  t.equal(limitAfter(...times(100, [record(60)]), [record(1)]), 4_000, 'a small batch between large ones')
  t.equal(limitAfter(...times(100, [record(60)]), ...times(100, [record(1)])), 1_000, 'until they are few again')
  t.end()
})

t.test('the log is long while nothing arrives, and short during a purge', (t) => {
  t.equal(limitAfter([settle()]), 4_000)
  t.equal(limitAfter([record(1, 5_000)], [settle(5_900)]), 1_000)
  t.equal(limitAfter([record(1, 5_000)], [settle(6_100)]), 4_000)
  t.equal(limitAfter([record(1, 5_000)], [settle(3_000)]), 4_000, 'the clock was set back')
  t.equal(limitAfter([settle(), prune]), 1_000)
  t.equal(limitAfter(...times(100, [record(60)]), [prune]), 1_000)
  t.end()
})

t.test('an answer is sent before the log is copied, and the log stays short', { skip: !canStartHere }, async (t) => {
  const path = join(t.testdir(), 'inbox.db')
  const settings: FileSettings = {
    path,
    role: 'server',
    create: true,
    owner: 'test',
    instance: 'test',
    maxBytes: undefined,
    busyTimeoutMs: 1_000
  }
  const thread = new Thread('worker', { settings, clock: Date.now, readLimitMs: 1_000, isAlone: true })
  t.teardown(() => thread.close())
  await thread.ensureStarted()
  const steps: string[] = []
  const { get } = StatementSync.prototype
  t.capture(StatementSync.prototype, 'get', function (this: StatementSync, ...given: Parameters<typeof get>) {
    if (this.sourceSQL.includes('wal_checkpoint')) steps.push('copied')
    return Reflect.apply(get, this, given)
  })
  const { postMessage } = MessagePort.prototype
  t.capture(
    MessagePort.prototype,
    'postMessage',
    function (this: MessagePort, ...given: Parameters<typeof postMessage>) {
      if (Array.isArray(given[0])) steps.push('result' in (given[0][0] as object) ? 'answered' : 'called')
      Reflect.apply(postMessage, this, given)
    }
  )
  // About 13 pages each.
  const body = Buffer.alloc(100_000, 'x')
  let copies = 0
  for (let n = 0; copies < 2 && n < 500; n += 1) {
    await thread.call('record', packArrivals([{ ...arrival(`e${n}`), body }]))
    copies = steps.filter((step) => step === 'copied').length
  }
  t.equal(copies, 2)
  for (const [index, step] of steps.entries()) if (step === 'copied') t.equal(steps[index - 1], 'answered')
  const pages = statSync(`${path}-wal`).size / (8_192 + 24)
  t.ok(pages < 1_050, `${Math.round(pages)} pages`)
})

t.test('a reader that keeps an old state delays the copy, and not the recording', async (t) => {
  const path = join(t.testdir(), 'inbox.db')
  const inbox = sqliteInbox({ path })
  await inbox.open()
  t.teardown(() => inbox.close())
  await inbox.record([arrival('first')])
  const reader = new DatabaseSync(path, { readOnly: true })
  reader.exec('BEGIN; SELECT count(*) FROM event')
  const body = Buffer.alloc(100_000, 'x')
  const recordAll = async (from: number): Promise<void> => {
    for (let n = from; n < from + 120; n += 1)
      t.strictSame(await inbox.record([{ ...arrival(`e${n}`), body }]), ['accepted'])
  }
  await recordAll(0)
  reader.close()
  await recordAll(200)
  const { size } = statSync(`${path}-wal`)
  await recordAll(400)
  t.equal(statSync(`${path}-wal`).size, size, 'the log is used again from its beginning')
})
