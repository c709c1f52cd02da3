import t from 'tap'

import { memoryInbox } from '../../src/inbox/memory/engine.ts'
import { inboxContract } from './contract.ts'

inboxContract(t, async () => {
  let now = 1_000_000_000_000
  const inbox = memoryInbox({ clock: () => now })
  await inbox.open()
  return {
    inbox,
    advance: (ms) => {
      now += ms
    },
    now: () => now
  }
})
