import t from 'tap'

import { memoryInbox } from '../../src/index.ts'
import { findErasable, findRemovable } from '../../src/inbox/find-seen.ts'
import { keysOf } from '../event-keys.ts'
import { arrival } from './arrivals.ts'

// Risk: a search for events to remove or to erase occupies the inbox for minutes after its client has disconnected.

const inbox = memoryInbox()
await inbox.open()
await inbox.record(Array.from({ length: 1_100 }, (_, index) => arrival(`e${index}`)))

for (const find of [findRemovable, findErasable])
  for (const limits of [{ timeMs: 0 }, { signal: AbortSignal.abort() }])
    t.test(`${find.name} is ended by ${Object.keys(limits).join()}, and says how far it came`, async (t) => {
      const { targets, capped, searchedTo } = await find(inbox, { oldestFirst: true }, limits)
      t.match({ count: targets.length, capped }, { count: 500, capped: true })
      t.match(await find(inbox, { oldestFirst: true, upTo: searchedTo }), { targets, capped: false })
    })

t.test('without limits, all are found, except erased ones', async (t) => {
  const { targets, capped, searchedTo } = await findRemovable(inbox, {}, { timeMs: 60_000 })
  t.same([targets.length, capped, searchedTo], [1_100, false, undefined])
  await inbox.erase(keysOf('e7'))
  for (const find of [findRemovable, findErasable])
    t.match(await find(inbox, {}), { targets: { length: 1_099 }, kept: 1, capped: false })
})
