import { StatementSync } from 'node:sqlite'
import t, { type Test } from 'tap'

import type { EventFilter } from '../../src/inbox/inbox.ts'
import { smallBits } from '../../src/inbox/sqlite/key-segments.ts'
import { indexEvents } from '../../src/inbox/sqlite/list-index.ts'
import { listEvents } from '../../src/inbox/sqlite/list.ts'
import type { Statements } from '../../src/inbox/sqlite/statements.ts'
import { sortable } from '../../src/inbox/wanted.ts'
import { emptyStatements } from './empty-statements.ts'

// Risk: a list that takes ten times as long in an inbox of millions of events, because SQLite is called for each kind,
// or for each segment of the search keys.

t.test('a page takes as many calls of SQLite among 300 kinds as among 3', (t) => {
  const [few, many] = [fill(t, { kinds: 3 }), fill(t, { kinds: 300 })]
  for (const filter of [{ live: true }, { handler: 'h' }, { type: 'order.*' }, { realm: 'r', since: new Date(0) }])
    t.equal(countCalls(many, filter), countCalls(few, filter), JSON.stringify(filter))
  t.end()
})

t.test('a kind that is not wanted is not read', (t) => {
  const sql = fill(t, { kinds: 300 })
  const rowsOf = (filter: Partial<EventFilter>): number =>
    observe(() => listEvents(sql, { limit: 5, ...filter })).find(({ text }) => / FROM kind /.test(text))?.rows ?? 0
  t.equal(rowsOf({ type: 'order.7' }), 1)
  t.equal(rowsOf({ type: 'order.7', handler: 'h' }), 1)
  t.equal(rowsOf({ type: 'invoice.*' }), 0)
  t.equal(rowsOf({ type: 'order.*' }), 300)
  t.equal(rowsOf({ state: 'dead' }), 300)
  t.equal(rowsOf({ handler: 'other' }), 0)
  t.end()
})

t.test('nothing is counted if the first events of the kinds fill the page, or if there is one index', (t) => {
  const sql = fill(t, { kinds: 30 })
  const counts = (filter: Partial<EventFilter>): number =>
    observe(() => listEvents(sql, { limit: 5, ...filter })).filter(({ text }) => text.includes('count(*)')).length
  t.equal(counts({ handler: 'h', state: 'dead' }), 0)
  t.equal(counts({ state: 'dead' }), 0)
  t.equal(counts({ handler: 'h', state: 'done', type: 'order.*' }), 0)
  t.equal(counts({ handler: 'h', state: 'done', live: true }), 0)
  t.equal(counts({ type: 'order.*', since: new Date(0) }), 0)
  t.equal(counts({ type: 'order.*', until: new Date(2) }), 0)
  t.end()
})

t.test('the first events of the kinds are looked at only if many deliveries are in the state', (t) => {
  const checks = (kinds: number, state: 'dead' | 'pending'): number => {
    const sql = fill(t, { kinds })
    const calls = observe(() => listEvents(sql, { handler: 'h', type: 'order.*', state, limit: 5 }))
    return calls.filter(({ text }) => text.includes('AS other')).length
  }
  t.equal(checks(30, 'pending'), 0, 'none')
  t.equal(checks(30, 'dead'), 0, '150')
  t.not(checks(300, 'dead'), 0, '1,500')
  t.end()
})

t.test('keys with a beginning that most events have are not sorted, and no other segment is read', (t) => {
  const sql = fill(t, { segments: 1 })
  const insert = sql.db.prepare('INSERT INTO event_key (segment, value, event_seq) VALUES (0, ?, ?)')
  sql.db.exec('BEGIN')
  for (let n = 0; n < sortable; n += 1) insert.run(`many-${n}`, 2)
  sql.db.exec(`UPDATE event SET about = '["many-0"]' WHERE seq = 2; COMMIT`)
  const texts = observe(() => {
    t.strictSame(
      listEvents(sql, { about: 'many-*', limit: 5 }).events.map(({ id }) => id),
      ['2']
    )
  }).map(({ text }) => text)
  t.notOk(texts.some((text) => text.includes('DISTINCT k.event_seq')))
  t.notOk(texts.some((text) => / FROM event NOT INDEXED /.test(text) && !/ event\.seq [<>] \?/.test(text)))
  const few = observe(() => listEvents(sql, { about: 'key-*', limit: 5 })).map(({ text }) => text)
  t.ok(few.some((text) => text.includes('DISTINCT k.event_seq')))
  t.end()
})

t.test('a search takes as many calls of SQLite among 100 segments as in one', (t) => {
  const [few, many] = [fill(t, { segments: 1 }), fill(t, { segments: 100 })]
  for (const about of ['key-0', 'nothing', 'nothing*'])
    t.equal(countCalls(many, { about }), countCalls(few, { about }), about)
  t.end()
})

t.test('a page that the newest events fill looks for a key in few segments, and the pages of all in each once', (t) => {
  const sql = fill(t, { segments: 100 })
  const read = (filter: Partial<EventFilter>): readonly number[] => {
    const pages = []
    let next: number | undefined
    do {
      let looked = 0
      const calls = observe(() => {
        const page = listEvents(sql, { about: 'all', limit: 5, ...filter, after: next })
        next = page.next
      })
      for (const { text, rows } of calls) if (text.includes('AS position')) looked += rows
      pages.push(looked)
    } while (next !== undefined)
    return pages
  }
  for (const oldestFirst of [false, true]) {
    const looked = read({ oldestFirst })
    t.equal(looked.length, 60, 'pages')
    t.ok(Math.max(...looked) <= 8, `${Math.max(...looked)} segments`)
  }
  t.strictSame(read({ limit: 300 }), [37], 'a page of all events: a large segment, and 36 small ones')
  t.end()
})

t.test('the statements of a list are prepared once', (t) => {
  const sql = fill(t, { kinds: 3 })
  const filter = { handler: 'h', type: 'order.1', state: 'dead', limit: 2 } as const
  listEvents(sql, filter)
  const prepare = sql.db.prepare.bind(sql.db)
  const prepared: string[] = []
  sql.db.prepare = (text) => {
    prepared.push(text)
    return prepare(text)
  }
  listEvents(sql, { ...filter, type: 'order.2' })
  t.strictSame(prepared, [])
  t.end()
})

interface Content {
  readonly kinds?: number
  readonly segments?: number
}

/** Ten events of each kind, or three in each segment of the index of keys. */
function fill(t: Test, { kinds = 1, segments = 0 }: Content): Statements {
  const sql = emptyStatements(t)
  const { db } = sql
  db.exec('BEGIN')
  const insert = (seq: number, type: string, key: string): void => {
    db.prepare(
      `INSERT INTO event (seq, realm, id, source, state, type, live_mode, endpoint, received_at, receipt, about, body)
       VALUES (?, 'r', ?, 's', 'accepted', ?, 1, '/', 1, '{}', ?, x'00')`
    ).run(seq, String(seq), type, JSON.stringify([key, 'all']))
    sql.insertDelivery.run(seq, 'r', 'h', seq % 2 === 0 ? 'dead' : 'done', 0, null)
  }
  const seqs =
    segments === 0
      ? [...Array(kinds * 10).keys()].map((index) => index + 1)
      : [...Array(segments * 3).keys()].map((index) => Math.floor(index / 3) * 2 ** smallBits + (index % 3) + 1)
  for (const [index, seq] of seqs.entries()) insert(seq, `order.${index % kinds}`, `key-${index}`)
  indexEvents(sql, 0, seqs.at(-1) ?? 0)
  db.exec('COMMIT')
  return sql
}

/** The calls of SQLite that find the events of a page, without those that read them. */
function countCalls(sql: Statements, filter: Partial<EventFilter>): number {
  const calls = observe(() => {
    const { events } = listEvents(sql, { limit: 5, ...filter })
    if (filter.about !== 'nothing' && filter.about !== 'nothing*') t.ok(events.length > 0)
  })
  return calls.filter(({ text }) => !/WHERE (?:event_)?seq = \?/.test(text)).length
}

function observe(act: () => void): readonly { readonly text: string; readonly rows: number }[] {
  const calls: { readonly text: string; readonly rows: number }[] = []
  const { all, get } = StatementSync.prototype
  StatementSync.prototype.all = function (this: StatementSync, ...values: Parameters<StatementSync['all']>) {
    const rows = all.apply(this, values)
    calls.push({ text: this.sourceSQL, rows: rows.length })
    return rows
  } as StatementSync['all']
  StatementSync.prototype.get = function (this: StatementSync, ...values: Parameters<StatementSync['get']>) {
    const row = get.apply(this, values)
    calls.push({ text: this.sourceSQL, rows: row === undefined ? 0 : 1 })
    return row
  } as StatementSync['get']
  try {
    act()
  } finally {
    StatementSync.prototype.all = all
    StatementSync.prototype.get = get
  }
  return calls
}
