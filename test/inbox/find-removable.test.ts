import t from 'tap'

import { memoryInbox } from '../../src/index.ts'
import { findRemovable } from '../../src/inbox/find-removable.ts'
import { arrival } from './arrivals.ts'

// Risk: a search for events to remove occupies the inbox for minutes after its client has disconnected.

const inbox = memoryInbox()
await inbox.open()
await inbox.record(Array.from({ length: 1_100 }, (_, index) => arrival(`e${index}`)))

for (const limits of [{ timeMs: 0 }, { signal: AbortSignal.abort() }])
  t.test(`a search is ended by ${Object.keys(limits).join()}, and says how far it came`, async (t) => {
    const { targets, capped, searchedTo } = await findRemovable(inbox, { oldestFirst: true }, limits)
    t.match({ count: targets.length, capped }, { count: 500, capped: true })
    t.match(await findRemovable(inbox, { oldestFirst: true, upTo: searchedTo }), { targets, capped: false })
  })

t.test('without limits, all are found', async (t) => {
  const { targets, capped, searchedTo } = await findRemovable(inbox, {}, { timeMs: 60_000 })
  t.same([targets.length, capped, searchedTo], [1_100, false, undefined])
})
