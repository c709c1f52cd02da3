import type { Test } from 'tap'

import { purgedMark } from '../../src/manage/backfill.ts'
import { arrival } from './arrivals.ts'
import type { Subject } from './contract.ts'

const dayMs = 86_400_000

/** What every engine promises of times that a wrong clock has written. What a user would lose: events that are purged, or left out, for months. */
export async function clocksContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('a watermark never lies in the future, and one that does is replaced', async (t) => {
    const { inbox, advance, now } = await open(t)
    await inbox.advance('mark', new Date(now() + 90 * dayMs))
    t.same(await inbox.watermark('mark'), new Date(now()))
    advance(90 * dayMs)
    await inbox.advance('mark', new Date(now()))
    advance(-90 * dayMs)
    await inbox.advance('mark', new Date(now() - 1000))
    t.same(await inbox.watermark('mark'), new Date(now() - 1000))
    t.same(await inbox.now(), new Date(now()))
  })

  t.test('an event is as old as its times can be believed, and the mark is the newest that was purged', async (t) => {
    const { inbox, now } = await open(t)
    const at = (received: number, created: number) => ({ receivedAt: new Date(now() + received * dayMs), createdTime: new Date(now() + created * dayMs).toISOString() })
    await inbox.record([
      arrival('ahead, old', [], at(90, -50)), arrival('behind, new', [], at(-5000, -1)), arrival('old', [], at(-40, -41)), arrival('new', [], at(-2, -2))
    ])
    const { purged } = await inbox.prune({ before: new Date(now() - 30 * dayMs), limit: 1 })
    t.equal(purged, 1, 'one that seems to be of the future is judged by when it was created')
    await inbox.prune({ before: new Date(now() - 30 * dayMs), limit: 10 })
    t.same((await inbox.events({ limit: 10 })).events.map(({ id }) => id), ['new', 'behind, new'])
    t.same(await inbox.watermark(purgedMark), new Date(now() - 40 * dayMs))
  })
}
