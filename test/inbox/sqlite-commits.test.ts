import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MessagePort } from 'node:worker_threads'

import t, { type Test } from 'tap'

import type { Inbox, Settlement } from '../../src/inbox/inbox.ts'
import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { arrival } from './arrivals.ts'

// Risk: storing outcomes takes a second commit for each batch of events, or an outcome that waits for the next commit
// is lost; or a server without work writes to the disk several times a second.

/** An inbox with a running delivery, and a way to count its commits. */
async function running(t: Test): Promise<{ inbox: Inbox; settlement: Settlement; commits: () => number }> {
  const path = join(t.testdir(), 'inbox.db')
  const inbox = sqliteInbox({ path })
  await inbox.open()
  t.teardown(() => inbox.close())
  const wants = [{ handler: 'a', source: 'digital-river', limit: 1 }]
  const { claimed } = await inbox.recordAndClaim!([arrival('e0', ['a'])], {
    owner: 'me',
    leaseMs: 60_000,
    wants,
    limit: 1
  })
  const { id, token } = claimed[0]!
  const at = new Date()
  const settlement: Settlement = {
    id,
    token,
    orderKey: null,
    event: undefined,
    outcome: { state: 'done' },
    startedAt: at,
    endedAt: at
  }
  return { inbox, settlement, commits: () => countCommits(`${path}-wal`) }
}

/** Notes the calls of each message to a thread. */
function listen(t: Test): string[][] {
  const sent: string[][] = []

  const { postMessage } = MessagePort.prototype
  t.capture(
    MessagePort.prototype,
    'postMessage',
    function (this: MessagePort, ...given: Parameters<typeof postMessage>) {
      const [message] = given
      if (Array.isArray(message)) sent.push(message.map(({ name }: { readonly name: string }) => name))
      Reflect.apply(postMessage, this, given)
    }
  )
  return sent
}

/** Counts the frames of the log that end a transaction. */
function countCommits(path: string): number {
  const log = readFileSync(path)
  const frame = 24 + log.readUInt32BE(8)
  let count = 0
  for (let at = 32; at + frame <= log.length; at += frame)
    if (log.compare(log, at + 8, at + 16, 16, 24) === 0 && log.readUInt32BE(at + 4) !== 0) count += 1
  return count
}

t.test('outcomes that come during a commit are stored by the next one, together with new events', async (t) => {
  const { inbox, settlement, commits } = await running(t)
  const sent = listen(t)
  const before = commits()
  const first = inbox.record([arrival('e1')])
  const settled = inbox.settle([settlement])
  await first
  const second = inbox.record([arrival('e2')])
  t.strictSame(await settled, ['settled'])
  t.strictSame(await second, ['accepted'])
  t.strictSame(sent, [['record'], ['settle', 'record']])
  t.equal(commits() - before, 2)
})

t.test('outcomes are stored although nothing else comes, or the inbox is closed', async (t) => {
  const { inbox, settlement } = await running(t)
  const first = inbox.record([arrival('e1')])
  t.strictSame(await inbox.settle([settlement]), ['settled'])
  await first
  const other = await running(t)
  const recorded = other.inbox.record([arrival('e1')])
  const settled = other.inbox.settle([other.settlement])
  await other.inbox.close()
  t.strictSame(await recorded, ['accepted'])
  t.strictSame(await settled, ['settled'])
})

t.test('a call that cannot be sent fails alone: outcomes are stored, then and later', async (t) => {
  const { inbox, settlement } = await running(t)
  const first = inbox.record([arrival('e1')])
  const settled = inbox.settle([settlement])
  const cannotBeCopied = [() => undefined] as never
  await t.rejects(inbox.reseal(cannotBeCopied), { name: 'DataCloneError' })
  t.strictSame(await settled, ['settled'])
  await first
  t.strictSame(await inbox.settle([settlement]), ['stale'])
  await t.rejects(inbox.reseal(cannotBeCopied), { name: 'DataCloneError' })
  const again = inbox.settle([settlement])
  t.strictSame(await inbox.settle([settlement]), ['stale'])
  t.strictSame(await again, ['stale'])
})

t.test('calls that change nothing write nothing, and the next change is committed', async (t) => {
  const { inbox, settlement, commits } = await running(t)
  const before = commits()
  const handlers = [{ name: 'a', source: 'digital-river' }]
  const wants = [{ handler: 'a', source: 'digital-river', limit: 1 }]
  t.same(await inbox.suspects(handlers), [])
  for (let round = 0; round < 3; round += 1)
    t.match(await inbox.claim({ owner: 'me', leaseMs: 60_000, wants, limit: 1 }), { deliveries: [] })
  await Promise.all([inbox.now(), inbox.encryption(), inbox.pauses(), inbox.replay([]), inbox.extend([], 1_000)])
  t.equal(await inbox.resume('a'), false)
  t.match(await inbox.prune({ before: new Date(0), limit: 10 }), { purged: 0 })
  t.equal(commits(), before)
  t.strictSame(await inbox.settle([settlement]), ['settled'])
  t.equal(commits(), before + 1)
})
