import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

import { purgeBatch } from '../../src/inbox/retention.ts'
import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { indexEvents } from '../../src/inbox/sqlite/list-index.ts'
import { prune } from '../../src/inbox/sqlite/prune.ts'
import { arrival } from './arrivals.ts'
import { emptyStatements } from './empty-statements.ts'

// Risk: requests that wait for a purge, and for its copy of the log into the file.

const pageSize = 8_192

t.test('during a purge, the log is copied into the file long before it is as large as otherwise', async (t) => {
  const path = join(t.testdir(), 'inbox.db')
  const inbox = sqliteInbox({ path })
  const logSize = (): number => statSync(`${path}-wal`).size
  const body = Buffer.alloc(4 * pageSize, 'x')
  await inbox.open()
  const record = (from: number): Promise<unknown> =>
    inbox.record(Array.from({ length: 100 }, (_, index) => ({ ...arrival(`e${from + index}`), body })))
  for (let from = 0; from < 600; from += 100) await record(from)
  t.ok(logSize() > 2_000 * pageSize, 'a log of new events grows')
  await inbox.close()
  await inbox.open()
  t.teardown(() => inbox.close())
  let most = 0
  let purged = 0
  let after: number | undefined
  do {
    const batch = await inbox.prune({ before: new Date(Date.now() + 1_000), limit: purgeBatch, after })
    purged += batch.purged
    after = batch.next
    most = Math.max(most, logSize())
  } while (after !== undefined)
  t.equal(purged, 600)
  t.ok(most > 500 * pageSize, 'the purge has changed many pages')
  t.ok(most < 1_500 * pageSize, `${most} bytes`)
  for (let from = 1_000; from < 1_600; from += 100) await record(from)
  t.ok(logSize() > 2_000 * pageSize, 'after it, the log grows as before')
})

t.test('a purge does not look for kinds of events without events: they were deleted with the last one', (t) => {
  const sql = emptyStatements(t)
  const { db } = sql
  const insert = db.prepare(
    `INSERT INTO event (realm, id, source, state, type, endpoint, received_at, receipt, body)
     VALUES ('r', ?, 's', 'accepted', ?, '/', 1, '{}', x'00')`
  )
  for (let seq = 1; seq <= 100; seq += 1) {
    insert.run(String(seq), `type.${seq % 20}`)
    sql.insertDelivery.run(seq, 'r', 'h', 'done', 0, null)
  }
  indexEvents(sql, 0, 100)
  const kinds = (): number => Number(db.prepare('SELECT count(*) AS count FROM kind').get()?.['count'])
  t.equal(kinds(), 40)
  db.exec("DELETE FROM delivery WHERE event_seq IN (SELECT seq FROM event WHERE type = 'type.7')")
  t.equal(kinds(), 39)
  db.exec("DELETE FROM event WHERE type IN ('type.7', 'type.8') AND seq <> 8")
  t.equal(kinds(), 38)
  db.exec('DELETE FROM delivery WHERE event_seq NOT IN (SELECT seq FROM event)')
  prune(sql, { before: new Date(2), limit: 100 }, 2)
  t.equal(kinds(), 0)
  t.end()
})
