import type { Test } from 'tap'

import type { EventFilter } from '../../src/inbox/inbox.ts'
import { arrival } from './arrivals.ts'
import type { Subject } from './contract.ts'
import { keyOf, realm } from '../event-keys.ts'

/** The contract of every engine for callers whose values are not type-checked: a query string, a JSON body. */
export async function borderContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  // Risk: the database, exposed to anyone who can change an admin page's address.
  t.test('a filter is data: an invalid one is refused by name, and no part of it is executed', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([arrival("it's", ['ship'])])
    const refused: [object | undefined, RegExp][] = [
      [{ state: "x' OR '1'='1" }, /"state" must be one of pending/],
      [{ state: ['dead'] }, /"state"/],
      [{ state: Object.create({ toString: () => 'dead' }) as unknown }, /"state"/],
      [{ type: { toString: () => '*' } }, /"type" must be a string/],
      [{ handler: 1 }, /"handler"/],
      [{ since: new Date(NaN) }, /"since" must be a valid Date/],
      [{ until: '2026-01-01' }, /"until"/],
      [{ until: new Date(-8e15) }, /"until"/],
      [{ limit: NaN }, /"limit" must be a whole number from 1 to 1000/],
      [{ limit: -1 }, /"limit"/],
      [{ limit: 1e9 }, /"limit"/],
      [{ limit: '5' }, /"limit"/],
      [{ limit: undefined }, /"limit"/],
      [{ after: '1 OR 1=1' }, /"after"/],
      [{ after: 0.5 }, /"after"/],
      [{ oldestFirst: 'yes' }, /"oldestFirst"/],
      [{ realm: 1 }, /"realm"/],
      [{ source: {} }, /"source"/],
      [{ endpoint: 1 }, /"endpoint" must be a string/],
      [{ live: 'yes' }, /"live" must be true or false/],
      [{ id: [] }, /"id" must be a string/],
      [{ stat: 'dead' }, /"stat" is unknown; did you mean "state"/],
      [undefined, /events\(\) must be given an object/]
    ]
    for (const [change, message] of refused) {
      const filter = change && { limit: 10, ...change }
      await t.rejects(
        inbox.events(filter as EventFilter),
        { code: 'RIVERHOOK_OPTIONS_INVALID', message },
        JSON.stringify(change)
      )
    }
    for (const state of [
      'pending',
      'waiting',
      'running',
      'done',
      'dead',
      'parked',
      'accepted',
      'quarantined'
    ] as const) {
      const found = await inbox.events({ limit: 10, state })
      t.equal(found.events.length, state === 'pending' || state === 'accepted' ? 1 : 0, state)
    }
    const hostile = "x' OR '1'='1"
    t.same((await inbox.events({ limit: 10, type: hostile, handler: hostile })).events, [])
  })

  t.test('ids, names, numbers and instants of the other calls are checked too', async (t) => {
    const { inbox } = await open(t)
    const calls: (() => Promise<unknown>)[] = [
      () => inbox.event(keyOf(1 as never)),
      () => inbox.event({ id: 'a' } as never),
      () => inbox.event({ realm: {}, id: 'a' } as never),
      () => inbox.known(1 as never, []),
      () => inbox.known(realm, ['a', {} as never]),
      () => inbox.known(realm, Array.from({ length: 1001 }, String)),
      () => inbox.remove('a' as never),
      () => inbox.remove(['a'] as never),
      () => inbox.admit([{ request: 'q', id: 'a', type: 't', deliveries: [] } as never]),
      () => inbox.replay([{ event: 'a', handler: 'ship' } as never]),
      () => inbox.replay([{ event: keyOf('a'), handler: undefined as never }]),
      () => inbox.replay([{ event: keyOf('a'), handler: 'ship', orderkey: 'k' } as never]),
      () => inbox.prune({ before: new Date(NaN), limit: 10 }),
      () => inbox.prune({ before: new Date(1), limit: NaN }),
      () => inbox.watermark(realm, {} as never),
      () => inbox.advance(realm, 'mark', new Date(NaN)),
      () => inbox.claim({ owner: 'me', leaseMs: NaN, wants: [], limit: 1 }),
      () => inbox.claim({ owner: 'me', leaseMs: 1, wants: [], limit: -1 })
    ]
    for (const call of calls) await t.rejects(call(), { code: 'RIVERHOOK_OPTIONS_INVALID' }, String(call))
  })

  // Risk: an inbox that answers "not available" because a dump has a field that cannot be stored.
  t.test(
    'events to restore may come from a file: a mistake is named, and a field that an older version lacked is filled in',
    async (t) => {
      const { inbox } = await open(t)
      const at = new Date(1_000_000)
      const dead = {
        id: 1,
        handler: 'ship',
        state: 'dead',
        attempts: 2,
        settledAt: at,
        lastError: 'x',
        attemptLog: [{ attempt: 2, state: 'dead', startedAt: at, endedAt: at, error: 'x' }]
      }
      const event = {
        realm,
        id: 'a',
        source: 'digital-river',
        headers: {},
        type: 'order.accepted',
        state: 'accepted',
        endpoint: '/hooks',
        receivedAt: at,
        body: Buffer.from('{}'),
        backfilled: false,
        duplicates: 0,
        conflicts: 0,
        receipt: { judgedAt: at.toISOString(), checks: [] },
        deliveries: [dead]
      }
      const restore = (changes: object) => inbox.restore([{ ...event, ...changes }] as never)
      const wrong: [object, RegExp][] = [
        [{ receivedAt: at.toISOString() }, /restore\(\): "receivedAt" must be a valid Date/],
        [{ realm: undefined }, /restore\(\): "realm" must be a string/],
        [{ headers: { 'x-id': 1 } }, /"headers" must be an object of strings/],
        [{ body: '{}' }, /"body" must be a Uint8Array/],
        [{ state: 'dead' }, /"state" must be one of accepted, quarantined/],
        [{ deliveries: undefined }, /event a: "deliveries" must be given a list/],
        [{ deliveries: [{ ...dead, state: 'x' }] }, /event a: "state" must be one of pending/],
        [{ deliveries: [{ ...dead, attemptLog: [{ ...dead.attemptLog[0], endedAt: 5 }] }] }, /event a: "endedAt"/]
      ]
      for (const [changes, message] of wrong)
        await t.rejects(restore(changes), { code: 'RIVERHOOK_OPTIONS_INVALID', message }, String(message))
      t.equal(await restore({}), 1)
      t.match((await inbox.event(keyOf('a')))!.deliveries, [{ state: 'dead', attempts: 2, losses: 0, lastError: 'x' }])
    }
  )
}
