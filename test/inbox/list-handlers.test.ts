import t from 'tap'

import { memoryInbox } from '../../src/index.ts'
import { listHandlers } from '../../src/programs.ts'
import { arrival } from './arrivals.ts'

// Risk: a person who paused a handler reads that it is late, and looks for a fault.

t.test('the deliveries of a paused handler wait on purpose, and are not overdue', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const inbox = memoryInbox({ clock: () => now })
  t.teardown(() => inbox.close())
  await inbox.open()
  await inbox.record([arrival('1', ['ship'])])
  now += 60_000
  t.match(await listHandlers(inbox), [{ name: 'ship', oldestDueAt: Date, pausedSince: undefined }])
  await inbox.pause('ship')
  t.match(await listHandlers(inbox), [{ name: 'ship', oldestDueAt: undefined, pausedSince: Date }])
  await inbox.resume('ship')
  t.match(await listHandlers(inbox), [{ name: 'ship', oldestDueAt: Date }])
})
