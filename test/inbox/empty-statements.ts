import { DatabaseSync } from 'node:sqlite'
import type { Test } from 'tap'

import { migrate } from '../../src/inbox/sqlite/schema.ts'
import { prepareAll, prepareStatements, type Statements } from '../../src/inbox/sqlite/statements.ts'

/** All statements of an empty SQLite inbox in memory, prepared. It is closed after the test. */
export function emptyStatements(t: Test): Statements {
  const db = new DatabaseSync(':memory:')
  t.teardown(() => {
    db.close()
  })
  migrate(db)
  const sql = prepareStatements(db)
  prepareAll(sql)
  return sql
}
