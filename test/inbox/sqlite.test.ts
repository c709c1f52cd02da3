import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'

import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from './arrivals.ts'
import { inboxContract } from './contract.ts'
import { sameAsMemory } from './same-as-memory.ts'

const folder = makeFolder(t)
let files = 0

inboxContract(t, async (t) => {
  let now = 1_000_000_000_000
  const inbox = sqliteInbox({ path: join(folder, `${files++}.db`), clock: () => now })
  await inbox.open()
  t.teardown(() => inbox.close())
  return { inbox, advance: (ms) => { now += ms }, now: () => now }
})

t.test('any history is answered as the memory engine answers it', async (t) => {
  await sameAsMemory(t, (clock) => sqliteInbox({ path: join(folder, `${files++}.db`), clock }))
})

t.test('a file of the version before is brought up, with what is in it', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const first = sqliteInbox({ path })
  await first.open()
  await first.record([arrival('old', ['ship'])])
  await first.close()
  const db = new DatabaseSync(path)
  db.exec('ALTER TABLE event DROP COLUMN backfilled; DROP TABLE watermark; DROP TABLE drift; ALTER TABLE handler DROP COLUMN ordered; ALTER TABLE server DROP COLUMN lock; PRAGMA user_version = 1')
  db.close()

  const inbox = sqliteInbox({ path })
  await inbox.open()
  t.teardown(() => inbox.close())
  t.match(await inbox.event('old'), { id: 'old', backfilled: false, deliveries: [{ handler: 'ship', state: 'pending' }] })
  await inbox.advance('name', new Date(1_000))
  t.same(await inbox.watermark('name'), new Date(1_000))
})
