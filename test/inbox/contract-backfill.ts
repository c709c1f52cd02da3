import type { Test } from 'tap'

import { arrival, quarantined } from './arrivals.ts'
import type { Subject } from './contract.ts'
import { realm } from '../event-keys.ts'

/** The contract of every engine for backfilled events. */
export async function backfillContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('a backfilled event is marked, and its different bytes are no conflict', async (t) => {
    const { inbox } = await open(t)
    const receipt = { judgedAt: '2026-01-01T00:00:00.000Z', checks: [], backfilled: true } as const
    const rewritten = { body: Buffer.from('{ "id": "a" }') }
    await inbox.record([arrival('a', [], { receipt }), arrival('b')])
    t.same(await inbox.record([arrival('a', [], rewritten)]), ['duplicate'], 'the request arrived later')
    t.same(
      await inbox.record([arrival('b', [], { ...rewritten, receipt })]),
      ['duplicate'],
      'backfilled after the request'
    )
    t.same(
      (await inbox.events({ limit: 10 })).events.map(({ id, backfilled, conflicts }) => [id, backfilled, conflicts]),
      [
        ['b', false, 0],
        ['a', true, 0]
      ]
    )
    t.match(await inbox.stats(), { events: 2, backfilled: 1, duplicates: 2, conflicts: 0 })
  })

  t.test('known() returns the ids that are stored', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([arrival('a'), quarantined('q')])
    t.same([...(await inbox.known(realm, ['a', 'b', 'q', 'a']))].sort(), ['a', 'q'])
    t.equal((await inbox.known(realm, [])).size, 0)
  })

  t.test('a watermark only moves forward, and each name has its own', async (t) => {
    const { inbox } = await open(t)
    t.equal(await inbox.watermark(realm, 'one'), undefined)
    await inbox.advance(realm, 'one', new Date(2_000))
    await inbox.advance(realm, 'one', new Date(1_000))
    await inbox.advance(realm, 'two', new Date(500))
    t.same(await inbox.watermark(realm, 'one'), new Date(2_000))
    t.same(await inbox.watermark(realm, 'two'), new Date(500))
    t.same([...(await inbox.watermarks())].map(({ realm, name, at }) => [realm, name, at]).sort(), [
      [realm, 'one', new Date(2_000)],
      [realm, 'two', new Date(500)]
    ])
  })
}
