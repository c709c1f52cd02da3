import t from 'tap'

import { memoryInbox } from '../../src/inbox/memory/engine.ts'
import { inboxContract } from './contract.ts'
import { setClock } from './set-clock.ts'

inboxContract(t, async () => {
  const { now, advance } = setClock()
  const inbox = memoryInbox({ clock: now })
  await inbox.open()
  return {
    inbox,
    advance,
    now
  }
})
