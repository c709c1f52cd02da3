import fc from 'fast-check'
import t, { type Test } from 'tap'

import type { Dispatcher, DispatcherOptions } from '../../src/deliver/dispatcher.ts'
import { takenAhead, takenSlots, type Lane } from '../../src/deliver/lane.ts'
import { Pace } from '../../src/deliver/pace.ts'
import { retryDefaults } from '../../src/deliver/retry.ts'
import { shareClaims, shareSlots } from '../../src/deliver/share-claims.ts'
import type { HandlerOptions } from '../../src/handlers/handler.ts'
import { Registry } from '../../src/handlers/registry.ts'
import { Recorder } from '../../src/inbox/recorder.ts'
import type { Inbox, RecordResult } from '../../src/inbox/inbox.ts'
import { arrival } from '../inbox/arrivals.ts'
import { altered, gate, rig, type Rig } from './rig.ts'

// Risk: a delivery that is claimed before a slot of its handler is free runs beside too many others, keeps another
// process from running it, runs after its lease has ended, or uses up an attempt that never began.

const concurrency = 2
const burst = Array.from({ length: 10 }, (_, index) => `e${index}`)

interface Quick {
  readonly r: Rig
  readonly dispatcher: Dispatcher
  /** Records events in one commit, as requests that arrive together do. */
  readonly record: (ids: readonly string[]) => Promise<readonly RecordResult[]>
  /** How many new deliveries each commit has claimed. */
  readonly claimed: number[]
  /** The most attempts that ran at the same time. */
  readonly most: () => number
  readonly begun: string[]
}

/** A handler with two slots, whose attempts were quick until now. */
async function quick(
  t: Test,
  run: (id: string, r: Rig) => unknown,
  {
    handler,
    wrap,
    ...options
  }: Partial<DispatcherOptions> & {
    readonly handler?: HandlerOptions
    readonly wrap?: (inbox: Inbox) => Partial<Inbox>
  } = {}
): Promise<Quick> {
  const claimed: number[] = []
  const begun: string[] = []
  let running = 0
  let most = 0
  const r = await rig(t, (inbox) =>
    altered(inbox, (inbox) => ({
      async recordAndClaim(arrivals, request) {
        const recorded = await inbox.recordAndClaim!(arrivals, request)
        claimed.push(recorded.claimed.length)
        return recorded
      },
      ...wrap?.(inbox)
    }))
  )
  r.handlers.on('order.accepted', { name: 'a', concurrency, ...handler }, async ({ id }) => {
    begun.push(id)
    most = Math.max(most, (running += 1))
    try {
      await run(id, r)
    } finally {
      running -= 1
    }
  })
  const dispatcher = await r.start({ random: () => 0, ...options })
  const recorder = new Recorder(r.inbox, { claimer: () => dispatcher })
  const record = (ids: readonly string[]): Promise<readonly RecordResult[]> => {
    const key = r.handlers.all[0]?.orderBy === undefined ? {} : { orderKey: 'k' }
    const arrivals = ids.map((id) =>
      arrival(id, [{ handler: 'a', ...key }], {
        body: Buffer.from(JSON.stringify({ id, type: 'order.accepted', data: {} }))
      })
    )
    return recorder.recordAll(arrivals, 60_000)
  }
  await record(['first'])
  await r.untilSettled(1)
  claimed.length = begun.length = most = 0
  return { r, dispatcher, record, claimed, begun, most: () => most }
}

t.test(
  'a burst for a quick handler is claimed by the commit that stores it, and runs in order, within its slots',
  async (t) => {
    const { r, record, claimed, begun, most } = await quick(t, () => new Promise((resolve) => setImmediate(resolve)))
    await record(burst)
    await r.untilSettled(1 + burst.length)
    t.strictSame(claimed, [burst.length])
    t.strictSame(begun, burst)
    t.equal(most(), concurrency)
    for (const id of burst)
      t.match((await r.event(id)).deliveries, [{ state: 'done', attempts: 1, attemptLog: [{ state: 'done' }] }])
  }
)

for (const { ms, least, most, title } of [
  { ms: 0, least: burst.length, most: Infinity, title: 'handlers that take no time run one after the other at once' },
  { ms: 3, least: 1, most: 2 * concurrency, title: 'handlers that block the event loop let it turn in between' }
])
  t.test(title, async (t) => {
    const turns: number[] = []
    let inTurn = 0
    let isOver = false
    const turn = (): void => {
      turns.push(inTurn)
      inTurn = 0
      if (!isOver) setImmediate(turn)
    }
    const { r, record, claimed, begun } = await quick(t, (id, r) => {
      if (id === 'first') return
      inTurn += 1
      r.advance(ms)
    })
    setImmediate(turn)
    const more = burst.map((id) => `${id}-more`)
    await record(burst)
    await record(more)
    await r.untilSettled(1 + burst.length + more.length)
    isOver = true
    t.equal(claimed[0], burst.length)
    t.strictSame(begun, [...burst, ...more])
    const longest = Math.max(...turns)
    t.ok(longest >= least && longest <= most, `${longest} in one turn`)
  })

t.test('a slow handler, and one with an order key, get only what their slots can run', async (t) => {
  const slow = await quick(t, (id, r) => {
    if (id === 'first') r.advance(60)
  })
  await slow.record(burst)
  await slow.r.untilSettled(1 + burst.length)
  t.strictSame(slow.claimed, [concurrency])
  const ordered = await quick(t, () => undefined, { handler: { orderBy: () => 'k' } })
  await ordered.record(burst)
  await ordered.r.untilSettled(1 + burst.length)
  t.notOk(ordered.claimed.some((count) => count > 0))
  t.strictSame(ordered.begun, burst)
})

t.test('when a quick handler hangs, others may have its deliveries, and none has used up an attempt', async (t) => {
  const hold = gate()
  const { r, record, claimed, begun } = await quick(t, (id) => (id === 'first' ? undefined : hold.promise), {
    leaseMs: 60_000
  })
  await record(burst)
  t.strictSame(claimed, [burst.length])
  await new Promise((resolve) => setImmediate(resolve))
  r.advance(1_001)
  await r.untilSettled(1 + burst.length - concurrency)
  t.strictSame(
    r.settled.slice(1).map(({ state }) => state),
    burst.slice(concurrency).map(() => 'released')
  )
  const { deliveries } = await r.event('e5')
  t.match(deliveries, [{ state: 'pending', attempts: 0 }])
  const logged = deliveries[0]!.attemptLog.map(({ state, startedAt, endedAt }) => [state, +endedAt - +startedAt])
  t.strictSame(logged, [['released', 0]], 'its wait is no attempt')
  t.strictSame(begun, burst.slice(0, concurrency))
  await record(['late'])
  hold.resolve()
  await r.untilSettled(burst.length + 2, ({ state }) => state === 'done')
  t.strictSame([...begun].sort(), [...burst, 'late'].sort(), 'each ran once')
  t.strictSame(claimed, [burst.length], 'a handler that hung gets nothing ahead of its slots')
})

t.test('a stop hands back what waits for a slot at once, while the attempts under way finish', async (t) => {
  const hold = gate()
  const { r, dispatcher, record, begun } = await quick(t, (id) => (id === 'first' ? undefined : hold.promise))
  await record(burst)
  await new Promise((resolve) => setImmediate(resolve))
  const stopped = dispatcher.stop({ graceMs: 60_000 })
  await r.untilSettled(1 + burst.length - concurrency)
  hold.resolve()
  await stopped
  t.strictSame(begun, burst.slice(0, concurrency))
  for (const id of burst.slice(concurrency))
    t.match((await r.event(id)).deliveries, [{ state: 'pending', attempts: 0, losses: 0 }])
  t.match((await r.event('e0')).deliveries, [{ state: 'done' }])
})

t.test('an uncaught error loses no delivery that waits for a slot', async (t) => {
  const { r, dispatcher, record } = await quick(t, (id) => (id === 'first' ? undefined : new Promise(() => undefined)))
  await record(burst)
  await new Promise((resolve) => setImmediate(resolve))
  await dispatcher.fail(new Error('nobody caught it'))
  for (const [index, id] of burst.entries())
    t.match((await r.event(id)).deliveries, [{ state: 'pending', losses: index < concurrency ? 1 : 0 }], id)
})

t.test('a delivery whose lease was lost while it waited does not begin here', async (t) => {
  const hold = gate()
  const lost = gate()
  let isLost = false
  const { r, record, begun } = await quick(t, (id) => (id === 'first' ? undefined : hold.promise), {
    leaseMs: 30,
    wrap: (inbox) => ({
      async extend(leases, ...rest) {
        if (!isLost) return inbox.extend(leases, ...rest)
        setImmediate(lost.resolve)
        return leases.map(({ id }) => id)
      }
    })
  })
  await record(burst)
  await new Promise((resolve) => setImmediate(resolve))
  isLost = true
  await lost.promise
  isLost = false
  t.equal(r.messages('lease was lost while the handler ran').length, concurrency)
  t.equal(r.messages('lease was lost before the handler began').length, burst.length - concurrency)
  hold.resolve()
  await record(['later'])
  await r.untilSettled(2)
  t.strictSame(begun, [...burst.slice(0, concurrency), 'later'])
})

t.test('after the clock was set back, what waited is handed back', async (t) => {
  const { r, record } = await quick(t, (id) => (id === 'first' ? undefined : new Promise(() => undefined)))
  await record(burst)
  await new Promise((resolve) => setImmediate(resolve))
  r.advance(-3_600_000)
  await r.untilSettled(1 + burst.length - concurrency)
  t.ok(r.settled.slice(1).every(({ state }) => state === 'released'))
  t.equal(r.messages('handed back before it began').length, burst.length - concurrency)
})

t.test('a process that was frozen begins nothing that waited, and hands it back', async (t) => {
  const hold = gate()
  const { r, record, begun } = await quick(t, (id) => (id === 'first' ? undefined : hold.promise), { pollMs: 60_000 })
  await record(burst)
  await new Promise((resolve) => setImmediate(resolve))
  r.advance(2_600)
  hold.resolve()
  await r.untilSettled(1 + burst.length)
  t.strictSame(begun.slice(0, concurrency), burst.slice(0, concurrency))
  t.equal(r.settled.filter(({ state }) => state === 'released').length, burst.length - concurrency)
})

t.test('after a stall, nothing is claimed ahead until attempts were quick again, for any number of slots', (t) => {
  const lengths = fc.array(fc.double({ noNaN: true }), { maxLength: 20 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), lengths, (slots, lengths) => {
      const pace = new Pace()
      for (const ms of lengths) pace.ended(ms)
      pace.stalled(slots)
      for (let attempts = 0; attempts < 15; attempts += 1) {
        if (pace.ahead(slots) !== 0) return false
        pace.ended(0)
      }
      for (let attempts = 0; attempts < 10; attempts += 1) pace.ended(0)
      return pace.ahead(slots) > 0
    })
  )
  t.end()
})

t.test('claims ahead of the slots take no slot from any handler, and are bounded', (t) => {
  const lane = fc.record({
    concurrency: fc.integer({ min: 1, max: 20 }),
    running: fc.nat({ max: 20 }),
    prefetched: fc.nat({ max: 30 }),
    reserved: fc.nat({ max: 10 }),
    ms: fc.option(fc.integer({ min: 0, max: 400 })),
    isOrdered: fc.boolean(),
    wanted: fc.oneof(fc.nat({ max: 100 }), fc.constant(Infinity))
  })
  const given = fc.record({
    most: fc.integer({ min: 1, max: 64 }),
    lanes: fc.array(lane, { minLength: 1, maxLength: 6 })
  })
  fc.assert(
    fc.property(given, ({ most, lanes: specs }) => {
      const registry = new Registry()
      const lanes = specs.map(({ running, prefetched, reserved, ms, isOrdered, ...spec }, index): Lane => {
        registry.on(
          '*',
          { name: `h${index}`, concurrency: spec.concurrency, ...(isOrdered && { orderBy: () => 'k' }) },
          () => undefined
        )
        const handler = registry.all[index]!
        const pace = new Pace()
        if (ms !== null) pace.ended(ms)
        const slots = Math.min(running, handler.concurrency)
        return { handler, rule: retryDefaults, running: slots, reserved, prefetched, pace, mayBeDue: false }
      })
      const wanted = (lane: Lane): number => specs[lanes.indexOf(lane)]!.wanted
      const slots = new Map(shareSlots(lanes, most, wanted).map(({ lane, limit }) => [lane, limit]))
      const wants = shareClaims(lanes, most, wanted)
      const before = lanes.reduce((sum, lane) => sum + takenAhead(lane), 0)
      let ahead = 0
      for (const { lane, limit } of wants) {
        const more = limit - (slots.get(lane) ?? 0)
        if (more < 0 || limit > wanted(lane)) return false
        if (more === 0) continue
        ahead += more
        const isFull = takenSlots(lane) + (slots.get(lane) ?? 0) === lane.handler.concurrency
        if (!isFull || lane.handler.orderBy !== undefined) return false
        if (takenAhead(lane) + more > lane.pace.ahead(lane.handler.concurrency)) return false
      }
      if ([...slots.keys()].some((lane) => !wants.some((want) => want.lane === lane))) return false
      const isShort = lanes.some(
        (lane) =>
          wanted(lane) > (slots.get(lane) ?? 0) && takenSlots(lane) + (slots.get(lane) ?? 0) < lane.handler.concurrency
      )
      return ahead === 0 || (!isShort && before + ahead <= most)
    })
  )
  t.end()
})
