import { DatabaseSync } from 'node:sqlite'
import t from 'tap'

import { listEvents } from '../../src/inbox/sqlite/list.ts'
import { migrate } from '../../src/inbox/sqlite/schema.ts'
import { prepareStatements } from '../../src/inbox/sqlite/statements.ts'

// Risk: a search that takes seconds in an inbox of millions of events.

t.test('a search starts at the index of keys, and reads the events of a key in their order', (t) => {
  const db = new DatabaseSync(':memory:')
  t.teardown(() => {
    db.close()
  })
  migrate(db)
  const sql = prepareStatements(db)
  sql.insertEvent.run('a', '1', 's', 'accepted', 'order.x', 0, null, '/', 1, null, '{}', null, 0, new Uint8Array())
  sql.insertKey.run(1, 'order-1')
  const prepare = db.prepare.bind(db)
  let plan: readonly string[] = []
  // The statement is built for each filter.
  db.prepare = (text) => {
    plan = prepare(`EXPLAIN QUERY PLAN ${text}`)
      .all()
      .map(({ detail }) => String(detail))
    return prepare(text)
  }
  const planOf = (filter: object): readonly string[] => {
    listEvents(sql, { limit: 50, ...filter })
    return plan
  }
  for (const more of [{}, { oldestFirst: true }, { after: 7 }, { realm: 'a', type: 'order.*' }]) {
    const steps = planOf({ about: 'order-1', ...more })
    t.match(steps[0], /^SEARCH k USING COVERING INDEX event_key_value \(value=\?/)
    t.match(steps[1], /^SEARCH event USING INTEGER PRIMARY KEY/)
    t.notOk(steps.some((step) => /TEMP B-TREE|^SCAN (?!json_each)/.test(step)))
    const beginning = planOf({ about: 'order*', ...more }).join('\n')
    t.match(beginning, /SEARCH k USING COVERING INDEX event_key_value \(value>\? AND value<\?\)/)
    t.notMatch(beginning, /SCAN (?:event|k)\b/)
  }
  t.end()
})
