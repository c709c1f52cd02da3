import { randomBytes } from 'node:crypto'
import t from 'tap'

import { memoryInbox } from '../../../src/inbox/memory/engine.ts'
import { encryptInbox } from '../../../src/inbox/open-inbox.ts'
import { makeFolder } from '../../folder.ts'
import { inboxContract } from '../contract.ts'
import { another } from '../emptied-inboxes.ts'
import { emptiedSqlite } from '../emptied-sqlite.ts'
import { setClock } from '../set-clock.ts'

// Risk: with encryption switched on, a promise of the inbox does not hold: an event is lost, repeated or not found.

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
  const inboxes = emptiedSqlite(t, makeFolder(t))
  await inboxContract(t, async (t) => {
    const { inbox: engine, now, advance } = await inboxes.take(t)
    // A new object, because an engine is encrypted with one set of keys for its life.
    const inbox = encryptInbox(another(engine), encryption)
    await inbox.open()
    return {
      inbox,
      findsBeginnings: false,
      advance,
      now
    }
  })
})
