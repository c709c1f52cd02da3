import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync
} from 'node:fs'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'

import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { checkLog } from '../../src/inbox/sqlite/mark.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from './arrivals.ts'

// Risk: the inbox itself. SQLite replays any log that is beside a file, including beside a restored backup.

const unavailable = { code: 'RIVERHOOK_INBOX_UNAVAILABLE' }

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

function using(path: string, use: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(path)
  use(db)
  db.close()
}

const vacuumInto = (path: string, to: string): void => {
  using(path, (db) => {
    db.exec(`VACUUM INTO '${to}'`)
  })
}

/**
 * The ways to copy a file while its server runs, with 30 events in the backup and 60 in the file and log of the killed
 * server.
 */
async function killed(t: Test) {
  const folder = makeFolder(t, { live: {}, left: {} })
  const path = join(folder, 'live/inbox.db')
  const backups = ['vacuum', 'api', 'cp'].map((name) => join(folder, name)) as [string, string, string]
  const inbox = await open(t, path)
  await inbox.record(events(0, 30))
  vacuumInto(path, backups[0])
  const db = new DatabaseSync(path)
  await backup(db, backups[1])
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  copy(path, backups[2])
  db.close()
  await inbox.record(events(30, 15))
  using(path, (other) => {
    other.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  })
  await inbox.record(events(45, 15))
  for (const suffix of ['', '-wal']) copy(path + suffix, join(folder, `left/inbox.db${suffix}`))
  await inbox.close()
  return { backups, path: join(folder, 'left/inbox.db') }
}

t.test(
  'a restored backup beside the log of a killed server is not destroyed, nor is the log of a file that was moved away',
  async (t) => {
    const { backups, path } = await killed(t)
    renameSync(path, `${path}.moved`)
    await t.rejects(sqliteInbox({ path }).open(), { ...unavailable, message: /its write-ahead log .* is there/ })
    t.notOk(existsSync(path), 'no new inbox, for which SQLite would remove the log')
    t.ok(existsSync(`${path}-wal`))
    copy(`${path}.moved`, `${path}.whole`)
    copy(`${path}-wal`, `${path}.whole-wal`)
    using(`${path}.whole`, (db) => {
      t.match(db.prepare('SELECT count(*) AS count FROM event').get(), { count: 60 }, 'and it can be put back')
    })
    copy(`${path}-wal`, `${path}-wal.left`)
    for (const saved of backups) {
      copy(saved, path)
      copy(`${path}-wal.left`, `${path}-wal`)
      const before = ['', '-wal'].map((suffix) => readFileSync(path + suffix))
      await t.rejects(sqliteInbox({ path }).open(), {
        ...unavailable,
        message: /inbox\.db-wal does not belong to .*Nothing was changed.*riverhook inbox restore/
      })
      await t.rejects(sqliteInbox({ path, role: 'command' }).open(), unavailable, 'nor by a command that only reads')
      t.same(
        ['', '-wal'].map((suffix) => readFileSync(path + suffix)),
        before,
        'no byte of either'
      )
      renameSync(`${path}-wal`, `${path}-wal.kept`)
      const inbox = await open(t, path)
      t.equal((await inbox.stats()).events, 30, 'the instruction of the message works')
      await inbox.close()
    }
  }
)

t.test(
  'a killed server’s own log is always replayed, after a kill at any moment and a write by any process',
  async (t) => {
    const folder = makeFolder(t, { live: {} })
    const path = join(folder, 'live/inbox.db')
    const inbox = await open(t, path)
    let moments = 0
    const kill = (expected: number): void => {
      const left = join(folder, `left${moments++}`)
      mkdirSync(left)
      for (const suffix of ['', '-wal'])
        if (existsSync(path + suffix)) copy(path + suffix, join(left, `inbox.db${suffix}`))
      const descriptor = openSync(join(left, 'inbox.db'), 'r')
      checkLog(join(left, 'inbox.db'), descriptor)
      closeSync(descriptor)
      using(join(left, 'inbox.db'), (db) => {
        t.match(db.prepare('SELECT count(*) AS count FROM event').get(), { count: expected })
      })
    }
    kill(0)
    await inbox.record(events(0, 1))
    kill(1)
    // Another program's commits are not counted by a mark. A partial checkpoint leaves the log behind.
    using(path, (db) => {
      db.exec('CREATE TABLE foreign_table (x); PRAGMA wal_checkpoint(PASSIVE); DROP TABLE foreign_table')
    })
    kill(1)
    using(path, (db) => {
      db.exec('PRAGMA wal_checkpoint(TRUNCATE); CREATE TABLE foreign_table (x)')
    })
    kill(1)
    // More than SQLite checkpoints automatically.
    await inbox.record(events(1, 6).map((each) => ({ ...each, body: Buffer.alloc(1024 * 1024, 0x20) })))
    await inbox.record(events(7, 1))
    kill(8)
  }
)

t.test(
  'a file that is deleted, replaced or overwritten during use is an error until a restart, and never a new inbox',
  async (t) => {
    const ways: Readonly<Record<string, (path: string, backup: string) => void>> = {
      deleted: (path) => {
        for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
      },
      'moved away': (path) => {
        renameSync(path, `${path}.moved`)
      },
      replaced: (path, backup) => {
        renameSync(path, `${path}.moved`)
        copy(backup, path)
      },
      'moved over': (path, backup) => {
        copy(backup, `${path}.new`)
        renameSync(`${path}.new`, path)
      },
      overwritten: (path, backup) => {
        copy(backup, path)
      }
    }
    for (const [how, act] of Object.entries(ways)) {
      const folder = makeFolder(t, { [how]: {} })
      const path = join(folder, how, 'inbox.db')
      const saved = join(folder, `${how}.backup`)
      const inbox = await open(t, path)
      await inbox.record(events(0, 30))
      vacuumInto(path, saved)
      await inbox.record(events(30, 30))
      act(path, saved)
      const said = { 'moved away': 'deleted', 'moved over': 'replaced' }[how] ?? how
      const expected = { ...unavailable, message: new RegExp(`was ${said} under the running server`) }
      await t.rejects(inbox.record(events(60, 1)), expected, how)
      await t.rejects(inbox.probe(), expected, 'and the health check reports it')
      await inbox.close()
      const kept = readdirSync(join(folder, how)).find((name) => /^inbox\.db\.(?:saved-|moved$)/.test(name))
      if (how !== 'overwritten') {
        const file = join(folder, how, kept!)
        using(file, (db) => {
          t.match(
            db.prepare('SELECT count(*) AS count FROM event').get(),
            { count: 60 },
            `${how}: its content is kept whole`
          )
        })
        t.equal(statSync(file).mode & 0o777, 0o600)
      }
      if (said === 'deleted') {
        t.notOk(existsSync(path), 'nothing was created in its place')
        copy(saved, path)
      }
      t.same(readFileSync(path), readFileSync(saved), 'the backup is unchanged')
      if (how === 'overwritten') renameSync(`${path}-wal`, `${path}-wal.kept`)
      t.equal((await (await open(t, path)).stats()).events, 30)
    }
  }
)

t.test('a file and its log that are both overwritten within one checkpoint are an error too', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const inbox = await open(t, path)
  await inbox.record(events(0, 30))
  for (const suffix of ['', '-wal']) copy(path + suffix, `${path}.backup${suffix}`)
  await inbox.record(events(30, 30))
  for (const suffix of ['', '-wal']) copy(`${path}.backup${suffix}`, path + suffix)
  await t.rejects(inbox.record(events(60, 1)), { ...unavailable, message: /was overwritten under the running server/ })
  await inbox.close()
  t.equal((await (await open(t, path)).stats()).events, 30, 'and the backup is whole')
})

t.test('an overwritten file is not written to by a server that ends before it notices', async (t) => {
  const folder = makeFolder(t)
  const path = join(folder, 'inbox.db')
  const inbox = await open(t, path)
  await inbox.record(events(0, 30))
  vacuumInto(path, `${path}.backup`)
  await inbox.record(events(30, 30))
  copy(`${path}.backup`, path)
  await inbox.close()
  t.same(readFileSync(path), readFileSync(`${path}.backup`))
  t.ok(statSync(`${path}-wal`).size > 0, 'and its log is kept')
})

t.test('removing the lock file does not release the lock', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const first = await open(t, path)
  await first.record(events(0, 1))
  rmSync(`${path}.lock`)
  await t.rejects(sqliteInbox({ path }).open(), { code: 'RIVERHOOK_INBOX_IN_USE', message: /lock file was removed/ })
  t.same(await first.record(events(0, 2)), ['duplicate', 'accepted'], 'the first one continues')
  await first.close()
  t.equal((await (await open(t, path)).stats()).events, 2)
})
