import { DatabaseSync } from 'node:sqlite'
import t from 'tap'

import { migrate } from '../../src/inbox/sqlite/schema.ts'
import { statements } from '../../src/inbox/sqlite/statements.ts'

/** Statements that read a whole table: those of commands for people, and of the start. */
const mayScan = new Set(['countEvents', 'countDeliveries', 'unsettledHandlers', 'park'])

// Risk: a receiver that gets slower with every stored event.
t.test(
  'every statement uses an index to find events, deliveries and attempts, except those of stats and of the start',
  (t) => {
    const db = new DatabaseSync(':memory:')
    t.teardown(() => {
      db.close()
    })
    migrate(db)
    const planOf = (sql: string): string[] =>
      db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail))
    const scans = Object.entries(statements).flatMap(([name, sql]) =>
      mayScan.has(name)
        ? []
        : planOf(sql).flatMap((step) => (/^SCAN (event|delivery|attempt|d|e)\b/.test(step) ? `${name}: ${step}` : []))
    )
    t.same(scans, [])
    for (const name of ['isKnown', 'eventById', 'quarantined', 'acceptedSeq', 'removable'] as const)
      t.match(planOf(statements[name])[0], /INDEX event_id \(id=\? AND realm=\?\)/, name)
    for (const name of ['keyIsRunning', 'headOfKey', 'nextOfKey', 'parkedOfKey'] as const)
      t.match(planOf(statements[name])[0], /\(handler=\? AND realm=\? AND order_key=\?\)/, name)
    t.match(planOf(statements.due)[0], /INDEX delivery_due \(handler=\? AND due_at<\?\)/)
    t.match(
      planOf('SELECT * FROM event WHERE id = ? ORDER BY seq DESC LIMIT ?')[0],
      /INDEX event_id/,
      'an id of any realm'
    )
    t.end()
  }
)
