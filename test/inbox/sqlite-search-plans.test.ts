import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'

import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { smallBits } from '../../src/inbox/sqlite/key-segments.ts'
import { indexEvents } from '../../src/inbox/sqlite/list-index.ts'
import { listEvents } from '../../src/inbox/sqlite/list.ts'
import { PreparedOnce } from '../../src/inbox/sqlite/prepared.ts'
import { keysOf } from '../event-keys.ts'
import { arrival } from './arrivals.ts'
import { emptyStatements } from './empty-statements.ts'

// Risk: a search that takes seconds in an inbox of millions of events.

t.test('a search starts at the index of keys, and reads the events of a key in their order', (t) => {
  const sql = emptyStatements(t)
  const { db } = sql
  sql.insertEvent.run(
    'a',
    '1',
    's',
    'accepted',
    'order.x',
    0,
    null,
    '/',
    1,
    null,
    '{}',
    null,
    0,
    '["order-1"]',
    null,
    null,
    new Uint8Array()
  )
  indexEvents(sql, 0, 1_000)
  const prepare = db.prepare.bind(db)
  let plans: (readonly string[])[] = []
  // The statements are built for each filter: some count, then others search in the index and behind it.
  db.prepare = (text) => {
    const steps = prepare(`EXPLAIN QUERY PLAN ${text}`).all()
    if (!text.includes('count(*)')) plans.push(steps.map(({ detail }) => String(detail)))
    return prepare(text)
  }
  const plansOf = (filter: object): Record<'inIndex' | 'behind', readonly string[]> => {
    plans = []
    listEvents({ ...sql, built: new PreparedOnce(db) }, { limit: 50, ...filter })
    const isInIndex = (steps: readonly string[]): boolean => steps.some((step) => /^SEARCH k /.test(step))
    const [find = [], inIndex = [], ...more] = plans.filter(isInIndex)
    t.match(
      find.join('\n'),
      /SEARCH k (?:EXISTS )?USING PRIMARY KEY \(segment=\? AND value/,
      'all segments are looked into at once'
    )
    const [behind = []] = plans.filter((steps) => !isInIndex(steps) && /^SEARCH event /.test(steps[0] ?? ''))
    t.strictSame(more, [], 'one segment, so one search in the index')
    return { inIndex, behind }
  }
  for (const more of [{}, { oldestFirst: true }, { after: 7 }, { realm: 'a', type: 'order.*' }]) {
    const { inIndex, behind } = plansOf({ about: 'order-1', ...more })
    t.match(inIndex[0], /^SEARCH k USING PRIMARY KEY \(segment=\? AND value=\?/)
    t.match(inIndex[1], /^SEARCH event USING INTEGER PRIMARY KEY/)
    t.notOk(inIndex.some((step) => /TEMP B-TREE|^SCAN (?!json_each)/.test(step)))
    t.match(behind[0], /^SEARCH event USING INTEGER PRIMARY KEY \(rowid>\?/)
    // With a type, the events of that type are as few.
    if ('type' in more) continue
    const beginning = plansOf({ about: 'order*', ...more }).inIndex
    t.match(beginning.join('\n'), /SEARCH k USING PRIMARY KEY \(segment=\? AND value>\? AND value<\?\)/)
    t.notMatch(beginning.join('\n'), /SCAN (?:event|k)\b/)
  }
  t.end()
})

t.test(
  'every event is found by its keys, wherever the index ends, and removed events leave nothing in it',
  async (t) => {
    const path = join(t.testdir(), 'inbox.db')
    const inbox = sqliteInbox({ path })
    await inbox.open()
    t.teardown(() => inbox.close())
    const record = (from: number, to: number): Promise<unknown> =>
      inbox.record(
        Array.from({ length: to - from }, (_, index) =>
          arrival(`e${from + index}`, [], { about: ['all', `key-${from + index}`] })
        )
      )
    const count = async (about: string): Promise<number> => (await inbox.events({ about, limit: 1000 })).events.length
    let expected = 0
    for (const [from, to] of [
      [0, 300],
      [300, 499],
      [499, 500],
      [500, 600]
    ] as const) {
      await record(from, to)
      expected += to - from
      t.equal(await count('all'), expected)
      t.equal(await count(`key-${to - 1}`), 1)
      t.equal(
        await count(`key-${from}*`),
        [...Array(to).keys()].filter((n) => String(n).startsWith(String(from))).length
      )
    }
    const newest = [...Array(200).keys()].map((n) => `e${400 + n}`)
    t.equal(await inbox.remove(keysOf(...newest)), 200)
    await record(600, 650)
    await record(650, 1_300)
    t.equal(await count('key-620'), 1)
    t.equal(await count('key-450'), 0)
    t.equal(await inbox.remove(keysOf(...[...Array(1_300).keys()].map((n) => `e${n}`))), 1_100)
    const db = new DatabaseSync(path, { readOnly: true })
    t.equal(db.prepare('SELECT count(*) AS count FROM event_key').get()?.['count'], 0)
    db.close()
  }
)

t.test('events of one key are listed in their order, page by page, across the segments of the index', async (t) => {
  const path = join(t.testdir(), 'inbox.db')
  const ids = [...Array(1_200).keys()].map((n) => `e${n}`)
  // The events have the keys before and after the ends of the first two segments.
  for (const [at, part] of [
    [0, ids.slice(0, 400)],
    [2 ** smallBits - 200, ids.slice(400, 800)],
    [2 ** (smallBits + 1) - 200, ids.slice(800)]
  ] as const) {
    const inbox = sqliteInbox({ path })
    await inbox.open()
    await inbox.close()
    const db = new DatabaseSync(path)
    db.prepare(
      "INSERT OR REPLACE INTO sqlite_sequence (rowid, name, seq) VALUES ((SELECT rowid FROM sqlite_sequence WHERE name = 'event'), 'event', ?)"
    ).run(at)
    db.close()
    await inbox.open()
    await inbox.record(part.map((id) => arrival(id, [], { about: ['all', `key-${id}`] })))
    await inbox.close()
  }
  const inbox = sqliteInbox({ path })
  await inbox.open()
  t.teardown(() => inbox.close())
  for (const oldestFirst of [true, false])
    for (const about of ['all', 'key-*']) {
      const found: string[] = []
      for (let after: number | undefined; found.length < ids.length; ) {
        const page = await inbox.events({ about, limit: 170, oldestFirst, after })
        found.push(...page.events.map(({ id }) => id))
        if (page.next === undefined) break
        after = page.next
      }
      t.strictSame(found, oldestFirst ? ids : ids.toReversed())
    }
})
