import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'

import { memoryInbox } from '../../../src/inbox/memory/engine.ts'
import { encryptInbox } from '../../../src/inbox/open-inbox.ts'
import { sqliteInbox } from '../../../src/inbox/sqlite/engine.ts'
import { makeFolder } from '../../folder.ts'
import { inboxContract } from '../contract.ts'
import { setClock } from '../set-clock.ts'

// Risk: with encryption switched on, a promise of the inbox does not hold: an event is lost, repeated or not found.

let files = 0
const encryption = { keys: `k1:${randomBytes(32).toString('base64')}` }

t.test('memory', async (t) => {
  await inboxContract(t, async () => {
    const { now, advance } = setClock()
    const inbox = encryptInbox(memoryInbox({ clock: now }), encryption)
    await inbox.open()
    return {
      inbox,
      findsBeginnings: false,
      advance,
      now
    }
  })
})

t.test('sqlite', async (t) => {
  const folder = makeFolder(t)
  await inboxContract(t, async (t) => {
    const { now, advance } = setClock()
    const inbox = encryptInbox(sqliteInbox({ path: join(folder, `${files++}.db`), clock: now }), encryption)
    await inbox.open()
    t.teardown(() => inbox.close())
    return {
      inbox,
      findsBeginnings: false,
      advance,
      now
    }
  })
})
