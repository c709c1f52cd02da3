import fc from 'fast-check'
import type { Test } from 'tap'

import type { ClaimedDelivery, Inbox } from '../../src/inbox/inbox.ts'
import { replayInOrder, retryAllQuarantined, selectReplay } from '../../src/inbox/replay.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, ids, settleAll, type Subject } from './contract.ts'
import { keyOf, keysOf } from '../event-keys.ts'

const handlers = [{ name: 'ship', source: 'digital-river', pattern: '*' }]
const keyed = (orderKey = 'k') => [{ handler: 'ship', orderKey }]

/** Order keys, for every way in which deliveries are added. Risk: an order that is cancelled before it is accepted. */
export async function orderContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('a replayed delivery runs in order of arrival, before later ones that wait', async (t) => {
    const { inbox } = await open(t)
    await inbox.adopt(handlers)
    await inbox.record(['1', '2', '3'].map((id) => arrival(id, keyed())))
    await killAll(inbox)
    await inbox.record(['4', '5'].map((id) => arrival(id, keyed())))
    const [four] = await claim(inbox, ['ship'])
    await inbox.replay([
      { event: keyOf('3'), handler: 'ship' },
      { event: keyOf('1'), handler: 'ship' }
    ])
    await inbox.replay([{ event: keyOf('2'), handler: 'ship' }])
    t.same(await claim(inbox, ['ship']), [], 'a running one is left alone')
    await settleAll(inbox, [four!], { state: 'released' })
    t.same(await runAll(inbox), ['1', '2', '3', '4', '5'])
  })

  t.test('deliveries created for a new handler run in order of arrival, in any order of the request', async (t) => {
    const { inbox } = await open(t)
    await inbox.adopt(handlers)
    await inbox.record(['1', '2', '3', '4'].map((id) => arrival(id)))
    for (const eventId of ['4', '2', '3', '1'])
      await inbox.replay([{ event: keyOf(eventId), handler: 'ship', orderKey: 'k' }])
    t.same(await runAll(inbox), ['1', '2', '3', '4'])
  })

  t.test('a parked delivery blocks later ones of its key until its handler returns', async (t) => {
    const { inbox } = await open(t)
    await inbox.adopt(handlers)
    await inbox.record([arrival('1', keyed()), arrival('2', keyed())])
    await inbox.adopt([])
    await inbox.record([arrival('3', keyed()), arrival('other', keyed('other'))])
    t.same(ids(await claim(inbox, ['ship'])), ['other'])
    await inbox.adopt(handlers)
    t.same(await runAll(inbox), ['1', '2', '3'])
  })

  t.test('a quarantined request keeps its place, and is in line with the others before any of them runs', async (t) => {
    const { inbox } = await open(t)
    await inbox.adopt(handlers)
    const bad = (id: string) => ({ ...quarantined(id), body: Buffer.from(id) })
    await inbox.record([bad('q1'), bad('q2'), bad('q3'), arrival('4', keyed())])
    const read = ({ body }: { readonly body: Uint8Array }) => {
      const id = Buffer.from(body).toString()
      return id === 'q2'
        ? { ok: false as const, message: 'not yet' }
        : { ok: true as const, event: { ...event, id: id.slice(1) } }
    }
    const retried = await Array.fromAsync(
      retryAllQuarantined(inbox, keysOf('q1', 'q2', 'q3', 'nope'), { read, deliveriesOf: () => keyed() })
    )
    t.same(
      retried.map(({ result }) => result),
      ['accepted', { stillInvalid: 'not yet' }, 'accepted', undefined]
    )
    t.same(
      (await inbox.events({ limit: 10, oldestFirst: true })).events.map(({ id }) => id),
      ['1', 'q2', '3', '4'],
      'their places are kept'
    )
    t.same(await runAll(inbox), ['1', '3', '4'])
    await inbox.record([bad('q4')])
    t.same(
      await inbox.admit([{ ...event, request: keyOf('q4'), id: '4', deliveries: [] }]),
      ['conflict'],
      'another body with its id: it stays in quarantine'
    )
    t.match(await inbox.event(keyOf('4')), { duplicates: 1, conflicts: 1 })
    t.equal((await inbox.event(keyOf('q4')))!.state, 'quarantined')
  })

  t.test(
    'a line that is too long for one transaction is complete before any of it runs, in all circumstances',
    async (t) => {
      const { inbox } = await open(t)
      await inbox.adopt(handlers)
      const names = Array.from({ length: 1_250 }, (_, index) => String(index))
      for (let start = 0; start < names.length; start += 250)
        await inbox.record(names.slice(start, start + 250).map((id) => arrival(id)))
      await inbox.record([arrival('late', keyed())])
      const candidates = names.map((eventId) => ({
        event: keyOf(eventId),
        handler: 'ship',
        orderKey: 'k',
        state: 'missing' as const,
        receivedAt: new Date(1_000_000),
        isSkipped: false
      }))
      const early: string[] = []
      // A dispatcher that claims after every batch.
      const counts = await replayInOrder(
        {
          ...bound(inbox),
          replay: async (targets) => {
            const results = await inbox.replay(targets)
            if (early.length === 0 && !targets.some(({ event }) => event.id === '0'))
              early.push(...ids(await claim(inbox, ['ship'])))
            return results
          }
        },
        candidates
      )
      t.same(early, [], 'nothing runs before all are in line')
      t.equal(counts.created + counts.replayed, 1_250)
      const [first] = await claim(inbox, ['ship'])
      t.equal(first?.event.id, '0')
    }
  )

  t.test('a done delivery is not replayed, unless requested', async (t) => {
    const { inbox } = await open(t)
    await inbox.adopt([...handlers, { name: 'mail', source: 'digital-river', pattern: '*' }])
    await inbox.record([arrival('1', ['ship', 'mail'])])
    await settleAll(inbox, await claim(inbox, ['mail']), { state: 'done' })
    await killAll(inbox)
    const select = (filter: object) =>
      Array.fromAsync(selectReplay(inbox, { id: '1', ...filter }, { for: () => ['ship', 'mail', 'new'] }))
    t.same(
      (await select({})).map(({ handler, state, isSkipped }) => [handler, state, isSkipped]),
      [
        ['ship', 'dead', false],
        ['mail', 'done', true],
        ['new', 'missing', false]
      ]
    )
    const stale = await select({ handler: 'ship' })
    t.match(await replayInOrder(inbox, stale), { replayed: 1 })
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'done' })
    t.match(await replayInOrder(inbox, stale), { replayed: 0, done: 1 }, 'nor if it became done after it was selected')
    t.match(await replayInOrder(inbox, await select({ includeDone: true, handler: 'mail' })), { replayed: 1 })
  })

  t.test(
    'after any mix of record, replay, create, park and resume, the earliest arrival of a key runs first',
    async (t) => {
      const subject = await open(t)
      let runs = 0
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          runs += 1
          await history(subject, steps, `${runs}-`)
        }),
        { numRuns: Number(process.env['RIVERHOOK_TEST_RUNS'] ?? 6) }
      )
      t.pass('no history was found in which one was overtaken')
    }
  )
}

const event = {
  id: '',
  type: 'order.accepted',
  liveMode: false,
  createdTime: '2026-01-01T00:00:00Z',
  data: { object: {} }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('record' as const), key: fc.constantFrom('k1', 'k2', undefined) })
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      end: fc.constantFrom('done', 'dead', 'retry', 'released', 'lost')
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('replay' as const),
      which: fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
      key: fc.constantFrom('k1', 'k2')
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('away' as const) }) }
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Runs the steps, and checks the line at every claim. */
async function history({ inbox, advance, now }: Subject, steps: readonly Step[], prefix: string): Promise<void> {
  await inbox.adopt(handlers)
  const arrived: string[] = []
  for (const step of steps) {
    advance(1)
    if (step.do === 'record') {
      arrived.push(`${prefix}${arrived.length}`)
      await inbox.record([arrival(arrived.at(-1)!, step.key === undefined ? [] : keyed(prefix + step.key))])
    } else if (step.do === 'replay') {
      await inbox.replay(
        step.which.map((index) => ({
          event: keyOf(arrived[index] ?? 'none'),
          handler: 'ship',
          orderKey: prefix + step.key
        }))
      )
    } else if (step.do === 'away') {
      await inbox.adopt([])
      await inbox.adopt(handlers)
    } else {
      const before = await lines(inbox, arrived)
      // A delivery lost in an earlier history may return meanwhile.
      const claimed = (await claim(inbox, ['ship'])).filter(({ event }) => arrived.includes(event.id))
      // A delivery whose run was lost is claimed to be settled, and does not run.
      for (const { event, orderKey = '' } of claimed.filter(({ lost }) => lost === undefined)) {
        const [first] = before.get(orderKey) ?? []
        if (event.id !== first) throw new Error(`${event.id} of ${orderKey} overtook ${String(first)}`)
      }
      await end(inbox, claimed, step.end, now())
      if (step.end === 'lost') advance(20_000)
    }
  }
  await inbox.remove(keysOf(...arrived))
}

/** The ids in line, by order key, in order of arrival. */
async function lines(inbox: Inbox, arrived: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const lines = new Map<string, string[]>()
  const { events } = await inbox.events({ limit: 1000, oldestFirst: true })
  for (const { id, deliveries } of events) {
    for (const { state, orderKey = '' } of deliveries) {
      if (arrived.includes(id) && ['pending', 'waiting', 'running', 'parked'].includes(state))
        lines.set(orderKey, [...(lines.get(orderKey) ?? []), id])
    }
  }
  return lines
}

async function end(inbox: Inbox, claimed: readonly ClaimedDelivery[], how: string, now: number): Promise<void> {
  if (how === 'retry')
    await settleAll(inbox, claimed, { state: 'retry', dueAt: new Date(now), error: 'x', releaseKey: false })
  else if (how === 'dead') await settleAll(inbox, claimed, { state: 'dead', error: 'x' })
  else if (how !== 'lost') await settleAll(inbox, claimed, { state: how === 'done' ? 'done' : 'released' })
}

async function killAll(inbox: Inbox): Promise<void> {
  for (let held = await claim(inbox, ['ship']); held.length > 0; held = await claim(inbox, ['ship']))
    await settleAll(inbox, held, { state: 'dead', error: 'x' })
}

/** Runs all due deliveries, one after the other. @returns the ids of the events, in the order of their runs */
async function runAll(inbox: Inbox): Promise<string[]> {
  const ran: string[] = []
  for (let held = await claim(inbox, ['ship']); held.length > 0; held = await claim(inbox, ['ship'])) {
    ran.push(...ids(held))
    await settleAll(inbox, held, { state: 'done' })
  }
  return ran
}

/** An inbox with methods that can be detached. */
function bound(inbox: Inbox): Inbox {
  return new Proxy(inbox, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
    ownKeys: () => ['replay', 'handlers', 'events', 'event'],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true })
  })
}
