import type { Test } from 'tap'

import { copyInbox } from '../../src/inbox/copy.ts'
import { memoryInbox } from '../../src/inbox/memory/engine.ts'
import { purgedMark } from '../../src/model/purged-mark.ts'
import { arrival, quarantined } from './arrivals.ts'
import type { Subject } from './contract.ts'
import { realm } from '../event-keys.ts'

const dayMs = 86_400_000

/**
 * The contract of every engine for times written by a wrong clock. Risk: events that are purged, or not fetched, for
 * months.
 */
export async function clocksContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('a watermark is never in the future, and one that is gets replaced', async (t) => {
    const { inbox, advance, now } = await open(t)
    await inbox.advance(realm, 'mark', new Date(now() + 90 * dayMs))
    t.same(await inbox.watermark(realm, 'mark'), new Date(now()))
    advance(90 * dayMs)
    await inbox.advance(realm, 'mark', new Date(now()))
    advance(-90 * dayMs)
    await inbox.advance(realm, 'mark', new Date(now() - 1000))
    t.same(await inbox.watermark(realm, 'mark'), new Date(now() - 1000))
    t.same(await inbox.now(), new Date(now()))
  })

  t.test(
    'the age of an event comes from its latest plausible time, and the mark is the newest that was purged',
    async (t) => {
      const { inbox, now } = await open(t)
      const at = (received: number, created: number) => ({
        receivedAt: new Date(now() + received * dayMs),
        createdTime: new Date(now() + created * dayMs).toISOString()
      })
      await inbox.record([
        arrival('ahead, old', [], at(90, -50)),
        arrival('behind, new', [], at(-5000, -1)),
        arrival('old', [], at(-40, -41)),
        arrival('new', [], at(-2, -2))
      ])
      const { purged } = await inbox.prune({ before: new Date(now() - 30 * dayMs), limit: 1 })
      t.equal(purged, 1, 'an event from the future is judged by when it was created')
      await inbox.prune({ before: new Date(now() - 30 * dayMs), limit: 10 })
      t.same(
        (await inbox.events({ limit: 10 })).events.map(({ id }) => id),
        ['new', 'behind, new']
      )
      t.same(await inbox.watermark(realm, purgedMark), new Date(now() - 40 * dayMs))
    }
  )

  t.test('a request with a time in the future does not stop the purging of later arrivals', async (t) => {
    const { inbox, now } = await open(t)
    const old = { receivedAt: new Date(now() - 40 * dayMs) }
    const ahead = (id: string) => ({ ...quarantined(id), receivedAt: new Date(now() + 900 * dayMs) })
    await inbox.record([ahead('q1'), ahead('q2'), arrival('old 1', [], old), ahead('q3'), arrival('old 2', [], old)])
    await inbox.record([arrival('new', [], { receivedAt: new Date(now()) })])
    const before = new Date(now() - 30 * dayMs)
    let purged = 0
    let after: number | undefined
    do {
      const batch = await inbox.prune({ before, limit: 2, after })
      purged += batch.purged
      after = batch.next
    } while (after !== undefined)
    t.equal(purged, 2)
  })

  t.test('a copy omits marks written by a clock that was ahead', async (t) => {
    const { inbox, now } = await open(t)
    const from = memoryInbox({ clock: () => now() + 90 * dayMs })
    await from.open()
    await from.advance(realm, 'good', new Date(now() - dayMs))
    await from.advance(realm, purgedMark, new Date(now() + 90 * dayMs))
    await copyInbox({ from, to: inbox })
    t.same(
      await inbox.watermarks(),
      [{ realm, name: 'good', at: new Date(now() - dayMs) }],
      'limited to the present, it would still prevent missed events from being fetched'
    )
  })
}
