import t from 'tap'

import type { Inbox } from '../../src/inbox/inbox.ts'
import { lateEngine } from '../../src/inbox/late-engine.ts'
import { memoryInbox } from '../../src/inbox/memory/engine.ts'
import { MemoryInbox } from '../../src/inbox/memory/memory-inbox.ts'
import { postgresInbox } from '../../src/inbox/postgres/engine.ts'
import { named } from '../event-keys.ts'
import { arrival } from './arrivals.ts'

// Risk: the code of an engine is loaded when its inbox is opened. Before that, a call would fail with an error without
// a code, or a caller that waits for due deliveries would never be woken.

const inMemory = (load?: () => Promise<Inbox>): Inbox =>
  lateEngine({
    name: 'memory',
    has: ['recordAndClaim'],
    load: load ?? (() => Promise.resolve(new MemoryInbox(Date.now)))
  })

t.test('an inbox that is not open yet, or was closed before, refuses every call with its code', async (t) => {
  for (const inbox of [memoryInbox(), postgresInbox({ connectionString: 'postgres://localhost:1/none' })]) {
    await t.rejects(inbox.stats(), { code: 'RIVERHOOK_INBOX_CLOSED', message: 'The inbox is not open yet' })
    await inbox.close()
    await t.rejects(inbox.stats(), { code: 'RIVERHOOK_INBOX_CLOSED', message: 'The inbox is closed' })
  }
})

t.test('an inbox names its engine and has its calls before it is opened', async (t) => {
  const postgres = postgresInbox({ connectionString: 'postgres://localhost:1/none', role: 'command' })
  t.match(postgres, { name: 'postgres', role: 'command', transact: Function, servers: Function })
  t.equal(postgres.recordAndClaim, undefined)
  const memory = memoryInbox()
  t.match(memory, { name: 'memory', recordAndClaim: Function })
  t.same([memory.role, memory.transact, memory.servers], [undefined, undefined, undefined])
})

t.test('an inbox that was closed before its first opening opens as its engine does', async (t) => {
  const memory = memoryInbox()
  await memory.close()
  await memory.open()
  t.same(await memory.record([arrival('1')]), ['accepted'])
  await memory.close()
  const postgres = postgresInbox({ connectionString: 'postgres://localhost:1/none' })
  await postgres.close()
  await t.rejects(postgres.open(), { code: 'RIVERHOOK_INBOX_CLOSED', message: /cannot be opened again/ })
})

t.test('a close that comes during the opening closes the engine', async (t) => {
  const inbox = inMemory()
  const opening = inbox.open()
  await inbox.close()
  await opening
  await t.rejects(inbox.stats(), { code: 'RIVERHOOK_INBOX_CLOSED' })
})

t.test('an engine is loaded once, and again only if that failed', async (t) => {
  let loads = 0
  const inbox = inMemory(async () => {
    loads += 1
    if (loads === 1) throw new Error('too many open files')
    return new MemoryInbox(Date.now)
  })
  await t.rejects(inbox.open(), { message: 'too many open files' })
  await inbox.close()
  await Promise.all([inbox.open(), inbox.open()])
  await inbox.open()
  t.equal(loads, 2)
  await inbox.close()
})

t.test('a caller that waits for due deliveries before the opening is woken, until it stops', async (t) => {
  const inbox = inMemory()
  let woken = 0
  const end = inbox.onDue(() => {
    woken += 1
  })
  await inbox.open()
  await inbox.record([arrival('1', ['ship'])])
  t.equal(woken, 1)
  end()
  await inbox.record([arrival('2', ['ship'])])
  t.equal(woken, 1)
  t.same((await inbox.suspects(named('ship'))).length, 0)
  await inbox.close()
})
