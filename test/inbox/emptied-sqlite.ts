import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Test } from 'tap'

import type { Inbox } from '../../src/inbox/inbox.ts'
import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { setClock, type SetClock } from './set-clock.ts'

export interface EmptiedInbox extends SetClock {
  /** Open and empty. */
  readonly inbox: Inbox
  /** The file. */
  readonly path: string
}

/** Inboxes in SQLite files that the tests of a file use one after the other. */
export interface EmptiedSqlite {
  /** Returns an inbox for one test, with a clock that is set back to its beginning. */
  take(t: Pick<Test, 'teardown' | 'passing'>): Promise<EmptiedInbox>
  /** Returns an inbox that `close()` empties for the next user. */
  open(clock: () => number): Promise<Inbox>
}

/**
 * The threads of an inbox take longer to start than most tests of the contract. So each inbox is emptied and used
 * again, with its threads. One that a test has closed, or in which a test has failed, is not.
 */
export function emptiedSqlite(t: Pick<Test, 'teardown'>, folder: string): EmptiedSqlite {
  const unused: Part[] = []
  const all: Part[] = []
  t.teardown(async () => {
    for (const { inbox } of all) await inbox.close()
  })
  const take = async (clock: () => number): Promise<Part> => {
    const known = unused.pop()
    const part = known ?? new Part(join(folder, `emptied-${all.length}.db`))
    part.clock = clock
    if (known !== undefined) return part
    all.push(part)
    await part.open()
    return part
  }
  const giveBack = async (part: Part): Promise<void> => {
    if (!(await part.isOpen())) return
    part.empty()
    unused.push(part)
  }
  return {
    async take(t) {
      const clock = setClock()
      const part = await take(clock.now)
      t.teardown(() => (t.passing() ? giveBack(part) : part.inbox.close()))
      return { inbox: part.inbox, path: part.path, ...clock }
    },
    async open(clock) {
      const part = await take(clock)
      return withOwn(part.inbox, { open: () => Promise.resolve(), close: () => giveBack(part) })
    }
  }
}

/** The same inbox, with some of its functions replaced. */
export function withOwn(inbox: Inbox, own: Partial<Inbox>): Inbox {
  return new Proxy(inbox, {
    get(target, name) {
      const value: unknown = Reflect.get(name in own ? own : target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}

class Part {
  clock: () => number = Date.now
  readonly path: string
  readonly inbox: Inbox
  /** The rows of a new file, by table. */
  #first: ReadonlyMap<string, readonly Record<string, SQLInputValue>[]> = new Map()

  constructor(path: string) {
    this.path = path
    this.inbox = sqliteInbox({ path, clock: () => this.clock() })
  }

  async open(): Promise<void> {
    await this.inbox.open()
    this.#use((db) => {
      const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
      this.#first = new Map(
        tables.map(({ name }) => [
          String(name),
          db.prepare(`SELECT * FROM ${String(name)}`).all() as Record<string, SQLInputValue>[]
        ])
      )
    })
  }

  async isOpen(): Promise<boolean> {
    return this.inbox.now().then(
      () => true,
      () => false
    )
  }

  /** Brings all tables back to their first rows. */
  empty(): void {
    this.#use((db) => {
      db.exec('PRAGMA synchronous = OFF; BEGIN IMMEDIATE')
      // Before the events, whose triggers would look into them for each event.
      const names = [...this.#first.keys()].toSorted((one, other) => other.length - one.length)
      for (const name of names) db.exec(`DELETE FROM ${name}`)
      for (const [name, rows] of this.#first)
        for (const row of rows)
          db.prepare(`INSERT INTO ${name} VALUES (?${', ?'.repeat(Object.keys(row).length - 1)})`).run(
            ...Object.values(row)
          )
      db.exec('COMMIT')
    })
  }

  #use(work: (db: DatabaseSync) => void): void {
    const db = new DatabaseSync(this.path, { timeout: 10_000 })
    try {
      work(db)
    } finally {
      db.close()
    }
  }
}
