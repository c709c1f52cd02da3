import { subscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'

import t, { type Test } from 'tap'

import type { Inbox } from '../../src/inbox/inbox.ts'
import { openInboxAlone } from '../../src/inbox/open-inbox.ts'
import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { canStartHere } from '../../src/inbox/sqlite/start-owner.ts'
import { keyOf, keysOf } from '../event-keys.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from './arrivals.ts'

// Risk: a command that runs the calls of SQLite itself, without a thread, loses a write, does not end, or answers
// otherwise than an inbox with a thread.

let threads = 0
subscribe('worker_threads', () => {
  threads += 1
})

/** Opens a new inbox as its server, and the same as a command. */
async function open(t: Test): Promise<{ readonly server: Inbox; readonly alone: Inbox }> {
  const path = join(makeFolder(t), 'inbox.db')
  const server = sqliteInbox({ path })
  await server.open()
  t.teardown(() => server.close())
  threads = 0
  const alone = openInboxAlone(`sqlite:${path}`, undefined)
  await alone.open()
  t.teardown(() => alone.close())
  return { server, alone }
}

t.test('a command opens the inbox without a thread, and reads and writes it beside the server', async (t) => {
  const { server, alone } = await open(t)
  t.equal(threads, canStartHere ? 0 : 1)
  t.match(alone, { name: 'sqlite', role: 'command' })
  await server.record([arrival('1', ['ship']), arrival('2', ['ship'])])
  t.same(await alone.event(keyOf('1')), await server.event(keyOf('1')))
  const [first, second] = await Promise.all([alone.stats(), alone.levels()])
  t.equal(first.events, 2)
  t.same(second, await server.levels())
  t.ok(await alone.pause('ship', { actor: { name: 'x', via: 'command' }, action: 'pause', target: 'ship' }))
  t.same(
    (await server.pauses()).map(({ handler }) => handler),
    ['ship']
  )
  t.equal((await server.audits({ limit: 1 })).entries[0]?.action, 'pause')
  t.same(await alone.erase(keysOf('2')), 1)
  t.equal(await alone.scrub(), undefined, 'also outside of a transaction')
})

t.test('an error of a call is that of an inbox with a thread, and the next call works', async (t) => {
  const { alone } = await open(t)
  await t.rejects(alone.events({ limit: 0 }), { code: 'RIVERHOOK_OPTIONS_INVALID' })
  await t.rejects(alone.addJob({ kind: 'unknown' } as never), { name: 'RiverhookError' })
  t.equal((await alone.stats()).events, 0)
})

t.test('it is closed, refuses every call, and can be opened again', async (t) => {
  const { server, alone } = await open(t)
  const last = alone.stats()
  await alone.close()
  t.equal((await last).events, 0, 'a waiting call is answered before')
  await alone.close()
  await t.rejects(alone.stats(), { code: 'RIVERHOOK_INBOX_CLOSED' })
  await server.record([arrival('1')])
  await alone.open()
  t.equal((await alone.stats()).events, 1)
})

t.test('a file that is missing is refused, and a new attempt opens it once it is there', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const alone = openInboxAlone(`sqlite:${path}`, undefined)
  await t.rejects(alone.open(), { code: 'RIVERHOOK_INBOX_UNAVAILABLE', message: /There is no inbox at/ })
  const server = sqliteInbox({ path })
  await server.open()
  await alone.open()
  t.equal((await alone.stats()).events, 0)
  await alone.close()
  await server.close()
})

t.test('another inbox has its engine', async (t) => {
  t.equal(openInboxAlone('postgres://localhost:1/none', undefined).name, 'postgres')
  t.throws(() => openInboxAlone('memory:', undefined), { code: 'RIVERHOOK_INBOX_ADDRESS' })
})
