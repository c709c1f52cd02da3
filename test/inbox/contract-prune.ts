import type { Test } from 'tap'

import { purgedMark } from '../../src/model/purged-mark.ts'
import { keyOf, named, realm } from '../event-keys.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, settleAll, type Subject } from './contract.ts'

/** The contract of every engine for the purge of dead letters, parked deliveries and quarantined requests. */
export async function pruneContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  const old = { receivedAt: new Date(1_000), createdTime: undefined }
  const ids = async ({ inbox }: Subject): Promise<readonly string[]> =>
    (await inbox.events({ limit: 50, oldestFirst: true })).events.map(({ id }) => id)

  t.test('dead letters and quarantined requests are purged by their own times', async (t) => {
    const subject = await open(t)
    const { inbox, now } = subject
    await inbox.record([
      arrival('done', ['ship'], old),
      arrival('dead', ['ship', 'mail'], old),
      arrival('dead and due', ['ship', 'erp'], old),
      { ...quarantined('q'), receivedAt: new Date(2_000) },
      arrival('done later', [], { receivedAt: new Date(900), createdTime: undefined }),
      arrival('new', [], { receivedAt: new Date(now()) })
    ])
    const [done, ...dead] = await claim(inbox, ['ship'])
    await settleAll(inbox, [done!], { state: 'done' })
    await settleAll(inbox, dead, { state: 'dead', error: 'x' }, new Date(5_000))
    await settleAll(inbox, await claim(inbox, ['mail']), { state: 'done' })
    const before = new Date(6_000)
    const prune = (deadBefore: number, quarantinedBefore: number) =>
      inbox.prune({
        before,
        deadBefore: new Date(deadBefore),
        quarantinedBefore: new Date(quarantinedBefore),
        limit: 50
      })
    t.same(await prune(5_000, 2_000), { purged: 2, dead: 0, quarantined: 0, next: undefined })
    t.same(await ids(subject), ['dead', 'dead and due', 'q', 'new'], 'it became dead later than it arrived')
    t.same(await prune(5_001, 2_000), { purged: 1, dead: 1, quarantined: 0, next: undefined })
    t.same(await inbox.watermark(realm, purgedMark), new Date(1_000), 'a backfill does not bring the dead letter back')
    t.same(await prune(5_001, 2_001), { purged: 1, dead: 0, quarantined: 1, next: undefined })
    t.same(await ids(subject), ['dead and due', 'new'])
    t.same(await inbox.watermark(realm, purgedMark), new Date(1_000), 'a quarantined request was never handled')
    t.match((await inbox.event(keyOf('dead and due')))?.deliveries, [{ state: 'dead' }, { state: 'pending' }])
    await t.rejects(prune(6_001, 1), { code: 'RIVERHOOK_OPTIONS_INVALID', message: /"deadBefore" must not be after/ })
    await t.rejects(prune(1, 6_001), { message: /"quarantinedBefore" must not be after "before"/ })
  })

  t.test('a parked delivery is purged by the time when it was due, and those behind it run', async (t) => {
    const subject = await open(t)
    const { inbox, now, advance } = subject
    const ordered = (id: string, changes = {}) => arrival(id, [{ handler: 'ship', orderKey: 'k' }], changes)
    await inbox.record([ordered('parked', old), arrival('unordered', ['ship'], old), arrival('other', [], old)])
    await inbox.adopt([])
    const parkedAt = now()
    advance(60_000)
    await inbox.adopt(named('mail').map((handler) => ({ ...handler, pattern: '*' })))
    // It waits behind the parked one.
    await inbox.record([ordered('behind')])
    t.match((await inbox.event(keyOf('parked')))?.deliveries, [{ state: 'parked' }])
    const prune = (deadBefore: number) =>
      inbox.prune({ before: new Date(now()), deadBefore: new Date(deadBefore), limit: 50 })
    t.match(await prune(parkedAt), { purged: 1, dead: 0 }, 'it was due when it was recorded')
    t.same(await ids(subject), ['parked', 'unordered', 'behind'])
    t.match((await inbox.event(keyOf('behind')))?.deliveries, [{ state: 'waiting' }])
    t.match(await prune(parkedAt + 1), { purged: 2, dead: 2 })
    t.same(await ids(subject), ['behind'])
    t.match((await inbox.event(keyOf('behind')))?.deliveries, [{ state: 'pending' }])
  })

  t.test('a replay keeps a dead letter from being purged', async (t) => {
    const subject = await open(t)
    const { inbox, now } = subject
    await inbox.adopt(named('ship').map((handler) => ({ ...handler, pattern: '*' })))
    await inbox.record([arrival('dead', ['ship'], old)])
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'dead', error: 'x' })
    await inbox.replay([{ event: keyOf('dead'), handler: 'ship' }])
    const before = new Date(now() + 1)
    t.match(await inbox.prune({ before, deadBefore: before, limit: 50 }), { purged: 0 })
  })
}
