import t, { type Test } from 'tap'

import type { Claim, ClaimRequest } from '../../src/inbox/inbox.ts'
import type { HandlerOptions } from '../../src/handlers/handler.ts'
import { altered, failing, gate, rig, type Rig } from './rig.ts'

// Risk: two claims under way at the same time run a delivery twice, run more attempts than allowed, break the order of
// a key, or leave deliveries leased when the process stops.

const concurrency = 64
const events = Array.from({ length: 600 }, (_, index) => `e${index}`)

interface Watched {
  readonly r: Rig
  readonly requests: ClaimRequest[]
  /** The most claims that were under way at the same time. */
  readonly most: () => number
}

interface WatchedOptions {
  /** False for an engine that allows one server. */
  readonly hasServers?: boolean
  /** Called before each claim. */
  readonly before?: (claims: number) => Promise<void>
}

/** A dispatcher's inbox whose claims take a while. */
async function watched(t: Test, { hasServers = true, before }: WatchedOptions = {}): Promise<Watched> {
  const requests: ClaimRequest[] = []
  let underWay = 0
  let most = 0
  const r = await rig(t, (inner) =>
    altered(inner, (inbox) => ({
      ...(hasServers && { servers: () => Promise.resolve([]) }),
      recordAndClaim: undefined as never,
      async claim(request): Promise<Claim> {
        requests.push(request)
        most = Math.max(most, (underWay += 1))
        try {
          await before?.(requests.length)
          for (let turns = 0; turns < 10; turns += 1) await new Promise((resolve) => setImmediate(resolve))
          return await inbox.claim(request)
        } finally {
          underWay -= 1
        }
      }
    }))
  )
  return { r, requests, most: () => most }
}

async function drainAll({ r }: Watched, options: HandlerOptions = {}): Promise<{ begun: string[]; most: number }> {
  const begun: string[] = []
  let running = 0
  let most = 0
  r.handlers.on('order.accepted', { name: 'a', concurrency, ...options }, async ({ id }) => {
    begun.push(id)
    most = Math.max(most, (running += 1))
    await Promise.resolve()
    running -= 1
  })
  const key = options.orderBy === undefined ? {} : { orderKey: 'k' }
  for (const id of events) await r.recordFor(id, [{ handler: 'a', ...key }])
  await r.start({ concurrency })
  await r.untilSettled(events.length)
  return { begun, most }
}

t.test('with an engine of several servers, two claims of a backlog are under way', async (t) => {
  const each = await watched(t)
  const { begun, most } = await drainAll(each)
  t.equal(each.most(), 2)
  t.strictSame(begun.toSorted(), events.toSorted(), 'each runs once')
  t.ok(most <= concurrency, `${most} at the same time`)
  t.ok(
    each.requests.every(({ limit }) => limit <= 2 * concurrency),
    'as many as there is room for'
  )
  for (const id of ['e0', 'e599']) t.match((await each.r.event(id)).deliveries, [{ state: 'done', attempts: 1 }])
})

t.test('with an engine of one server, one claim is under way', async (t) => {
  const each = await watched(t, { hasServers: false })
  await drainAll(each)
  t.equal(each.most(), 1)
})

t.test('deliveries of a handler with an order key are claimed one claim after the other, and in order', async (t) => {
  const each = await watched(t)
  const { begun } = await drainAll(each, { orderBy: () => 'k' })
  t.equal(each.most(), 1)
  t.strictSame(begun, events)
})

t.test('deliveries that two claims return after the stop are handed back', async (t) => {
  const arrived = gate()
  const answer = gate()
  const each = await watched(t, {
    before: async (claims) => {
      if (claims < 3) return
      if (claims === 4) arrived.resolve()
      await answer.promise
    }
  })
  const { r } = each
  r.handlers.on('order.accepted', { name: 'a', concurrency }, () => undefined)
  await r.record(...events)
  const dispatcher = await r.start({ concurrency })
  await arrived.promise
  t.equal(each.most(), 2)
  const stopping = dispatcher.stop({ graceMs: 1_000 })
  answer.resolve()
  await stopping
  const states = await Promise.all(events.map(async (id) => (await r.states(id))['a']))
  t.strictSame([...new Set(states)].sort(), ['done', 'pending'], 'none is left running')
})

t.test('two claims that fail are logged once, and repeated', async (t) => {
  const { inbox, faults, calls } = failing(
    altered((await rig(t)).inbox, () => ({ servers: () => Promise.resolve([]) }))
  )
  const r = await rig(t, () => inbox)
  r.handlers.on('order.accepted', { name: 'a', concurrency }, () => {
    if (faults.size === 0) faults.set('claim', 2)
  })
  await r.record(...events)
  await r.start({ concurrency })
  await r.untilSettled(events.length)
  t.ok(calls.filter((call) => call === 'claim').length > 4)
  t.equal(r.messages('claiming deliveries').length, 2, 'one line for the outage, and one for its end')
})
