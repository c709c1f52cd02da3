import type { Test } from 'tap'

import { copyInbox, type Act } from '../../src/index.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, settleAll, type Subject } from './contract.ts'
import { keyOf, keysOf, named, realm } from '../event-keys.ts'

/** The personal data of a test: in each place that an erasure must empty. */
export const marker = 'marker-kim.lee@x.example'

/** An event with the marker in its body, headers, keys, resource and order key. */
export const marked = (id: string, handlers: readonly string[], order = marker) =>
  arrival(
    id,
    handlers.map((handler) => ({ handler, orderKey: order })),
    {
      body: Buffer.from(JSON.stringify({ id, email: marker, filler: marker.repeat(500) })),
      headers: { 'x-buyer': marker },
      about: [marker, `${marker}-${id}`],
      resource: marker,
      trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    }
  )

/** The contract of every engine for the erasure of personal data. */
export async function eraseContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('an erased event keeps its id, type and times, and nothing else', async (t) => {
    const { inbox, now } = await open(t)
    const act: Act = { actor: { name: 'ada', via: 'code' }, action: 'events.erase', target: 'about=...' }
    await inbox.record([
      marked('1', ['ship', 'mail', 'erp']),
      arrival('2', [{ handler: 'ship', orderKey: marker }]),
      quarantined('q', { body: Buffer.from(marker), reason: marker })
    ])
    const error = `Error: no ${marker}`
    await settleAll(inbox, await claim(inbox, ['mail']), {
      state: 'retry',
      dueAt: new Date(now()),
      error,
      releaseKey: false
    })
    await settleAll(inbox, await claim(inbox, ['mail']), { state: 'done' })
    await settleAll(inbox, await claim(inbox, ['erp']), { state: 'dead', error })
    const before = (await inbox.event(keyOf('1')))!

    t.equal(await inbox.erase(keysOf('1', 'q', 'unknown'), act), 2)
    const after = await inbox.event(keyOf('1'))
    const kept = ({ id, source, type, liveMode, createdTime, endpoint, receivedAt, receipt, trace }: typeof before) =>
      ({ id, source, type, liveMode, createdTime, endpoint, receivedAt, receipt, trace }) as const
    t.same(kept(after!), kept(before))
    t.match(after, { state: 'erased', about: [], headers: {}, resource: undefined, body: { byteLength: 0 } })
    t.match(after!.deliveries, [{ handler: 'mail', state: 'done', orderKey: undefined, lastError: undefined }])
    t.same(
      after!.deliveries[0]?.attemptLog.map(({ attempt, state, error }) => [attempt, state, error]),
      [
        [1, 'retry', undefined],
        [2, 'done', undefined]
      ]
    )
    t.match(await inbox.event(keyOf('q')), { state: 'erased', type: '', reason: undefined, body: { byteLength: 0 } })
    t.match((await inbox.audits({ limit: 1 })).entries, [
      {
        action: 'events.erase',
        target: 'about=...',
        count: 2,
        outcome: '2 erased, 1 running, changed, erased before or unknown'
      }
    ])

    t.same((await inbox.events({ about: marker, limit: 10 })).events, [])
    t.same((await inbox.events({ error: marker, limit: 10 })).events, [])
    t.same((await inbox.events({ where: [`email=${marker}`], limit: 10 })).events, [])
    t.same(
      (await inbox.events({ state: 'erased', limit: 10, oldestFirst: true })).events.map(({ id }) => id),
      ['1', 'q']
    )
    t.same((await inbox.events({ handler: 'erp', limit: 10 })).events, [])
    t.match(await inbox.stats(), { events: 3, quarantined: 0, deliveries: { done: 1, pending: 1, dead: 0 } })
    t.match(await claim(inbox, ['ship']), [{ event: { id: '2' } }], 'the next one of its line runs')
    t.equal(await inbox.erase(keysOf('1')), 0, 'it is erased already')
  })

  t.test(
    'an erased event does not come back: not by a retry, a backfill, a replay, a copy or its quarantine',
    async (t) => {
      const { inbox } = await open(t)
      const { inbox: copy } = await open(t)
      await inbox.record([marked('1', ['ship']), quarantined('q', { body: Buffer.from(`{"email":"${marker}"}`) })])
      t.equal(await inbox.erase(keysOf('1')), 1)
      const backfilled = { ...marked('1', ['ship']).receipt, backfilled: true } as const
      t.same(
        await inbox.record([
          marked('1', ['ship']),
          marked('1', ['ship'], 'other'),
          { ...marked('1', ['ship']), receipt: backfilled }
        ]),
        ['duplicate', 'duplicate', 'duplicate']
      )
      const claiming = {
        owner: 'a',
        leaseMs: 1_000,
        wants: [{ handler: 'ship', source: 'digital-river', limit: 1 }],
        limit: 1
      }
      const again = await inbox.recordAndClaim?.([arrival('1', [{ handler: 'ship' }])], claiming)
      if (again !== undefined) t.match(again, { results: ['duplicate'], claimed: { length: 0 } })
      t.same([...(await inbox.known(realm, ['1']))], ['1'])
      t.same(await inbox.replay([{ event: keyOf('1'), handler: 'ship' }]), ['unknown_event'])
      t.same(
        await inbox.admit([
          { request: keyOf('q'), id: '1', type: 'a', about: [marker], deliveries: [{ handler: 'ship' }] }
        ]),
        ['duplicate']
      )
      t.equal(await inbox.event(keyOf('q')), undefined)
      const erased = (await inbox.event(keyOf('1')))!
      t.match(erased, {
        state: 'erased',
        duplicates: again === undefined ? 4 : 5,
        conflicts: 0,
        deliveries: [],
        body: { byteLength: 0 }
      })
      t.equal(await copy.restore([erased]), 1)
      t.match(await copy.event(keyOf('1')), { state: 'erased', type: 'order.accepted', liveMode: false, about: [] })
      t.same(await claim(copy, ['ship']), [])
      t.same(await copy.record([marked('1', ['ship'])]), ['duplicate'])
    }
  )

  t.test(
    'a running delivery keeps its event from being erased; an erased one is purged as those that are done',
    async (t) => {
      const { inbox, now } = await open(t)
      await inbox.record([marked('1', ['ship', 'mail'])])
      const [held] = await claim(inbox, ['ship'])
      t.equal(await inbox.erase(keysOf('1')), 0)
      t.match(await inbox.event(keyOf('1')), { state: 'accepted', about: { length: 2 } })
      await settleAll(inbox, [held!], { state: 'done' })
      t.equal(await inbox.erase(keysOf('1')), 1)
      t.match(await inbox.prune({ before: new Date(now() + 1), limit: 10 }), { purged: 1 })
      t.equal(await inbox.event(keyOf('1')), undefined)
    }
  )

  t.test('an event is erased only in the states in which it was seen', async (t) => {
    const { inbox } = await open(t)
    await inbox.adopt(named('ship', 'mail').map((handler) => ({ ...handler, pattern: '*' })))
    await inbox.record(['same', 'replayed', 'released', 'done'].map((id) => marked(id, ['ship', 'mail'], id)))
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'dead', error: 'x' })
    const { events: seen } = await inbox.events({ limit: 9 })
    await inbox.replay([{ event: keyOf('replayed'), handler: 'ship' }])
    for (const held of await claim(inbox, ['mail']))
      await settleAll(inbox, [held], { state: held.event.id === 'done' ? 'done' : 'released' })
    const targets = seen.map((event) => ({ realm: event.realm, id: event.id, seen: event }))
    t.equal(await inbox.erase(targets), 2)
    t.same((await inbox.events({ state: 'erased', limit: 9 })).events.map(({ id }) => id).sort(), ['released', 'same'])
    t.equal(await inbox.erase(keysOf('replayed', 'replayed', 'done')), 2)
  })

  t.test('a copy erases the events that the other inbox has with their data', async (t) => {
    const { inbox } = await open(t)
    const { inbox: copy } = await open(t)
    await inbox.record(['1', '2', '3', '4'].map((id) => marked(id, ['ship'], id)))
    await inbox.adopt(named('ship').map((handler) => ({ ...handler, pattern: '*' })))
    await copyInbox({ from: inbox, to: copy })
    t.equal(await inbox.erase(keysOf('1', '2', '3')), 3)
    t.equal(await copy.erase(keysOf('3', '4')), 2)
    const claimed = await claim(copy, ['ship'])
    const [first, held] = ['1', '2'].map((id) => claimed.find(({ event }) => event.id === id)!)
    await settleAll(copy, [first!], { state: 'done' })
    t.match(await copyInbox({ from: inbox, to: copy }), { seen: 4, copied: 0, erased: 1, unerased: 1 })
    t.match(await copy.event(keyOf('1')), {
      state: 'erased',
      about: [],
      body: { byteLength: 0 },
      deliveries: [{ state: 'done' }]
    })
    await settleAll(copy, [held!], { state: 'done' })
    t.match(await copyInbox({ from: inbox, to: copy }), { erased: 1, unerased: 0 })
    t.same((await copy.events({ state: 'erased', type: '*', limit: 9 })).events.length, 4, 'and stay erased')
    t.match(await copyInbox({ from: inbox, to: copy }), { erased: 0, unerased: 0, left: undefined })
  })

  t.test('an erased event is not removed: it would come back', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([marked('1', []), marked('2', [])])
    t.equal(await inbox.erase(keysOf('1')), 1)
    const act: Act = { actor: { name: 'ada', via: 'code' }, action: 'events.remove', target: '2 events' }
    t.equal(await inbox.remove(keysOf('1', '2'), act), 1)
    t.match((await inbox.audits({ limit: 1 })).entries, [
      { outcome: '1 removed, 1 running, changed, erased or unknown' }
    ])
    t.match(await inbox.event(keyOf('1')), { state: 'erased' })
    t.same(await inbox.record([marked('1', ['ship'])]), ['duplicate'])
  })

  t.test('search keys that were read before an event was erased do not come back', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([marked('1', ['ship'])])
    const { about } = (await inbox.event(keyOf('1')))!
    t.equal(await inbox.erase(keysOf('1')), 1)
    t.equal(await inbox.reindex([{ event: keyOf('1'), about, resource: 'order-1' }]), 0)
    t.match(await inbox.event(keyOf('1')), { about: [], resource: undefined })
    t.same((await inbox.events({ about: about[0]!, limit: 9 })).events, [])
  })
}
