import { DatabaseSync } from 'node:sqlite'
import t from 'tap'

import type { EventFilter } from '../../src/inbox/inbox.ts'
import { indexEvents } from '../../src/inbox/sqlite/list-index.ts'
import { listEvents } from '../../src/inbox/sqlite/list.ts'
import { migrate } from '../../src/inbox/sqlite/schema.ts'
import { PreparedOnce } from '../../src/inbox/sqlite/prepared.ts'
import { prepareStatements, statements } from '../../src/inbox/sqlite/statements.ts'
import { filtersByTwos, manyEvents } from './filters.ts'

const db = new DatabaseSync(':memory:')
t.teardown(() => {
  db.close()
})
migrate(db)
const prepared = prepareStatements(db)

const planOf = (sql: string, values: readonly (string | number)[] = []): string[] =>
  db
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all(...values)
    .map(({ detail }) => String(detail))

/** Statements that read a whole table, or a whole index: of commands for people. */
const mayScan = new Set(['countOpen', 'countQuarantined', 'oldestEvent', 'countEvents', 'countDeliveries', 'retries'])

// Risk: a receiver that gets slower with every stored event.
t.test('every statement uses an index to find events, deliveries and attempts, except those of stats', (t) => {
  const scans = Object.entries(statements).flatMap(([name, sql]) =>
    mayScan.has(name) || name === 'failed'
      ? []
      : planOf(sql).flatMap((step) => (/^SCAN (event|delivery|attempt|d|e)\b/.test(step) ? `${name}: ${step}` : []))
  )
  t.same(scans, [])
  const [newest, ...others] = planOf(statements.failed)
  t.equal(newest, 'SCAN d USING INDEX delivery_error', 'it reads as many entries as its limit')
  t.notMatch(others.join(), /SCAN|TEMP B-TREE FOR ORDER BY/)
  t.equal(planOf(statements.retries)[0], 'SCAN delivery USING INDEX delivery_error', 'only what fails')
  for (const name of ['isKnown', 'eventById', 'quarantined', 'acceptedSeq', 'changeable'] as const)
    t.match(planOf(statements[name])[0], /INDEX event_id \(id=\? AND realm=\?\)/, name)
  for (const name of ['keyIsRunning', 'headOfKey', 'nextOfKey', 'parkedOfKey'] as const)
    t.match(planOf(statements[name])[0], /\(handler=\? AND realm=\? AND order_key=\?\)/, name)
  t.match(planOf(statements.due)[0], /INDEX delivery_due \(handler=\? AND due_at<\?\)/)
  t.end()
})

const preparesAgain = /LIMIT \?(?! \+ 0)/

// Risk: each claim, and each page of a list, takes several times as long.
t.test('no statement is prepared again each time that its limit gets a value', (t) => {
  for (const [name, sql] of Object.entries(statements)) t.notMatch(sql, preparesAgain, name)
  t.end()
})

// Risk: a write that is not counted as a change gets no mark of the file (src/inbox/sqlite/mark.ts). SQLite does not
// count those of a DELETE that empties a table.
t.test('every statement that deletes has a condition', (t) => {
  for (const [name, sql] of Object.entries(statements)) t.notMatch(sql, /^\s*DELETE FROM \w+\s*$/, name)
  t.end()
})

t.test('statistics read indexes, never the events and the deliveries themselves', (t) => {
  for (const step of planOf(statements.countEvents))
    t.notMatch(step, /^SCAN event\b(?! USING (?:COVERING INDEX|INDEX event_quarantined))/)
  for (const step of planOf(statements.countDeliveries))
    t.notMatch(step, /^SCAN delivery(?! USING COVERING INDEX)|^S.* event_kind(?! USING PRIMARY KEY \(kind=\?\))/)
  t.end()
})

// Risk: a list that takes seconds in an inbox of millions of events.
t.test('each filter of a list, alone and with another one, has an index, and reads no more than it must', (t) => {
  const insertEvent = db.prepare(
    `INSERT INTO event (realm, id, source, state, type, live_mode, endpoint, received_at, receipt, about, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, '{}', ?, x'')`
  )
  const insertDelivery = db.prepare(
    'INSERT INTO delivery (event_seq, realm, handler, state, due_at, order_key) VALUES (?, ?, ?, ?, 0, ?)'
  )
  db.exec('BEGIN')
  for (const event of manyEvents(12_000)) {
    const { realm, id, source, state, type, liveMode, endpoint, receivedAt, about, deliveries } = event
    const { lastInsertRowid } = insertEvent.run(
      realm,
      id,
      source,
      state,
      type,
      liveMode === undefined ? null : Number(liveMode),
      endpoint,
      receivedAt.getTime(),
      JSON.stringify(about)
    )
    for (const delivery of deliveries)
      insertDelivery.run(lastInsertRowid, realm, delivery.handler, delivery.state, delivery.orderKey)
  }
  indexEvents(prepared, 0, 11_800)
  db.exec('COMMIT')
  for (const { filter, name } of filtersByTwos()) {
    const plans: string[][] = []
    const prepare = (sql: string) => {
      if (preparesAgain.test(sql)) t.fail(sql)
      plans.push(planOf(sql))
      return db.prepare(sql)
    }
    const spy = { prepare } as unknown as DatabaseSync
    listEvents({ ...prepared, built: new PreparedOnce(spy) }, filter)
    const scans = plans
      .flat()
      .filter((step) =>
        /^SCAN (?:event|d|other)\b(?!.* INDEX (?:event_q|delivery_))|event_kind \(source=\?\)$/.test(step)
      )
    t.same(
      scans.filter((step) => !(step === 'SCAN event' && hasMost(filter))),
      [],
      `${name}: ${JSON.stringify(filter)}`
    )
  }
  t.end()
})

t.test('failing deliveries are found in the order of their events, each event once', (t) => {
  const plans: string[][] = []
  const spy = { prepare: (sql: string) => (plans.push(planOf(sql)), db.prepare(sql)) } as unknown as DatabaseSync
  listEvents({ ...prepared, built: new PreparedOnce(spy) }, { error: 'x', limit: 50 })
  const steps = plans.flat().join('\n')
  t.match(steps, /INDEX delivery_error/)
  t.notMatch(steps, /TEMP B-TREE|SCAN event\b/)
  t.end()
})

// Risk: behind a backlog of thousands, the list of running deliveries takes seconds.
t.test('deliveries of each state are found by an index, behind any backlog', (t) => {
  const addBacklog = (count: number): void => {
    db.exec(`
      WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${count})
      INSERT OR IGNORE INTO delivery (event_seq, realm, handler, state, due_at) SELECT n, 'shop', 'backlog', 'pending', 0 FROM number`)
    indexEvents(prepared, 0, 11_800)
  }
  const stepsOf = (filter: Partial<EventFilter>): string => {
    const plans: string[][] = []
    const spy = { prepare: (sql: string) => (plans.push(planOf(sql)), db.prepare(sql)) } as unknown as DatabaseSync
    listEvents({ ...prepared, built: new PreparedOnce(spy) }, { limit: 50, ...filter })
    return plans.flat().join('\n')
  }
  addBacklog(6_000)
  for (const state of ['running', 'pending', 'waiting', 'parked', 'dead'] as const)
    t.notMatch(stepsOf({ state }), /SCAN (?:event|d|delivery)\b|SEARCH d USING (?!COVERING)/, state)
  for (const filter of [{ state: 'dead' }, { state: 'done' }, { state: 'done', handler: 'erp' }] as const)
    t.notMatch(stepsOf(filter), /TEMP B-TREE|SCAN (?:d|delivery)\b/, filter.state)
  // Too many to sort.
  addBacklog(60_000)
  t.notMatch(stepsOf({ state: 'pending', handler: 'backlog' }), /TEMP B-TREE|SCAN (?:event|d|delivery)\b/)
  t.end()
})

/** True for a filter that most events pass, or that has no index: their events are read in order. */
function hasMost({ limit: _limit, state, since: _since, until: _until, ...others }: EventFilter): boolean {
  const { type = '*', endpoint: _endpoint, live: _live, ...rest } = others
  return type === '*' && Object.keys(rest).length === 0 && [undefined, 'accepted'].includes(state)
}
