import t, { type Test } from 'tap'

import { largeBits, mergeSegments, smallBits } from '../../src/inbox/sqlite/key-segments.ts'
import { listEvents } from '../../src/inbox/sqlite/list.ts'
import { replaceKeys } from '../../src/inbox/sqlite/search-keys.ts'
import type { Statements } from '../../src/inbox/sqlite/statements.ts'
import { emptyStatements } from './empty-statements.ts'

// Risk: an event that a search does not find, or finds twice, while its keys are copied; and a search that looks into
// hundreds of segments.

const [small, large] = [2 ** smallBits, 2 ** largeBits]
/** Most of one step: the next entries of the first small segment, and of the others. */
const mostAtOnce = 1_024 + 4_096

t.test('each search finds the same events, in their order, after each step of the merge', (t) => {
  const inbox = fill(t, seqsOfThreeLarge())
  t.equal(countSegments(inbox), 64 + 2 + 3)
  const steps = merge(inbox, (step) => {
    if (step % 5 === 0) checkSearches(t, inbox, `step ${step}`)
  })
  t.ok(steps > 20, `${steps} steps`)
  checkSearches(t, inbox, 'at the end')
  t.equal(countSegments(inbox), 2 + 3, 'two are complete; the third has three small ones')
  t.end()
})

t.test('a step copies or deletes a few thousand entries, even if all events have the same key', (t) => {
  const inbox = fill(t, seqsOfThreeLarge())
  const most = Number(
    inbox.sql.db
      .prepare('SELECT max(count) AS most FROM (SELECT count(*) AS count FROM event_key GROUP BY segment)')
      .get()?.['most']
  )
  let [before, longest] = [changesOf(inbox), 0]
  merge(inbox, () => {
    const now = changesOf(inbox)
    longest = Math.max(longest, now - before)
    before = now
  })
  t.ok(longest <= Math.max(most, mostAtOnce) + 5, `${longest} rows`)
  t.end()
})

t.test('keys that only two small segments have are copied a thousand at once, to keep pace with new ones', (t) => {
  const inbox = fill(
    t,
    [0, 1].flatMap((index) => [...Array(2_000).keys()].map((n) => index * small + n + 1)).concat(large)
  )
  const entries = Number(inbox.sql.db.prepare('SELECT count(*) AS count FROM event_key').get()?.['count'])
  const steps = merge(inbox, () => undefined)
  t.ok(steps < entries / 1_000 + 10, `${steps} steps for ${entries} entries`)
  checkSearches(t, inbox, 'at the end')
  t.end()
})

t.test('events that are removed, and keys that are replaced, during a merge leave nothing', (t) => {
  const inbox = fill(t, seqsOfThreeLarge())
  const { sql, keys } = inbox
  const steps = merge(inbox, (step) => {
    const seqs = [...keys.keys()]
    const [removed, replaced] = [seqs[(step * 37) % seqs.length] ?? 0, seqs[(step * 91 + 1) % seqs.length] ?? 0]
    sql.db.exec(`DELETE FROM event WHERE seq = ${removed}`)
    keys.delete(removed)
    if (keys.has(replaced)) {
      const about = ['all', `new-${step}`]
      replaceKeys(sql, replaced, { about, resource: undefined })
      keys.set(replaced, about)
    }
    if (step % 7 === 0) checkSearches(t, inbox, `step ${step}`)
  })
  checkSearches(t, inbox, `after ${steps} steps`)
  sql.db.exec('DELETE FROM event')
  t.equal(countSegments(inbox), 0)
  t.end()
})

t.test('a wide span without events is skipped', (t) => {
  const inbox = fill(t, [1, 2, 5_000 * large + 1, 5_000 * large + 2, 5_001 * large + 1])
  const steps = merge(inbox, () => undefined)
  t.ok(steps < 20, `${steps} steps`)
  checkSearches(t, inbox, 'at the end')
  t.end()
})

interface Filled {
  readonly sql: Statements
  /** The keys of each event. */
  readonly keys: Map<number, readonly string[]>
}

/** Three events in each small segment of the first large one, and hundreds in some. */
function seqsOfThreeLarge(): readonly number[] {
  const inEach = [...Array(64).keys()].flatMap((index) => [1, 2, 3].map((n) => index * small + n))
  const many = [0, 1, 40, 41].flatMap((index) => [...Array(600).keys()].map((n) => index * small + 10 + n))
  const later = [64, 70, 128, 129, 150].flatMap((index) => [...Array(100).keys()].map((n) => index * small + n))
  return [...inEach, ...many, ...later].toSorted((a, b) => a - b)
}

/** Fills an inbox with events that have a key of all, one of a few, one in the order of arrival, and one at random. */
function fill(t: Test, seqs: readonly number[]): Filled {
  const sql = emptyStatements(t)
  const { db } = sql
  const insert = db.prepare(
    `INSERT INTO event (seq, realm, id, source, state, type, endpoint, received_at, receipt, about, body)
     VALUES (?, 'r', ?, 's', 'accepted', 'order.new', '/', 1, '{}', ?, x'00')`
  )
  const keys = new Map<number, readonly string[]>()
  db.exec('BEGIN')
  for (const [index, seq] of seqs.entries()) {
    const ofEvent = ['all', `few-${index % 5}`, `late-${seq}`, `any-${(index * 7_919) % 997}-${index}`]
    insert.run(seq, String(seq), JSON.stringify(ofEvent))
    keys.set(seq, ofEvent)
  }
  const last = seqs.at(-1) ?? 0
  sql.indexKeys.run(0, last)
  sql.setIndexedTo.run(last)
  db.exec('COMMIT')
  return { sql, keys }
}

/** Merges step by step. @returns how many steps changed something */
function merge({ sql }: Filled, after: (step: number) => void): number {
  const last = Number(sql.indexedTo.get()?.['seq'])
  const state = (): string => JSON.stringify(sql.keySegments.get())
  for (let step = 0; ; step += 1) {
    const before = state()
    mergeSegments(sql, last, 1)
    if (state() === before) return step
    after(step)
  }
}

function checkSearches(t: Test, { sql, keys }: Filled, when: string): void {
  const others = [...keys.values()].filter((_, index) => index % 400 === 0).map((each) => each.at(-1) ?? '')
  for (const about of ['all', 'few-3', 'late-*', 'any-1*', 'none', ...others])
    for (const oldestFirst of [true, false]) {
      const isWanted = (key: string): boolean =>
        about.endsWith('*') ? key.startsWith(about.slice(0, -1)) : key === about
      const wanted = [...keys].filter(([, ofEvent]) => ofEvent.some(isWanted)).map(([seq]) => String(seq))
      const expected = oldestFirst ? wanted : wanted.toReversed()
      const first = listEvents(sql, { about, oldestFirst, limit: 150 })
      const rest =
        first.next === undefined ? [] : listEvents(sql, { about, oldestFirst, limit: 150, after: first.next }).events
      const found = [...first.events, ...rest].map(({ id }) => id)
      if (JSON.stringify(found) !== JSON.stringify(expected.slice(0, 300))) t.fail(`${when}: ${about}`)
    }
  t.pass(when)
}

function countSegments({ sql }: Filled): number {
  return Number(sql.db.prepare('SELECT count(DISTINCT segment) AS count FROM event_key').get()?.['count'])
}

function changesOf({ sql }: Filled): number {
  return Number(sql.db.prepare('SELECT total_changes() AS count').get()?.['count'])
}

// Risk: an event whose keys are replaced before the index has it is found twice, and another one never.
t.test('events whose keys are replaced before they are in the index are found once, page by page', (t) => {
  for (const indexedTo of [0, 2, 6])
    for (const oldestFirst of [true, false])
      for (const about of ['k', 'k*']) {
        const { sql } = fill(t, [])
        const insert = sql.db.prepare(
          `INSERT INTO event (seq, realm, id, source, state, type, endpoint, received_at, receipt, about, body)
           VALUES (?, 'r', ?, 's', 'accepted', 'order.new', '/', 1, '{}', '["k"]', x'00')`
        )
        for (let seq = 1; seq <= 6; seq += 1) insert.run(seq, String(seq))
        sql.indexKeys.run(0, indexedTo)
        sql.setIndexedTo.run(indexedTo)
        for (const seq of [4, 5, 6]) replaceKeys(sql, seq, { about: ['k'], resource: undefined })
        const found: string[] = []
        let after: number | undefined
        do {
          const page = listEvents(sql, { about, limit: 2, oldestFirst, ...(after !== undefined && { after }) })
          found.push(...page.events.map(({ id }) => id))
          after = page.next
        } while (after !== undefined)
        const expected = ['1', '2', '3', '4', '5', '6']
        t.same(found, oldestFirst ? expected : expected.toReversed(), `${about}, indexed to ${indexedTo}`)
      }
  t.end()
})
