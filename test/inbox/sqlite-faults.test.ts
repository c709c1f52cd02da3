import {
  accessSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'

import { sqliteInbox, type SqliteInboxOptions } from '../../src/inbox/sqlite/engine.ts'
import { fingerprint } from '../../src/inbox/schema-fingerprint.ts'
import { schemaFingerprint, versions } from '../../src/inbox/sqlite/schema.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from './arrivals.ts'
import { claim, settleAll } from './contract.ts'
import { keyOf, keysOf } from '../event-keys.ts'

const unavailable = { code: 'RIVERHOOK_INBOX_UNAVAILABLE' }

async function open(t: Test, path: string, options: Partial<SqliteInboxOptions> = {}) {
  const inbox = sqliteInbox({ path, busyTimeoutMs: 50, ...options })
  t.teardown(() => inbox.close())
  await inbox.open()
  return inbox
}

/** Executes SQL in the file, as another program does. */
function execute(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

t.test('recorded events and settled deliveries are there after a restart', async (t) => {
  const path = join(makeFolder(t, { folder: {} }), 'folder', 'inbox.db')
  const first = await open(t, path)
  await first.record([arrival('a', ['ship']), arrival('b', ['ship']), arrival('c', ['ship'])])
  const [a, b] = await claim(first, ['ship'])
  await settleAll(first, [a!], { state: 'done' })
  await first.close()
  const second = await open(t, path)
  t.same(await second.record([arrival('a')]), ['duplicate'])
  t.equal((await second.event(keyOf('a')))!.deliveries[0]!.state, 'done')
  const again = await claim(second, ['ship'])
  t.same(
    again.map(({ event, attempt, lost }) => [event.id, attempt, lost?.onLoss]),
    [
      ['b', 1, 'loss'],
      ['c', 1, 'loss']
    ],
    'a dead process’s deliveries are found at once'
  )
  t.same(await settleAll(second, [b!], { state: 'done' }), ['stale'], 'its late result is refused')
})

t.test('the file is in WAL mode with synchronous=FULL, and passes its integrity check', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const inbox = await open(t, path)
  await inbox.record([arrival('a', ['ship'])])
  const db = new DatabaseSync(path)
  t.equal(db.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal')
  t.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
  db.close()
  const source = readFileSync(new URL('../../src/inbox/sqlite/database.ts', import.meta.url), 'utf8')
  t.match(source, /synchronous = FULL/, 'the setting belongs to the connection and cannot be read from outside')
})

t.test("one file, one server: a second server is refused with the owner's name, a command may open it", async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const server = await open(t, path)
  await server.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
  await server.record([arrival('a', ['ship'])])
  const second = sqliteInbox({ path })
  await t.rejects(second.open(), { code: 'RIVERHOOK_INBOX_IN_USE', message: new RegExp(`process ${process.pid} on `) })
  const command = await open(t, path, { role: 'command' })
  t.equal((await command.events({ limit: 1 })).events[0]!.id, 'a')
  const [delivery] = await claim(server, ['ship'])
  const beside = await open(t, path, { role: 'command' })
  t.equal((await beside.event(keyOf('a')))!.deliveries[0]!.state, 'running', 'a command takes nothing over')
  await settleAll(server, [delivery!], { state: 'dead', error: 'x' })
  t.same(await command.replay([{ event: keyOf('a'), handler: 'ship' }]), ['replayed'])
  t.equal((await claim(server, ['ship'])).length, 1, 'the server sees the deliveries that a command replayed')
  await server.close()
  await open(t, path)
})

t.test('one file, one server, through any links', async (t) => {
  const folder = makeFolder(t, { data: {}, link: t.fixture('symlink', 'data') })
  const first = sqliteInbox({ path: join(folder, 'data/inbox.db') })
  await first.open()
  t.teardown(() => first.close())
  symlinkSync(join(folder, 'data/inbox.db'), join(folder, 'other.db'))
  for (const path of ['link/inbox.db', 'other.db']) {
    await t.rejects(sqliteInbox({ path: join(folder, path) }).open(), { code: 'RIVERHOOK_INBOX_IN_USE' }, path)
  }
})

t.test('a command needs an inbox that exists', async (t) => {
  const path = join(makeFolder(t), 'none.db')
  const command = sqliteInbox({ path, role: 'command' })
  await t.rejects(command.open(), { ...unavailable, message: /no inbox at .*none\.db/ })
  t.notOk(existsSync(path))
})

t.test('a file of a newer version is left unchanged', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  await (await open(t, path)).close()
  execute(path, 'PRAGMA user_version = 999')
  await t.rejects(sqliteInbox({ path }).open(), { code: 'RIVERHOOK_INBOX_VERSION', message: /999/ })
})

// Risk: a file with other tables is taken for one of this build.
t.test('the fingerprint of the tables is that of the text that creates them', (t) => {
  t.equal(schemaFingerprint, fingerprint(versions))
  t.end()
})

// Risk: a developer updates a clone, and `npm start` fails with `no such index` on the inbox of the day before.
t.test('a file that another build made is left unchanged, and the error says what to do', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  await (await open(t, path)).close()
  for (const change of ["UPDATE layout SET fingerprint = 'a'", 'DROP TABLE layout']) {
    execute(path, change)
    for (const role of ['server', 'command'] as const)
      await t.rejects(sqliteInbox({ path, role }).open(), {
        code: 'RIVERHOOK_INBOX_VERSION',
        message: /inbox\.db was made by another build of Riverhook.*Delete it .* or move it aside/
      })
  }
})

// Risk: an empty inbox in the wrong place, because the path is mistyped or the disk is not mounted.
t.test('a missing folder is reported at the start, by its name, and is not created', async (t) => {
  const folder = makeFolder(t, { file: 'not a folder' })
  const missing = join(folder, 'missing')
  await t.rejects(sqliteInbox({ path: join(missing, 'inbox.db') }).open(), {
    ...unavailable,
    message: `The inbox's folder ${missing} does not exist. If the path is right, create it: mkdir -p -m 700 ${missing}`
  })
  t.notOk(existsSync(missing))
  await t.rejects(sqliteInbox({ path: join(folder, 'file', 'inbox.db') }).open(), unavailable, 'a file is no folder')
})

t.test(
  'a corrupt file refuses every call, and serves again when it is repaired in place, without a restart',
  async (t) => {
    const path = join(makeFolder(t), 'inbox.db')
    const good = await open(t, `${path}.good`)
    await good.record([arrival('a')])
    await good.close()
    writeFileSync(path, 'this is no database '.repeat(500))
    const inbox = await open(t, path)
    await t.rejects(inbox.record([arrival('a')]), {
      ...unavailable,
      message: /not a database.*riverhook inbox restore/
    })
    await t.rejects(inbox.probe(), unavailable)
    writeFileSync(path, readFileSync(`${path}.good`))
    t.same(await inbox.record([arrival('a'), arrival('b')]), ['duplicate', 'accepted'])
  }
)

t.test(
  'pages destroyed while the file is open refuse calls, and a backup put in its place serves after a restart',
  async (t) => {
    const path = join(makeFolder(t), 'inbox.db')
    const first = await open(t, path)
    await first.record(Array.from({ length: 200 }, (_, index) => arrival(`e${index}`, ['ship'])))
    await first.close()
    const backup = readFileSync(path)
    const broken = Buffer.from(backup)
    broken.fill(0x5a, 4096)
    writeFileSync(path, broken)
    const second = await open(t, path)
    await t.rejects(second.record([arrival('new')]), unavailable)
    writeFileSync(`${path}.backup`, backup)
    renameSync(`${path}.backup`, path)
    await t.rejects(second.record([arrival('new')]), {
      ...unavailable,
      message: /was replaced under the running server/
    })
    await second.close()
    t.same(await (await open(t, path)).record([arrival('new'), arrival('e7')]), ['accepted', 'duplicate'])
  }
)

t.test('a write lock of another program fails calls at the time-out, and service resumes', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const inbox = await open(t, path)
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  const results = await Promise.allSettled([inbox.record([arrival('a')]), inbox.record([arrival('b')]), inbox.probe()])
  for (const result of results)
    t.match(result, { status: 'rejected', reason: { ...unavailable, message: /locked.*Another program/ } })
  other.exec('ROLLBACK')
  other.close()
  t.same(await inbox.record([arrival('a')]), ['accepted'])
})

t.test('a full disk fails only writes that do not fit, and service resumes when there is space', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const inbox = await open(t, path, { maxBytes: 512 * 1024 })
  const sized = (id: string, kib: number) => arrival(id, ['ship'], { body: Buffer.alloc(kib * 1024, 0x20) })
  const stored: string[] = []
  const fill = async (kib: number): Promise<void> => {
    await inbox.record([sized(`e${stored.length}`, kib)])
    stored.push(`e${stored.length}`)
    await fill(kib)
  }
  await t.rejects(fill(64), { ...unavailable, message: /full.*Free disk space/ })
  // The remaining space is too small for any of these, so it is below the limit of the health check.
  await t.rejects(fill(12), unavailable)
  await t.rejects(fill(1), unavailable)
  t.ok(stored.length > 2)
  await t.rejects(inbox.probe(), unavailable, 'the health check reports it')
  t.equal(
    (await inbox.events({ limit: 100 })).events.length,
    stored.length,
    'reads continue, and no event is half stored'
  )
  const claimed = await claim(inbox, ['ship'])
  const results = await settleAll(inbox, claimed, { state: 'done' })
  t.ok(
    results.every((result) => result === 'settled'),
    'deliveries continue too'
  )
  t.equal(await inbox.remove(keysOf(stored[1]!, stored[2]!)), 2)
  await inbox.probe()
  t.same(await inbox.record([sized('again', 64)]), ['accepted'])
})

t.test('our own leases survive reopening the file after an error', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const inbox = await open(t, path)
  await inbox.record([arrival('a', ['ship'])])
  const claimed = await claim(inbox, ['ship'])
  execute(path, 'PRAGMA wal_checkpoint(TRUNCATE)')
  const whole = readFileSync(path)
  const broken = Buffer.from(whole)
  broken.fill(0x5a, 4096)
  // In place, like a failing disk. The server reads its pages again after another program's commit.
  writeFileSync(path, broken)
  execute(path, 'PRAGMA user_version = 1')
  await t.rejects(settleAll(inbox, claimed, { state: 'done' }), unavailable)
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
  writeFileSync(path, whole)
  t.same(await settleAll(inbox, claimed, { state: 'done' }), ['settled'])
})

t.test('messages that Node itself sends to and from a thread are ignored', async (t) => {
  // Set by `node --watch` and `node --test --watch`: each thread then reports the modules it loads, on its own port.
  process.env['WATCH_REPORT_DEPENDENCIES'] = '1'
  t.teardown(() => {
    delete process.env['WATCH_REPORT_DEPENDENCIES']
  })
  // Node passes them to the parent process, and tap would print them.
  t.intercept(process, 'send', { value: () => true })
  const inbox = await open(t, join(makeFolder(t), 'inbox.db'))
  t.same(await inbox.record([arrival('a')]), ['accepted'])
})

t.test('an idle inbox keeps no process alive, so that a process whose start failed ends', async (t) => {
  const holding = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length
  const before = holding()
  const inbox = await open(t, join(makeFolder(t), 'inbox.db'))
  t.equal(holding(), before)
  const recorded = inbox.record([arrival('a')])
  await Promise.resolve()
  t.ok(holding() > before, 'a pending call does')
  t.same(await recorded, ['accepted'])
  t.equal(holding(), before)
})

t.test('only the owner can read the files, and an inbox that others can read causes a warning', async (t) => {
  const folder = makeFolder(t, { made: {} })
  chmodSync(join(folder, 'made'), 0o700)
  const path = join(folder, 'made/inbox.db')
  const inbox = await open(t, path)
  await inbox.record([arrival('a')])
  const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)
  t.same(
    ['', '-wal', '-shm', '.lock'].map((suffix) => modeOf(path + suffix)),
    ['600', '600', '600', '600']
  )
  t.match(inbox.notes?.(), [{ level: 'info', message: `created a new inbox: ${path}` }])
  t.equal(inbox.notes?.().length, 1)
  await inbox.close()
  for (const [mode, message] of [
    [0o644, /read the inbox .*mode 0644.*chmod 600/],
    [0o620, /write the inbox/]
  ] as const) {
    chmodSync(path, mode)
    const again = await open(t, path)
    t.match(again.notes?.(), [{ level: 'warn', message }])
    await again.close()
  }
  chmodSync(path, 0o600)
  chmodSync(join(folder, 'made'), 0o777)
  t.match((await open(t, path)).notes?.(), [
    { level: 'warn', message: /write to the inbox's folder .*made.*chmod go-w/ }
  ])
})

t.test(
  'read-only commands need no write access, and take no write lock',
  { skip: process.platform === 'win32' },
  async (t) => {
    const folder = makeFolder(t, { still: {} })
    const path = join(folder, 'still/inbox.db')
    const server = await open(t, path)
    await server.record([arrival('a')])
    const locked = new DatabaseSync(path)
    locked.exec('BEGIN IMMEDIATE')
    const beside = await open(t, path, { role: 'command' })
    t.equal((await beside.stats()).events, 1)
    t.same(await beside.drifts(), [])
    t.same(await beside.watermarks(), [])
    locked.exec('ROLLBACK')
    locked.close()
    await beside.close()
    await server.close()

    chmodSync(path, 0o444)
    chmodSync(join(folder, 'still'), 0o555)
    t.teardown(() => {
      chmodSync(join(folder, 'still'), 0o755)
    })
    // Root may do everything, so this runs as another user.
    const isRoot = process.geteuid?.() === 0
    if (isRoot) process.seteuid?.(65_534)
    try {
      accessSync(path)
      accessSync(new URL('../../src/inbox/sqlite/worker.ts', import.meta.url))
    } catch {
      process.seteuid?.(0)
      t.comment('root’s own folder: other users may not read this clone')
      return
    }
    try {
      const inbox = await open(t, path, { role: 'command' })
      t.equal((await inbox.events({ limit: 9 })).events.length, 1)
      t.same(await inbox.drifts(), [])
      await t.rejects(inbox.remove(keysOf('a')), { ...unavailable, message: /readonly.*this user may write/ })
      await inbox.close()
      t.same(readdirSync(join(folder, 'still')), ['inbox.db', 'inbox.db.lock'])
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  }
)

t.test('a server does not start on a file that lacks a table for the results of handlers', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  await (await open(t, path)).close()
  execute(path, 'DROP TABLE attempt')
  await t.rejects(open(t, path), { ...unavailable, message: /no such table: attempt/ })
})
