import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'

import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { putBack } from '../../src/inbox/sqlite/put-back.ts'
import { backupInbox, restoreInbox } from '../../src/inbox/open-inbox.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from './arrivals.ts'

// Risk: the inbox, on the day when the backup is needed.

const refused = { code: 'RIVERHOOK_INBOX_BACKUP' }

async function open(t: Test, path: string) {
  const inbox = sqliteInbox({ path, busyTimeoutMs: 50 })
  t.teardown(() => inbox.close())
  await inbox.open()
  return inbox
}

/** In a separate process: in this one, closing a file drops SQLite's locks on it. */
const copy = (from: string, to: string): unknown => execFileSync('cp', [from, to])

const events = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => arrival(`e${first + index}`, ['ship']))

function query(path: string, sql: string): Record<string, unknown> | undefined {
  const db = new DatabaseSync(path)
  try {
    return db.prepare(sql).get()
  } finally {
    db.close()
  }
}

const count = (path: string): unknown => query(path, 'SELECT count(*) AS count FROM event')?.['count']

/** Files that a crash leaves in another journal mode, if the file is moved away then. */
function leaveJournal(path: string): void {
  const db = new DatabaseSync(`${path}.other`)
  db.exec('CREATE TABLE filler (bytes BLOB); INSERT INTO filler VALUES (zeroblob(200000)); PRAGMA cache_size = 1')
  db.exec('BEGIN; UPDATE filler SET bytes = randomblob(200000)')
  copy(`${path}.other-journal`, `${path}-journal`)
  db.close()
  rmSync(path)
}

t.test('a backup is whole, consistent and private while the server writes, at any path', async (t) => {
  const folder = makeFolder(t, { "it's 100% a?b#c": {} })
  const path = join(folder, "it's 100% a?b#c/inbox.db")
  const to = join(folder, "it's 100% a?b#c/back up?.db")
  const inbox = await open(t, path)
  await inbox.record(events(0, 100))
  const writing = { on: true }
  const writer = (async () => {
    for (let first = 100; writing.on; first += 2) await inbox.record(events(first, 2))
  })()
  const content = await backupInbox(`sqlite:${path}`, to)
  writing.on = false
  await writer
  t.equal(count(to), content.events)
  t.ok(content.events >= 100 && content.events % 2 === 0, 'no part of a transaction')
  t.match(query(to, 'PRAGMA integrity_check'), { integrity_check: 'ok' })
  t.equal(query(to, 'SELECT count(*) AS count FROM delivery')?.['count'], content.events)
  t.equal(statSync(to).mode & 0o777, 0o600)
  t.same(
    readdirSync(join(folder, "it's 100% a?b#c")).filter((name) => name.startsWith('back')),
    ['back up?.db'],
    'nothing else is left'
  )
  const before = readFileSync(to)
  await t.rejects(backupInbox(`sqlite:${path}`, to), { ...refused, message: /exists already/ })
  t.same(readFileSync(to), before)
  await t.rejects(backupInbox(`sqlite:${path}`, path), { ...refused, message: /exists already/ }, 'the inbox itself')
  await t.rejects(backupInbox(`sqlite:${path}`, join(folder, 'none/b.db')), {
    ...refused,
    message: /folder .*none does not exist/
  })
  await t.rejects(backupInbox(`sqlite:${join(folder, 'none.db')}`, join(folder, 'b.db')), {
    code: 'RIVERHOOK_INBOX_UNAVAILABLE',
    message: /There is no inbox at/
  })
  t.notOk(existsSync(join(folder, 'none.db')))
  t.notOk(existsSync(join(folder, 'b.db')))
  if (existsSync('/dev/full')) {
    symlinkSync('/dev/full', join(folder, 'full'))
    await t.rejects(backupInbox(`sqlite:${path}`, join(folder, 'full')), refused, 'a link is not written through')
  }
})

t.test(
  'restore: from a killed, running or stopped server, the backup is in place and the other inbox is kept whole',
  async (t) => {
    const folder = makeFolder(t, { killed: {} })
    const path = join(folder, 'inbox.db')
    const saved = join(folder, 'saved.db')
    const inbox = await open(t, path)
    await inbox.record(events(0, 30))
    await backupInbox(`sqlite:${path}`, saved)
    await inbox.record(events(30, 30))
    for (const suffix of ['', '-wal']) copy(path + suffix, join(folder, `killed/inbox.db${suffix}`))

    await t.rejects(restoreInbox(`sqlite:${path}`, saved), { code: 'RIVERHOOK_INBOX_IN_USE' }, 'running')
    t.same(await inbox.record(events(60, 1)), ['accepted'], 'which changes nothing')
    await inbox.close()

    for (const [at, expected] of [
      [path, 61],
      [join(folder, 'killed/inbox.db'), 60]
    ] as const) {
      const restored = await restoreInbox(`sqlite:${at}`, saved)
      t.match(restored, { events: 30, newestAt: Date })
      t.equal(statSync(at).mode & 0o777, 0o600)
      t.equal(count(restored.aside ?? ''), expected, 'with the content of its log')
      const again = await open(t, at)
      t.equal((await again.stats()).events, 30)
      t.same(await again.record(events(60, 1)), ['accepted'])
      await again.close()
    }
    const elsewhere = `sqlite:${join(folder, 'new/inbox.db')}`
    await t.rejects(restoreInbox(elsewhere, saved), { message: /new does not exist.*create it: mkdir/ })
    mkdirSync(join(folder, 'new'), { mode: 0o700 })
    t.equal((await restoreInbox(elsewhere, saved)).aside, undefined, 'on another machine')
  }
)

t.test('restore: after a backup was copied over the file of a killed server, and onto a broken file', async (t) => {
  const folder = makeFolder(t, { left: {} })
  const path = join(folder, 'left/inbox.db')
  const saved = join(folder, 'saved.db')
  const inbox = await open(t, join(folder, 'live.db'))
  await inbox.record(events(0, 30))
  await backupInbox(`sqlite:${join(folder, 'live.db')}`, saved)
  await inbox.record(events(30, 30))
  copy(join(folder, 'live.db-wal'), `${path}-wal`)
  copy(saved, path)
  await t.rejects(sqliteInbox({ path }).open(), { message: /riverhook inbox restore/ })
  await restoreInbox(`sqlite:${path}`, saved)
  t.equal(count(path), 30, 'the instruction of the message works')
  writeFileSync(path, 'this is no database '.repeat(500))
  const { aside } = await restoreInbox(`sqlite:${path}`, saved)
  t.equal(count(path), 30)
  t.match(readFileSync(aside ?? '', 'utf8'), /^this is no database/)
  leaveJournal(path)
  await restoreInbox(`sqlite:${path}`, saved)
  t.equal(count(path), 30, 'nor is the journal of a deleted file rolled back into it')
  await inbox.close()
})

t.test('restore: a copy made by cp with its log beside it counts with its log', async (t) => {
  const folder = makeFolder(t)
  const inbox = await open(t, join(folder, 'live.db'))
  await inbox.record(events(0, 30))
  for (const suffix of ['', '-wal']) copy(join(folder, `live.db${suffix}`), join(folder, `saved.db${suffix}`))
  const before = ['', '-wal'].map((suffix) => readFileSync(join(folder, `saved.db${suffix}`)))
  t.match(await restoreInbox(`sqlite:${join(folder, 'inbox.db')}`, join(folder, 'saved.db')), { events: 30 })
  t.same(
    ['', '-wal'].map((suffix) => readFileSync(join(folder, `saved.db${suffix}`))),
    before,
    'and is left unchanged'
  )
  await inbox.record(events(30, 10))
  await inbox.close()
  copy(join(folder, 'live.db'), join(folder, 'saved.db'))
  await open(t, join(folder, 'other.db')).then((other) => other.record(events(0, 1)))
  copy(join(folder, 'other.db-wal'), join(folder, 'saved.db-wal'))
  await t.rejects(restoreInbox(`sqlite:${join(folder, 'inbox.db')}`, join(folder, 'saved.db')), {
    ...refused,
    message: /saved\.db-wal does not belong/
  })
  t.equal(count(join(folder, 'inbox.db')), 30)
})

t.test('restore: anything but a whole inbox of this version is refused, and nothing changes', async (t) => {
  const folder = makeFolder(t, { text: 'this is no database '.repeat(500), empty: '' })
  const path = join(folder, 'inbox.db')
  const live = await open(t, join(folder, 'live.db'))
  await live.record(events(0, 200))
  await backupInbox(`sqlite:${join(folder, 'live.db')}`, path)
  const whole = readFileSync(path)
  const make = (name: string, sql: string): void => {
    if (!existsSync(join(folder, name))) writeFileSync(join(folder, name), whole)
    query(join(folder, name), sql)
  }
  make('newer', 'PRAGMA user_version = 999')
  make('no-table', 'DROP TABLE delivery')
  writeFileSync(join(folder, 'other-program'), '')
  make('other-program', 'CREATE TABLE t (x)')
  writeFileSync(join(folder, 'broken'), Buffer.from(whole).fill(0x5a, 8192, 20_480))
  writeFileSync(join(folder, 'cut'), whole.subarray(0, whole.length / 2))
  const cases: Readonly<Record<string, RegExp>> = {
    none: /no backup at/,
    '.': /not a file/,
    text: /no SQLite file/,
    empty: /not a Riverhook inbox/,
    newer: /version 999/,
    'no-table': /not a Riverhook inbox/,
    'other-program': /not a Riverhook inbox/,
    broken: /damaged/,
    cut: /damaged/,
    'inbox.db': /the inbox itself/,
    'live.db': /running server.*inbox backup/
  }
  // Without a separate thread for each.
  const settings = {
    path,
    role: 'command',
    create: false,
    owner: 'the test',
    instance: '',
    maxBytes: undefined,
    busyTimeoutMs: 50
  } as const
  for (const [name, message] of Object.entries(cases))
    t.throws(() => putBack(settings, join(folder, name), () => undefined), { ...refused, message }, name)
  t.same(readFileSync(path), whole)
  t.same(
    readdirSync(folder).filter((name) => /restoring|replaced/.test(name)),
    []
  )
})

t.test('restore: an inbox that is a link stays a link', async (t) => {
  const folder = makeFolder(t, { data: {} })
  const inbox = await open(t, join(folder, 'data/inbox.db'))
  await inbox.record(events(0, 3))
  await backupInbox(`sqlite:${join(folder, 'data/inbox.db')}`, join(folder, 'saved.db'))
  await inbox.close()
  symlinkSync('data/inbox.db', join(folder, 'inbox.db'))
  renameSync(join(folder, 'data/inbox.db'), join(folder, 'data/lost.db'))
  await restoreInbox(`sqlite:${join(folder, 'inbox.db')}`, join(folder, 'saved.db'))
  t.equal(count(join(folder, 'data/inbox.db')), 3)
})

t.test('other inboxes have no file, and the message names the alternative', async (t) => {
  for (const act of [backupInbox, restoreInbox]) {
    const tool = act === backupInbox ? /pg_dump .*--schema=shop/ : /pg_restore/
    await t.rejects(act('postgres://u:geheim@h/d?schema=shop', 'x'), { code: 'RIVERHOOK_INBOX_ADDRESS', message: tool })
    await t.rejects(act('memory:', 'x'), { code: 'RIVERHOOK_INBOX_ADDRESS', message: /memory/ })
    await t.rejects(act('nonsense', 'x'), { code: 'RIVERHOOK_INBOX_ADDRESS', message: /not an inbox/ })
  }
})
