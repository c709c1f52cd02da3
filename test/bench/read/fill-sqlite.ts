import { closeSync, fsyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

import { sqliteInbox } from '../../../src/inbox/sqlite/engine.ts'
import { indexEvents } from '../../../src/inbox/sqlite/list-index.ts'
import { prepareStatements } from '../../../src/inbox/sqlite/statements.ts'
import type { ManyEvent } from '../../inbox/filters.ts'
import { bodies } from '../../inbox/many-bodies.ts'

/** After how many events the indexes of lists follow: few enough that the pages of these are still in memory. */
const stepSize = 20_000

/** Fills the inbox in this file. */
export async function fillSqlite(path: string, events: Iterable<ManyEvent>): Promise<void> {
  const inbox = sqliteInbox({ path })
  await inbox.open()
  await inbox.close()
  const db = new DatabaseSync(path)
  const insertEvent = db.prepare(
    `INSERT INTO event (realm, id, source, state, type, live_mode, endpoint, received_at, receipt, about, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, '{"checks":["signature"]}', ?, ?)`
  )
  const insertDelivery = db.prepare(
    // With an attempt, those that are due tomorrow are retries. Without one, the first claim would make them due.
    'INSERT INTO delivery (event_seq, realm, handler, state, due_at, order_key, attempts) VALUES (?, ?, ?, ?, ?, ?, 1)'
  )
  const statements = prepareStatements(db)
  let indexedTo = 0
  const index = (last: number): void => {
    indexEvents(statements, indexedTo, last)
    indexedTo = last
  }
  const tomorrow = Date.now() + 86_400_000
  // Without a log, which would be as large as the file.
  db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -1500000; BEGIN')
  let seq = 0
  for (const event of events) {
    const { realm, id, source, state, type, liveMode, endpoint, receivedAt, about, deliveries } = event
    const live = liveMode === undefined ? null : Number(liveMode)
    seq += 1
    insertEvent.run(
      realm,
      id,
      source,
      state,
      type,
      live,
      endpoint,
      receivedAt.getTime(),
      JSON.stringify(about),
      bodies(seq)
    )
    for (const { handler, state, orderKey } of deliveries)
      insertDelivery.run(seq, realm, handler, state, tomorrow, orderKey)
    if (seq - indexedTo >= stepSize) index(seq)
  }
  index(seq)
  db.exec('COMMIT; PRAGMA journal_mode = WAL')
  db.close()
  flush(path)
}

/** Puts the file on the disk. Otherwise, the first checkpoint of the server would write gigabytes. */
function flush(path: string): void {
  const file = openSync(path, 'r+')
  fsyncSync(file)
  closeSync(file)
}
