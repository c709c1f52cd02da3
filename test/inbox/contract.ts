import type { Test } from 'tap'

import type { ClaimedDelivery, HandlerName, Inbox, Lease, Settlement } from '../../src/inbox/inbox.ts'
import type { Outcome } from '../../src/model/event.ts'
import { arrival, quarantined } from './arrivals.ts'
import { alarmsContract } from './contract-alarms.ts'
import { auditContract } from './contract-audit.ts'
import { backfillContract } from './contract-backfill.ts'
import { borderContract } from './contract-border.ts'
import { clocksContract } from './contract-clocks.ts'
import { closedContract } from './contract-closed.ts'
import { driftContract } from './contract-drift.ts'
import { handlersContract } from './contract-handlers.ts'
import { jobsContract } from './contract-jobs.ts'
import { longContract } from './contract-long.ts'
import { lossesContract } from './contract-losses.ts'
import { newClaimsContract } from './contract-new-claims.ts'
import { pauseContract } from './contract-pause.ts'
import { patternsContract } from './contract-patterns.ts'
import { levelsContract } from './contract-levels.ts'
import { orderContract } from './contract-order.ts'
import { realmsContract } from './contract-realms.ts'
import { eraseContract } from './contract-erase.ts'
import { pruneContract } from './contract-prune.ts'
import { restoreContract } from './contract-restore.ts'
import { searchContract } from './contract-search.ts'
import { tallyContract } from './contract-tally.ts'
import { keyOf, keysOf, named } from '../event-keys.ts'

export interface Subject {
  readonly inbox: Inbox
  /** Advances the engine's clock. */
  readonly advance: (ms: number) => void
  readonly now: () => number
  /** False if events are found by whole search keys alone: the inbox is encrypted. */
  readonly findsBeginnings?: false
  /** Makes writes to these tables fail. Missing if they cannot fail. @returns a function that ends that */
  readonly refuseWrites?: (tables: readonly string[]) => Promise<() => Promise<void>>
}

/** The lease of every claim in these tests. */
export const leaseMs = 10_000
const at = { startedAt: new Date(1_000_100), endedAt: new Date(1_000_200) }

/** The contract of every engine (src/inbox/inbox.ts). `open` returns a fresh, empty, open inbox. */
export async function inboxContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('an event is stored once, and answers come in order', async (t) => {
    const { inbox } = await open(t)
    const other = { body: Buffer.from('{"id":"a","changed":true}') }
    t.same(await inbox.record([arrival('a'), arrival('b'), arrival('a')]), ['accepted', 'accepted', 'duplicate'])
    t.same(await inbox.record([arrival('a', [], other), arrival('c')]), ['conflict', 'accepted'])
    const detail = await inbox.event(keyOf('a'))
    t.equal(Buffer.from(detail!.body).toString(), '{"id":"a"}', 'the first body stands')
    t.equal(detail!.duplicates, 2)
    t.equal(detail!.conflicts, 1)
    t.same(
      (await inbox.events({ limit: 10 })).events.map(({ id }) => id),
      ['c', 'b', 'a']
    )
  })

  t.test('a stored event is returned byte for byte', async (t) => {
    const { inbox } = await open(t)
    const body = Buffer.from('{"id":"ü€😀",  "x": 1.0}')
    await inbox.record([
      arrival('ü€😀', ['ship'], { body, type: 'order.x', liveMode: true, createdTime: '2026-01-01T00:00:00.1Z' })
    ])
    const detail = await inbox.event(keyOf('ü€😀'))
    t.ok(Buffer.from(detail!.body).equals(body))
    t.match(detail, {
      id: 'ü€😀',
      type: 'order.x',
      state: 'accepted',
      liveMode: true,
      createdTime: '2026-01-01T00:00:00.1Z',
      endpoint: '/webhooks',
      receivedAt: new Date(1_000_000),
      duplicates: 0,
      conflicts: 0,
      reason: undefined,
      receipt: { checks: ['signature'], secret: 1, skewMs: 12 }
    })
    t.equal(await inbox.event(keyOf('unknown')), undefined)
  })

  for (const part of [
    alarmsContract,
    auditContract,
    borderContract,
    backfillContract,
    clocksContract,
    closedContract,
    driftContract,
    handlersContract,
    jobsContract,
    levelsContract,
    orderContract,
    restoreContract,
    eraseContract,
    pruneContract,
    searchContract,
    tallyContract,
    realmsContract,
    longContract,
    lossesContract,
    newClaimsContract,
    pauseContract,
    patternsContract
  ])
    await part(t, open)

  t.test('a caller may change the bytes that it has recorded, and those that it has read', async (t) => {
    const { inbox } = await open(t)
    const body = Buffer.from('{"id":"1"}')
    await inbox.record([arrival('1', [], { body })])
    body.fill(0)
    const read = await inbox.event(keyOf('1'))
    t.equal(Buffer.from(read!.body).toString(), '{"id":"1"}')
    read!.body.fill(0)
    t.equal(Buffer.from((await inbox.event(keyOf('1')))!.body).toString(), '{"id":"1"}')
  })

  t.test('a claimed delivery has one holder, and comes with its event', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([arrival('a', ['ship', 'mail'])])
    const [delivery] = await claim(inbox, ['ship'])
    t.match(delivery, {
      handler: 'ship',
      attempt: 1,
      orderKey: undefined,
      event: { id: 'a', type: 'order.accepted', endpoint: '/webhooks' }
    })
    t.ok(Buffer.from(delivery!.event.body).equals(Buffer.from('{"id":"a"}')))
    t.same(await claim(inbox, ['ship']), [])
    t.equal((await claim(inbox, ['ship', 'mail'])).length, 1, 'the other handler has a separate delivery')
    t.equal((await inbox.event(keyOf('a')))!.deliveries[0]!.owner, 'me')
  })

  t.test('the limits per handler and in total are kept, longest due first', async (t) => {
    const { inbox, advance } = await open(t)
    for (const id of ['1', '2', '3', '4', '5', '6']) {
      await inbox.record([arrival(id, ['a', 'b'])])
      advance(1)
    }
    const first = await inbox.claim({
      owner: 'me',
      leaseMs,
      wants: [
        { handler: 'a', source: 'digital-river', limit: 2 },
        { handler: 'b', source: 'digital-river', limit: 9 }
      ],
      limit: 5
    })
    t.same(
      first.deliveries.map(({ handler, event }) => handler + event.id),
      ['a1', 'a2', 'b1', 'b2', 'b3']
    )
    t.ok(first.nextDueAt!.getTime() <= 1_000_000_000_000 + 6, 'more is due')
    t.equal((await claim(inbox, ['a', 'b'])).length, 7)
    t.equal(
      (
        await inbox.claim({
          owner: 'me',
          leaseMs,
          wants: [{ handler: 'a', source: 'digital-river', limit: 9 }],
          limit: 9
        })
      ).nextDueAt,
      undefined
    )
  })

  t.test('a done delivery never comes back', async (t) => {
    const { inbox, advance } = await open(t)
    await inbox.record([arrival('a', ['ship'])])
    t.same(await settleAll(inbox, await claim(inbox, ['ship']), { state: 'done' }), ['settled'])
    advance(leaseMs * 100)
    t.same(await claim(inbox, ['ship']), [])
    await inbox.record([arrival('a', ['ship'])])
    t.same(await claim(inbox, ['ship']), [], 'also after a duplicate')
    const [delivery] = (await inbox.event(keyOf('a')))!.deliveries
    t.match(delivery, { state: 'done', attempts: 1, settledAt: at.endedAt, owner: undefined })
    t.match(delivery!.attemptLog, [{ attempt: 1, state: 'done', ...at }])
  })

  t.test('a retry returns when it is due, and not before; the claim returns its time', async (t) => {
    const { inbox, advance, now } = await open(t)
    await inbox.record([arrival('a', ['ship'])])
    const dueAt = new Date(now() + 5000)
    await settleAll(inbox, await claim(inbox, ['ship']), {
      state: 'retry',
      dueAt,
      error: 'Error: no',
      releaseKey: false
    })
    const early = await inbox.claim({
      owner: 'me',
      leaseMs,
      wants: [{ handler: 'ship', source: 'digital-river', limit: 1 }],
      limit: 1
    })
    t.same(early, { deliveries: [], nextDueAt: dueAt })
    t.match((await inbox.event(keyOf('a')))!.deliveries[0], {
      state: 'pending',
      attempts: 1,
      dueAt,
      lastError: 'Error: no'
    })
    advance(5000)
    const [again] = await claim(inbox, ['ship'])
    t.equal(again?.attempt, 2)
    await settleAll(inbox, [again!], { state: 'dead', error: 'Error: never' })
    const [delivery] = (await inbox.event(keyOf('a')))!.deliveries
    await inbox.record([arrival('b', ['ship'])])
    const farAway = new Date('+012000-01-31T00:00:00Z')
    await settleAll(inbox, await claim(inbox, ['ship']), {
      state: 'retry',
      dueAt: farAway,
      error: 'x',
      releaseKey: false
    })
    t.same((await inbox.event(keyOf('b')))!.deliveries[0]?.dueAt, farAway, 'a year of five digits is parsed')
    t.match(delivery, { state: 'dead', attempts: 2, lastError: 'Error: never' })
    t.match(delivery!.attemptLog, [
      { attempt: 1, state: 'retry', error: 'Error: no' },
      { attempt: 2, state: 'dead', error: 'Error: never' }
    ])
  })

  t.test(
    'a lease that expires passes the delivery to another holder, and the first one can change nothing',
    async (t) => {
      const { inbox, advance } = await open(t)
      await inbox.record([arrival('a', ['ship'])])
      const [first] = await claim(inbox, ['ship'])
      advance(leaseMs - 1)
      t.same(await claim(inbox, ['ship']), [], 'not before its end')
      t.same(await inbox.extend([first!], leaseMs), [])
      advance(leaseMs - 1)
      t.same(await claim(inbox, ['ship']), [], 'an extended lease is valid')
      advance(1)
      const [second] = await claim(inbox, ['ship'])
      t.equal(second?.attempt, 1, 'the lost attempt is claimed, to be settled')
      t.same([first?.lost, second?.lost?.owner], [undefined, 'me'], 'with the previous holder')
      t.ok(second!.token > first!.token)
      t.same(await settleAll(inbox, [first!], { state: 'done' }), ['stale'])
      t.same(await inbox.extend([first!, second!], leaseMs), [first!.id])
      t.equal((await inbox.event(keyOf('a')))!.deliveries[0]!.state, 'running')
      t.same(await settleAll(inbox, [first!, second!], { state: 'done' }), ['stale', 'settled'], 'in one batch')
      t.same(await settleAll(inbox, [second!], { state: 'done' }), ['stale'], 'settling twice')
      t.match((await inbox.event(keyOf('a')))!.deliveries[0]!.attemptLog, [{ attempt: 1, state: 'done' }])
    }
  )

  t.test('a delivery that is handed back is due at once, and its attempt does not count', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([arrival('a', ['ship'])])
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'released' })
    t.equal((await claim(inbox, ['ship']))[0]?.attempt, 1)
  })

  t.test(
    'deliveries of one key run one at a time in order of arrival, those of other keys and handlers freely',
    async (t) => {
      const { inbox, advance, now } = await open(t)
      const keyed = (orderKey: string) => [{ handler: 'ship', orderKey }, 'mail']
      await inbox.record([arrival('a1', keyed('a')), arrival('a2', keyed('a')), arrival('b1', keyed('b'))])
      await inbox.record([arrival('a3', keyed('a'))])
      const first = await claim(inbox, ['ship'])
      t.same(ids(first), ['a1', 'b1'])
      t.equal((await claim(inbox, ['mail'])).length, 4)
      t.equal((await inbox.event(keyOf('a2')))!.deliveries[0]!.state, 'waiting')
      const dueAt = new Date(now() + 1000)
      await settleAll(inbox, first, { state: 'retry', dueAt, error: 'x', releaseKey: false })
      t.same(await claim(inbox, ['ship']), [], 'a failing delivery blocks its key')
      advance(1000)
      const second = await claim(inbox, ['ship'])
      t.same(ids(second), ['a1', 'b1'])
      await settleAll(inbox, second, { state: 'dead', error: 'x' })
      const third = await claim(inbox, ['ship'])
      t.same(ids(third), ['a2'], 'a dead letter unblocks the next one')
      await settleAll(inbox, third, { state: 'done' })
      t.same(ids(await claim(inbox, ['ship'])), ['a3'])
    }
  )

  t.test('a delivery that releases its key is overtaken, and never overlaps another of its key', async (t) => {
    const { inbox, advance, now } = await open(t)
    const keyed = [{ handler: 'ship', orderKey: 'k' }]
    await inbox.record([arrival('1', keyed), arrival('2', keyed), arrival('3', keyed)])
    const dueAt = new Date(now() + 1000)
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'retry', dueAt, error: 'x', releaseKey: true })
    const second = await claim(inbox, ['ship'])
    t.same(ids(second), ['2'])
    advance(1000)
    t.same(await claim(inbox, ['ship']), [], 'due, but the key is running')
    await settleAll(inbox, second, { state: 'done' })
    const third = await claim(inbox, ['ship'])
    t.equal(third.length, 1)
    await settleAll(inbox, third, { state: 'done' })
    const fourth = await claim(inbox, ['ship'])
    t.same([...ids(third), ...ids(fourth)].sort(), ['1', '3'])
  })

  t.test(
    'replay makes any delivery due from its first attempt, creates the missing ones, leaves running ones',
    async (t) => {
      const { inbox, now } = await open(t)
      await inbox.adopt([
        { name: 'ship', source: 'digital-river', pattern: '*' },
        { name: 'mail', source: 'digital-river', pattern: '*' }
      ])
      await inbox.record([
        arrival('done', ['ship']),
        arrival('dead', ['ship']),
        arrival('late', ['ship']),
        quarantined('q')
      ])
      const [done, dead, late] = await claim(inbox, ['ship'])
      await settleAll(inbox, [done!], { state: 'done' })
      await settleAll(inbox, [dead!], { state: 'dead', error: 'x' })
      await settleAll(inbox, [late!], { state: 'retry', dueAt: new Date(now() + 1e9), error: 'x', releaseKey: false })
      const targets = ['done', 'dead', 'late', 'q', 'nope'].map((eventId) => ({
        event: keyOf(eventId),
        handler: 'ship'
      }))
      t.same(await inbox.replay(targets), ['replayed', 'replayed', 'replayed', 'unknown_event', 'unknown_event'])
      t.same(await inbox.replay([{ event: keyOf('done'), handler: 'mail', orderKey: 'k' }]), ['created'])
      const again = await claim(inbox, ['ship', 'mail'])
      t.same(
        again.map(({ attempt, token }) => [attempt, token > 1]),
        [
          [1, true],
          [1, true],
          [1, true],
          [1, false]
        ]
      )
      t.equal(again[3]!.orderKey, 'k')
      t.same(await inbox.replay([{ event: keyOf('done'), handler: 'ship' }]), ['running'])
      t.match((await inbox.event(keyOf('done')))!.deliveries[0]!.attemptLog, [
        { attempt: 1, state: 'done', ...at },
        { state: 'replayed' }
      ])
    }
  )

  t.test('events are found by type, state, handler and time, in pages', async (t) => {
    const { inbox } = await open(t)
    const time = (ms: number) => ({ receivedAt: new Date(ms) })
    await inbox.record([
      arrival('1', ['ship'], time(1000)),
      arrival('2', ['mail'], { ...time(2000), type: 'order.charge.failed' }),
      arrival('3', ['ship', 'mail'], { ...time(3000), type: 'refund.failed' }),
      quarantined('q')
    ])
    await settleAll(inbox, (await claim(inbox, ['ship'])).slice(0, 1), { state: 'dead', error: 'x' })
    const find = async (filter: object) => (await inbox.events({ limit: 10, ...filter })).events.map(({ id }) => id)
    t.same(await find({}), ['q', '3', '2', '1'])
    t.same(await find({ type: 'order.*' }), ['2', '1'])
    t.same(await find({ type: 'order.accepted' }), ['1'])
    t.same(await find({ type: '*' }), ['3', '2', '1'])
    t.same(await find({ state: 'quarantined' }), ['q'])
    t.same(await find({ state: 'accepted' }), ['3', '2', '1'])
    t.same(await find({ state: 'dead' }), ['1'])
    t.same(await find({ state: 'running' }), ['3'])
    t.same(await find({ handler: 'mail' }), ['3', '2'])
    t.same(await find({ handler: 'mail', state: 'running' }), [])
    t.same(await find({ since: new Date(2000), until: new Date(3000) }), ['2'])
    const first = await inbox.events({ limit: 3 })
    t.same(
      (await inbox.events({ limit: 3, after: first.next })).events.map(({ id }) => id),
      ['1']
    )
    t.equal((await inbox.events({ limit: 4 })).next, undefined)
    t.match(await inbox.event(keyOf('q')), { state: 'quarantined', type: '', reason: 'not UTF-8', liveMode: undefined })
  })

  t.test('a quarantined request is stored once, with its bytes, and is separate from an accepted event', async (t) => {
    const { inbox } = await open(t)
    t.same(await inbox.record([quarantined('q'), quarantined('q'), arrival('a')]), [
      'accepted',
      'duplicate',
      'accepted'
    ])
    t.ok(Buffer.from((await inbox.event(keyOf('q')))!.body).equals(Buffer.from([0xff, 0xfe, 0x00])))
    t.match(await inbox.stats(), { events: 1, quarantined: 1, duplicates: 1, conflicts: 0 })
    t.equal(await inbox.remove(keysOf('q', 'nope')), 1)
    t.equal(await inbox.event(keyOf('q')), undefined)
  })

  t.test('removing an event frees its key; a running one is not removed', async (t) => {
    const { inbox } = await open(t)
    const keyed = [{ handler: 'ship', orderKey: 'k' }]
    await inbox.record([arrival('1', keyed), arrival('2', keyed), arrival('3', keyed)])
    t.equal(await inbox.remove(keysOf('1')), 1)
    const claimed = await claim(inbox, ['ship'])
    t.same(ids(claimed), ['2'])
    t.equal(await inbox.remove(keysOf('2')), 0)
    t.same(await settleAll(inbox, claimed, { state: 'done' }), ['settled'])
    t.same(ids(await claim(inbox, ['ship'])), ['3'])
  })

  // Risk: a dead letter is replayed while an operator decides to remove it, and the work is lost.
  t.test('an event whose states have changed since they were seen is not removed', async (t) => {
    const { inbox } = await open(t)
    const keyed = [{ handler: 'ship', orderKey: 'k' }]
    await inbox.record([
      ...['replayed', 'more', 'dead'].map((id) => arrival(id, ['erp'])),
      ...['first', 'second'].map((id) => arrival(id, keyed)),
      quarantined('q')
    ])
    await settleAll(inbox, await claim(inbox, ['erp']), { state: 'dead', error: 'no' })
    const seen = (await inbox.events({ limit: 10 })).events
    await inbox.replay([
      { event: keyOf('replayed'), handler: 'erp' },
      { event: keyOf('more'), handler: 'mail' }
    ])
    const targets = seen.map((event) => ({ realm: event.realm, id: event.id, seen: event }))
    t.equal(await inbox.remove(targets), 4)
    t.same((await inbox.events({ limit: 10 })).events.map(({ id }) => id).sort(), ['more', 'replayed'])
    const state = { state: 'odd' as never, deliveries: [] }
    await t.rejects(inbox.remove([{ ...keyOf('more'), seen: state }]), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /^remove\(\): every entry: "seen": "state" must be one of/
    })
  })

  t.test('pruning purges old events that are done, and no others', async (t) => {
    const { inbox } = await open(t)
    const old = { receivedAt: new Date(1000) }
    await inbox.record([
      arrival('none', [], old),
      arrival('done', ['ship'], old),
      arrival('dead', ['ship'], old),
      arrival('due', ['mail'], old),
      { ...quarantined('q'), receivedAt: new Date(1000) },
      arrival('new', [], { receivedAt: new Date(5000) })
    ])
    const [done, dead] = await claim(inbox, ['ship'])
    await settleAll(inbox, [done!], { state: 'done' })
    await settleAll(inbox, [dead!], { state: 'dead', error: 'x' })
    const first = await inbox.prune({ before: new Date(2000), limit: 2 })
    t.equal(first.purged, 2)
    const second = await inbox.prune({ before: new Date(2000), limit: 2, after: first.next })
    t.equal(second.purged, 0)
    const third = await inbox.prune({ before: new Date(2000), limit: 2, after: second.next })
    t.same(third, { purged: 0, dead: 0, quarantined: 0, next: undefined })
    t.same(
      (await inbox.events({ limit: 10 })).events.map(({ id }) => id),
      ['new', 'q', 'due', 'dead']
    )
    t.same(await inbox.record([arrival('done', ['ship'])]), ['accepted'], 'a purged id is new again')
  })

  t.test('a claimer is woken when a delivery may be due', async (t) => {
    const { inbox } = await open(t)
    let wakes = 0
    const end = inbox.onDue(() => {
      wakes += 1
    })
    await inbox.record([arrival('1', ['ship'])])
    t.equal(wakes, 1)
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'done' })
    wakes = 0
    await inbox.replay([{ event: keyOf('1'), handler: 'ship' }])
    t.equal(wakes, 1)
    end()
    await inbox.record([arrival('2', ['ship'])])
    t.equal(wakes, 1)
  })
}

/** Claims all due deliveries of these handlers. */
export async function claim(
  inbox: Inbox,
  handlers: readonly (string | HandlerName)[]
): Promise<readonly ClaimedDelivery[]> {
  const wants = handlers
    .flatMap((each) => (typeof each === 'string' ? named(each) : each))
    .map(({ name, source }) => ({ handler: name, source, limit: 100 }))
  return (await inbox.claim({ owner: 'me', leaseMs, wants, limit: 1000 })).deliveries
}

/** Settles each delivery with the same outcome. @param endedAt default: the time that all tests have */
export function settleAll(inbox: Inbox, deliveries: readonly Lease[], outcome: Outcome, endedAt = at.endedAt) {
  const times = endedAt === at.endedAt ? at : { startedAt: endedAt, endedAt }
  return inbox.settle(deliveries.map(({ id, token }): Settlement => ({ id, token, outcome, ...times })))
}

/** The event ids of claimed deliveries. */
export const ids = (deliveries: readonly ClaimedDelivery[]): string[] => deliveries.map(({ event }) => event.id)
