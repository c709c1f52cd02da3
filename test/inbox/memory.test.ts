import t from 'tap'

import { memoryInbox } from '../../src/inbox/memory/engine.ts'
import { keyOf } from '../event-keys.ts'
import { arrival } from './arrivals.ts'
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

// Risk: memory that grows by a megabyte with each small event that is recorded beside a large duplicate.
t.test('an event keeps its own bytes, and not the buffer that they are a part of', async (t) => {
  const inbox = memoryInbox()
  await inbox.open()
  t.teardown(() => inbox.close())
  const body = Buffer.alloc(1_000_000, ' ').subarray(0, 10)
  await inbox.record([arrival('e1', [], { body })])
  const stored = await inbox.event(keyOf('e1'))
  t.equal(stored?.body.byteLength, 10)
  t.equal(stored?.body.buffer.byteLength, 10)
})
