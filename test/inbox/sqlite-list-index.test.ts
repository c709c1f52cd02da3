import t, { type Test } from 'tap'

import { indexEvents, pruneBlocks } from '../../src/inbox/sqlite/list-index.ts'
import { listEvents } from '../../src/inbox/sqlite/list.ts'
import { countAll } from '../../src/inbox/sqlite/read.ts'
import type { Statements } from '../../src/inbox/sqlite/statements.ts'
import { filtersByTwos, manyEvents } from './filters.ts'
import { emptyStatements } from './empty-statements.ts'

// Risk: an event that a list leaves out, or shows in vain, because the indexes follow in steps.

const deleteOrphans = 'DELETE FROM delivery WHERE event_seq NOT IN (SELECT seq FROM event)'
/** More than a block. */
const count = 1_400

t.test('each filter finds the same events, wherever the indexes end, and the statistics stay the same', (t) => {
  const sql = fill(t)
  const expected = readAll(sql)
  for (const last of [1, 1_100, count]) {
    indexEvents(sql, Number(sql.indexedTo.get()?.['seq']), last)
    t.equal(readAll(sql), expected, `up to event ${last}`)
  }
  t.end()
})

t.test('events that are removed or changed, also by hand, are as if they had not been indexed', (t) => {
  const [indexed, model] = [fill(t), fill(t)]
  indexEvents(indexed, 0, 1_100)
  for (const { db } of [indexed, model])
    db.exec(`
      DELETE FROM event WHERE seq % 7 = 0 OR seq BETWEEN 1060 AND 1120;
      UPDATE event SET type = 'order.new', live_mode = 1 WHERE seq % 5 = 0;
      DELETE FROM event WHERE type LIKE 'order.n%' AND seq % 2 = 0;
      ${deleteOrphans}`)
  const expected = readAll(model)
  t.equal(readAll(indexed), expected)
  pruneBlocks(indexed)
  indexEvents(indexed, 1_100, count)
  t.equal(readAll(indexed), expected)
  for (const { db } of [indexed, model]) db.exec(`DELETE FROM event WHERE seq < 1200; ${deleteOrphans}`)
  pruneBlocks(indexed)
  t.equal(readAll(indexed), readAll(model))
  indexed.db.exec(`DELETE FROM event; ${deleteOrphans}`)
  pruneBlocks(indexed)
  for (const table of ['event_key', 'event_kind', 'kind'])
    t.equal(indexed.db.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count'], 0, table)
  t.end()
})

t.test('pages of many kinds have all events in their order, however few of a kind are wanted', (t) => {
  const sql = fill(t)
  indexEvents(sql, 0, 1_300)
  const until = new Date(Number(sql.db.prepare('SELECT avg(received_at) AS middle FROM event').get()?.['middle']))
  const wanted = sql.db
    .prepare('SELECT id FROM event WHERE live_mode = 1 AND received_at < ? ORDER BY seq')
    .all(until.getTime())
    .map(({ id }) => id)
  t.ok(wanted.length > 300, 'enough for several readings of each kind')
  for (const oldestFirst of [true, false])
    for (const limit of [7, 300]) {
      const found: string[] = []
      let after: number | undefined
      do {
        const page = listEvents(sql, { live: true, until, limit, oldestFirst, after })
        found.push(...page.events.map(({ id }) => id))
        after = page.next
      } while (after !== undefined)
      t.same(found, oldestFirst ? wanted : wanted.toReversed(), `pages of ${limit}`)
    }
  t.end()
})

t.test('a delivery that is left of a deleted event is no event', (t) => {
  const sql = fill(t)
  const [seq] = sql.db.prepare("SELECT event_seq FROM delivery WHERE state = 'dead'").all().map(Object.values)
  sql.db.exec(`DELETE FROM event WHERE seq = ${String(seq)}`)
  const { events } = listEvents(sql, { state: 'dead', limit: 1_000 })
  t.equal(
    events.length,
    Number(
      sql.db.prepare(`SELECT count(DISTINCT event_seq) - 1 AS count FROM delivery WHERE state = 'dead'`).get()?.[
        'count'
      ]
    )
  )
  t.end()
})

/** Fills an inbox without any entry in the indexes. Some events arrived long before those around them. */
function fill(t: Test): Statements {
  const sql = emptyStatements(t)
  const { db } = sql
  db.exec('BEGIN')
  let seq = 0
  for (const { realm, id, source, state, type, endpoint, liveMode, receivedAt, about, deliveries } of manyEvents(
    count
  )) {
    seq += 1
    const at = receivedAt.getTime() - (seq % 900 < 60 ? 15 * 86_400_000 : 0)
    const live = liveMode === undefined ? null : Number(liveMode)
    const keys = JSON.stringify(about)
    sql.insertEvent.run(
      ...[realm, id, source, state, type, live, null, endpoint, at, null, '{}', null, 0, keys, null, null, Buffer.of()]
    )
    for (const { handler, state, orderKey } of deliveries)
      sql.insertDelivery.run(seq, realm, handler, state, 0, orderKey)
  }
  db.exec('COMMIT')
  return sql
}

/** The pages of some of the filters, and the statistics. */
function readAll(sql: Statements): string {
  const filters = filtersByTwos(20).filter((_, index) => index % 37 === 0)
  const lists = filters.map(({ filter }, index) => {
    const given = { ...filter, oldestFirst: index % 2 === 0 }
    const { events, next } = listEvents(sql, given)
    const rest = next === undefined ? [] : listEvents(sql, { ...given, after: next }).events
    return JSON.stringify([given, [...events, ...rest].map(({ id }) => id)])
  })
  return [...lists, JSON.stringify(countAll(sql, undefined, 0))].join('\n')
}
