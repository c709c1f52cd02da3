import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Test } from 'tap'

import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { emptiedInboxes, type Emptied, type EmptiedInboxes } from './emptied-inboxes.ts'

export interface EmptiedFile extends Emptied {
  readonly path: string
}

/** Inboxes in SQLite files of this folder. */
export function emptiedSqlite(t: Pick<Test, 'teardown'>, folder: string): EmptiedInboxes<EmptiedFile> {
  return emptiedInboxes(t, async (clock, number) => {
    const path = join(folder, `emptied-${number}.db`)
    const inbox = sqliteInbox({ path, clock })
    await inbox.open()
    const first = readAll(path)
    return {
      inbox,
      path,
      empty: async () => {
        putBack(path, first)
      }
    }
  })
}

type Rows = readonly Record<string, SQLInputValue>[]

/** The rows of a file, by table. */
function readAll(path: string): ReadonlyMap<string, Rows> {
  return use(path, (db) => {
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    return new Map(tables.map(({ name }) => [String(name), db.prepare(`SELECT * FROM ${String(name)}`).all() as Rows]))
  })
}

function putBack(path: string, first: ReadonlyMap<string, Rows>): void {
  use(path, (db) => {
    db.exec('PRAGMA synchronous = OFF; BEGIN IMMEDIATE')
    // Those with longer names first: the triggers of `event` would look into `event_key` for each event.
    for (const name of [...first.keys()].toSorted((one, other) => other.length - one.length))
      db.exec(`DELETE FROM ${name}`)
    for (const [name, rows] of first)
      for (const row of rows) {
        const values = Object.values(row)
        db.prepare(`INSERT INTO ${name} VALUES (${Array(values.length).fill('?').join()})`).run(...values)
      }
    db.exec('COMMIT')
  })
}

function use<Result>(path: string, work: (db: DatabaseSync) => Result): Result {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    return work(db)
  } finally {
    db.close()
  }
}
