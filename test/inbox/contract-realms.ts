import type { Test } from 'tap'

import { copyInbox } from '../../src/inbox/copy.ts'
import type { AcceptedArrival, Inbox, NewDelivery } from '../../src/inbox/inbox.ts'
import { memoryInbox } from '../../src/inbox/memory/engine.ts'
import { replayInOrder, retryAllQuarantined, selectReplay } from '../../src/inbox/replay.ts'
import { backfill } from '../../src/manage/backfill/backfill.ts'
import { purgedMark } from '../../src/model/purged-mark.ts'
import { quarantineIdOf, type AnyEvent } from '../../src/model/event.ts'
import type { SourceApi } from '../../src/source/source.ts'
import { arrival, quarantined, someMismatch } from './arrivals.ts'
import { claim, leaseMs, settleAll, type Subject } from './contract.ts'

const live = { realm: 'shop' }
const test = { realm: 'shop:test' }
/** Another provider, whose ids may be equal to those of `shop`. */
const other = { realm: 'bank', source: 'bank' }

const inLive = (
  id: string,
  deliveries: readonly (string | NewDelivery)[] = [],
  changes: Partial<AcceptedArrival> = {}
) => arrival(id, deliveries, { ...live, ...changes })
const inTest = (
  id: string,
  deliveries: readonly (string | NewDelivery)[] = [],
  changes: Partial<AcceptedArrival> = {}
) => arrival(id, deliveries, { ...test, ...changes })
const keyed = (orderKey: string): NewDelivery[] => [{ handler: 'ship', orderKey }]

/** The realm and the id of the events of claimed deliveries. */
const keysOf = (deliveries: readonly { readonly event: { readonly realm: string; readonly id: string } }[]) =>
  deliveries.map(({ event: { realm, id } }) => `${realm} ${id}`)

/** The contract of every engine for a shared inbox: the events of a realm are separate. */
export async function realmsContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  await attacks(t, open)

  t.test('equal ids in two realms are two events, and a change of one leaves the other unchanged', async (t) => {
    const { inbox } = await open(t)
    const bodies = { body: Buffer.from('of the test realm') }
    t.same(await inbox.record([inLive('1', ['ship']), inTest('1', ['ship'], bodies), inTest('1', [], bodies)]), [
      'accepted',
      'accepted',
      'duplicate'
    ])
    t.same(keysOf(await claim(inbox, ['ship'])), ['shop 1', 'shop:test 1'])
    const keys = [
      { ...live, id: '1' },
      { ...test, id: '1' }
    ] as const
    t.match(await inbox.event(keys[0]), { ...keys[0], duplicates: 0, conflicts: 0 })
    t.match(await inbox.event(keys[1]), { ...keys[1], duplicates: 1, conflicts: 0 })
    t.same(Buffer.from((await inbox.event(keys[1]))!.body).toString(), 'of the test realm')
    t.equal(await inbox.event({ realm: 'none', id: '1' }), undefined)
    const found = async (filter: object) =>
      (await inbox.events({ limit: 10, ...filter })).events.map(({ realm }) => realm)
    t.same(await found({ id: '1', oldestFirst: true }), ['shop', 'shop:test'])
    t.same(await found({ id: '1', realm: 'shop:test' }), ['shop:test'])
    t.same(await found({ realm: 'shop', state: 'running', handler: 'ship' }), ['shop'])
    t.same(await found({ source: 'bank' }), [])
    t.same([...(await inbox.known('shop', ['1', '2']))], ['1'])
    t.same([...(await inbox.known('none', ['1']))], [])
    t.equal(await inbox.remove([{ realm: 'none', id: '1' }]), 0)
  })

  t.test('a replay, a removal and a retry from quarantine name one of two equal ids', async (t) => {
    const { inbox } = await open(t)
    await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
    await inbox.record([inLive('1', ['ship']), inTest('1', ['ship']), quarantined('q', live), quarantined('q', test)])
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'done' })
    t.same(await inbox.replay([{ event: { ...test, id: '1' }, handler: 'ship' }]), ['replayed'])
    t.same(keysOf(await claim(inbox, ['ship'])), ['shop:test 1'])
    const event = { type: 'a', deliveries: [] }
    t.same(await inbox.admit([{ request: { ...live, id: 'q' }, id: '2', ...event }]), ['accepted'])
    t.match(await inbox.event({ ...live, id: '2' }), { state: 'accepted', ...live })
    t.match(await inbox.event({ ...test, id: 'q' }), { state: 'quarantined' })
    t.same(
      await inbox.admit([{ request: { ...test, id: 'q' }, id: '2', ...event }]),
      ['accepted'],
      'only the other realm has the id 2'
    )
    t.equal(await inbox.remove([{ ...live, id: '1' }]), 1)
    t.equal(await inbox.event({ ...live, id: '1' }), undefined)
    t.ok(await inbox.event({ ...test, id: '1' }))
  })

  // Risk: an order that waits for an order of the test shop with the same number.
  t.test('one order key in two realms is two lines, also after a replay, a restore and a removal', async (t) => {
    const { inbox } = await open(t)
    await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
    await inbox.record(['1', '2'].flatMap((id) => [inTest(id, keyed('k')), inLive(id, keyed('k'))]))
    const first = await claim(inbox, ['ship'])
    t.same(keysOf(first), ['shop:test 1', 'shop 1'])
    await settleAll(inbox, first.slice(1), { state: 'done' })
    t.same(keysOf(await claim(inbox, ['ship'])), ['shop 2'], 'the next of the same line')
    t.same((await inbox.stats()).deliveries.waiting, 1, 'the other line still waits')
    const target = memoryInbox()
    await target.open()
    t.match(await copyInbox({ from: inbox, to: target }), { seen: 4, copied: 4 })
    t.same(keysOf(await claim(target, ['ship'])), ['shop:test 1', 'shop 2'])
    const there = await open(t)
    t.match(await copyInbox({ from: target, to: there.inbox }), { seen: 4, copied: 4 })
    t.match(await copyInbox({ from: target, to: there.inbox }), { seen: 4, copied: 0 }, 'known by realm and id')
    t.same(keysOf(await claim(there.inbox, ['ship'])), ['shop:test 1', 'shop 2'])
  })

  t.test('source and kept headers are stored with an event and returned with it', async (t) => {
    const { inbox } = await open(t)
    const headers = { 'x-event-id': 'ev 1', 'x-event-type': 'päid' }
    await inbox.record([
      inLive('1', ['ship'], { ...other, headers }),
      { ...quarantined('q', { ...other, headers }), reason: 'x' }
    ])
    const [held] = await claim(inbox, [{ name: 'ship', source: 'bank' }])
    t.match(held?.event, { realm: 'bank', source: 'bank', id: '1' })
    t.same(held?.event.headers, headers)
    t.same((await inbox.event({ realm: 'bank', id: '1' }))?.headers, headers)
    t.same(
      await inbox.admit([
        { request: { realm: 'bank', id: 'q' }, id: '2', type: 'a', deliveries: [{ handler: 'ship' }] }
      ]),
      ['accepted']
    )
    t.match(await inbox.event({ realm: 'bank', id: '2' }), { liveMode: undefined, createdTime: undefined, headers })
    const target = memoryInbox()
    await target.open()
    await copyInbox({ from: inbox, to: target })
    const there = await open(t)
    await copyInbox({ from: target, to: there.inbox })
    t.match(await there.inbox.event({ realm: 'bank', id: '2' }), { source: 'bank', headers, liveMode: undefined })
    await inbox.record([inLive('none')])
    t.same((await inbox.event({ ...live, id: 'none' }))?.headers, {})
  })

  // Risk: an event of the bank, passed to the handler that was written for the shop.
  t.test(
    "a handler gets only its own source's events, even if its name belonged to another source before",
    async (t) => {
      const { inbox, advance } = await open(t)
      const ship = (source: string) => ({ name: 'ship', source, pattern: '*' })
      await inbox.adopt([ship('digital-river'), { name: 'book', source: 'bank', pattern: '*' }])
      await inbox.record([
        inLive('shop', keyed('k')),
        arrival('bank', [{ handler: 'book', orderKey: 'k' }], other),
        arrival('lost', ['book'], other)
      ])
      t.same(keysOf(await claim(inbox, ['ship'])), ['shop shop'])
      t.same(
        await inbox.adopt([{ ...ship('bank'), name: 'book' }]),
        { parked: 0, resumed: 0 },
        'one is running, and is not claimed'
      )
      const held = await claim(inbox, [{ name: 'book', source: 'bank' }])
      t.equal(held.length, 2)
      const dueAt = new Date(0)
      const lost = { state: 'lost', dueAt, error: 'x', counts: false, releaseKey: false } as const
      await settleAll(inbox, held.slice(0, 1), { state: 'retry', dueAt, error: 'x', releaseKey: false })
      await settleAll(inbox, held.slice(1), lost)
      t.equal((await inbox.suspects([{ name: 'book', source: 'bank' }])).length, 1)
      t.same(await inbox.suspects([{ name: 'book', source: 'digital-river' }]), [])
      t.same(await claim(inbox, [{ name: 'book', source: 'digital-river' }]), [], 'also before it has adopted')
      t.same(await inbox.adopt([ship('digital-river'), { ...ship('digital-river'), name: 'book' }]), {
        parked: 2,
        resumed: 0
      })
      t.same(await claim(inbox, [{ name: 'book', source: 'digital-river' }]), [])
      t.same(await inbox.replay([{ event: { realm: 'bank', id: 'bank' }, handler: 'book' }]), ['replayed'])
      t.match(await inbox.event({ realm: 'bank', id: 'bank' }), { deliveries: [{ state: 'parked' }] })
      await inbox.record([inLive('new', [{ handler: 'book', orderKey: 'k' }])])
      t.same(
        keysOf(await claim(inbox, ['book'])),
        ['shop new'],
        'the parked one belongs to another line, that of its realm'
      )
      t.same(await inbox.adopt([{ ...ship('bank'), name: 'book' }]), { parked: 0, resumed: 2 })
      t.same(await inbox.handlers(), [{ ...ship('bank'), name: 'book', ordered: false }])
      advance(leaseMs)
      t.same(keysOf(await claim(inbox, [{ name: 'book', source: 'bank' }])), ['bank bank'])
    }
  )

  t.test("adopting handlers of two sources together does not park each other's deliveries", async (t) => {
    const { inbox } = await open(t)
    const handlers = [
      { name: 'ship', source: 'digital-river', pattern: '*' },
      { name: 'book', source: 'bank', pattern: '*' }
    ]
    await inbox.record([inLive('1', ['ship']), arrival('1', ['book'], other)])
    t.same(await inbox.adopt(handlers), { parked: 0, resumed: 0 })
    t.same(await inbox.adopt(handlers.slice(0, 1)), { parked: 1, resumed: 0 })
    t.same(await inbox.adopt(handlers), { parked: 0, resumed: 1 })
    const wants = handlers.map(({ name, source }) => ({ handler: name, source, limit: 5 }))
    t.same(keysOf((await inbox.claim({ owner: 'me', leaseMs, wants, limit: 5 })).deliveries).sort(), [
      'bank 1',
      'shop 1'
    ])
  })

  t.test(
    'a replay by filter stays in a realm, and creates deliveries for handlers of the event’s source',
    async (t) => {
      const { inbox } = await open(t)
      await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
      await inbox.record([inLive('1'), inTest('1'), arrival('1', [], other)])
      const handlers = {
        for: ({ source }: { readonly source: string }) => (source === 'digital-river' ? ['ship'] : [])
      }
      const replay = async (filter: object) =>
        replayInOrder(inbox, await Array.fromAsync(selectReplay(inbox, filter, handlers)))
      t.match(await replay({ id: '1', realm: 'shop:test' }), { created: 1, replayed: 0 })
      t.same(keysOf(await claim(inbox, ['ship'])), ['shop:test 1'])
      t.match(await replay({ source: 'bank' }), { created: 0, replayed: 0 })
      t.match(await replay({ id: '1' }), { created: 1, running: 0 }, 'without a realm, in every realm that has it')
      t.same(keysOf(await claim(inbox, ['ship'])), ['shop 1'])
    }
  )

  t.test('watermarks, mismatches and counts are per realm', async (t) => {
    const { inbox, now } = await open(t)
    const old = { receivedAt: new Date(1_000), createdTime: undefined }
    await inbox.advance('shop', 'mark', new Date(2_000))
    await inbox.advance('shop:test', 'mark', new Date(1_000))
    t.same(await inbox.watermark('shop', 'mark'), new Date(2_000))
    t.same(await inbox.watermark('shop:test', 'mark'), new Date(1_000))
    t.equal(await inbox.watermark('bank', 'mark'), undefined)
    t.same(
      [...(await inbox.watermarks())].sort((one, two) => (one.realm < two.realm ? -1 : 1)),
      [
        { realm: 'shop', name: 'mark', at: new Date(2_000) },
        { realm: 'shop:test', name: 'mark', at: new Date(1_000) }
      ]
    )
    await inbox.flag([
      { ...live, ...someMismatch },
      { ...test, ...someMismatch, count: 5 },
      { ...live, ...someMismatch }
    ])
    t.same((await inbox.drifts()).map(({ realm, count }) => [realm, count]).sort(), [
      ['shop', 2],
      ['shop:test', 5]
    ])
    await inbox.record([
      inTest('1', ['ship'], old),
      inTest('2', ['ship', 'mail']),
      inLive('1', ['ship']),
      quarantined('q', live),
      inLive('1', [], { body: Buffer.from('other') })
    ])
    await settleAll(inbox, (await claim(inbox, ['ship'])).slice(0, 1), { state: 'done' })
    const none = { pending: 0, waiting: 0, running: 0, done: 0, dead: 0, parked: 0 }
    t.same((await inbox.stats()).byRealm, [
      {
        ...live,
        events: 1,
        quarantined: 1,
        backfilled: 0,
        duplicates: 1,
        conflicts: 1,
        deliveries: { ...none, running: 1 }
      },
      {
        ...test,
        events: 2,
        quarantined: 0,
        backfilled: 0,
        duplicates: 0,
        conflicts: 0,
        deliveries: { ...none, pending: 1, running: 1, done: 1 }
      }
    ])
    await inbox.prune({ before: new Date(now() - 1_000), limit: 10 })
    t.same(await inbox.watermark('shop:test', purgedMark), new Date(1_000))
    t.equal(await inbox.watermark('shop', purgedMark), undefined, 'no event of it was purged')
  })
}

/**
 * Attacks on live events by a sender that has the secret of the test realm. A shared set of ids would allow each of
 * them.
 */
async function attacks(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('attack: an event of the test realm takes the id of a live event first', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([inTest('order 1', [], { body: Buffer.from('forged') })])
    t.same(await inbox.record([inLive('order 1', ['ship'])]), ['accepted'], 'not a duplicate: it is handled')
    t.same(keysOf(await claim(inbox, ['ship'])), ['shop order 1'])
  })

  t.test('attack: an event of the test realm makes a backfill mistake a live event for one that arrived', async (t) => {
    const { inbox, now } = await open(t)
    const createdTime = new Date(now() - 60_000).toISOString()
    // Purged in the test realm, where an older event would count as handled and purged.
    await inbox.record([inTest('missed'), inTest('new', [], { receivedAt: new Date(now()) })])
    await inbox.advance('shop:test', purgedMark, new Date(now()))
    const listed = { id: 'missed', type: 'order.accepted', createdTime }
    const events: SourceApi['events'] = {
      horizonMs: 86_400_000,
      async *all() {
        yield listed
      }
    }
    const read = ({ body }: { readonly body: Uint8Array }) =>
      ({ ok: true, event: JSON.parse(Buffer.from(body).toString()) as AnyEvent }) as const
    const run = (realm: string) =>
      backfill({
        api: { events },
        inbox,
        source: { name: 'digital-river' },
        read,
        realm,
        endpoint: '/hook',
        interest: { all: [{ pattern: '*' }], for: () => [{ name: 'ship' }] },
        deliveriesOf: () => [{ handler: 'ship' }],
        since: new Date(now() - 3_600_000),
        until: new Date(now())
      })
    t.match(await run('shop'), { listed: 1, arrived: 0, recovered: 1, forgotten: 0 })
    t.same(keysOf(await claim(inbox, ['ship'])), ['shop missed'])
    t.match(await run('shop:test'), { arrived: 1, recovered: 0 })
  })

  t.test('attack: a failing event of the test realm blocks the order key of live events', async (t) => {
    const { inbox, now } = await open(t)
    const failing = async (outcome: 'retry' | 'running' | 'parked') => {
      const orderKey = `order of ${outcome}`
      await inbox.record([inTest(outcome, keyed(orderKey))])
      const held = await claim(inbox, ['ship'])
      t.equal(held.length, 1)
      if (outcome === 'parked') await settleAll(inbox, held, { state: 'parked' })
      if (outcome === 'retry')
        await settleAll(inbox, held, { state: 'retry', dueAt: new Date(now() + 1e9), error: 'x', releaseKey: false })
      await inbox.record([inLive(outcome, keyed(orderKey))])
      t.same(keysOf(await claim(inbox, ['ship'])), [`shop ${outcome}`])
    }
    for (const outcome of ['retry', 'running', 'parked'] as const) await failing(outcome)
  })

  t.test('attack: a request of the test realm takes the quarantine id of a live request', async (t) => {
    const { inbox } = await open(t)
    const request = { endpoint: '/hook', headers: {}, body: Buffer.from('{"id":1}') }
    const id = quarantineIdOf({ ...live, ...request })
    t.not(quarantineIdOf({ ...test, ...request }), id, 'the same bytes at the same path')
    t.not(quarantineIdOf({ ...live, ...request, headers: { 'x-id': '1' } }), id, 'other kept headers')
    const forged = { ...quarantined(id, test), body: Buffer.from('forged') }
    t.same(await inbox.record([forged]), ['accepted'])
    t.same(await inbox.record([{ ...quarantined(id, live), ...request }]), ['accepted'], 'kept, as the log states')
    const results = await retried(inbox, [
      { ...live, id },
      { ...test, id }
    ])
    t.same(results, ['accepted', { stillInvalid: 'forged' }])
    t.same(keysOf(await claim(inbox, ['ship'])), ['shop 1'])
  })
}

async function retried(inbox: Inbox, keys: readonly { readonly realm: string; readonly id: string }[]) {
  const results = await Array.fromAsync(
    retryAllQuarantined(inbox, keys, {
      read: ({ body }) => {
        const text = Buffer.from(body).toString()
        return text === 'forged'
          ? { ok: false, message: text }
          : { ok: true, event: { id: '1', type: 'order.accepted', liveMode: true, createdTime: '' } }
      },
      deliveriesOf: () => [{ handler: 'ship' }]
    })
  )
  return results.map(({ result }) => result)
}
