import { join } from 'node:path'
import t from 'tap'

import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { inboxContract } from './contract.ts'

inboxContract(t, async (t) => {
  let now = 1_000_000_000_000
  const inbox = sqliteInbox({ path: join(t.testdir(), 'inbox.db'), clock: () => now })
  await inbox.open()
  t.teardown(() => inbox.close())
  return { inbox, advance: (ms) => { now += ms }, now: () => now }
})
