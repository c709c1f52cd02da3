import t, { type Test } from 'tap'

import type { Dispatcher, DispatcherOptions } from '../../src/deliver/dispatcher.ts'
import type { AnyEvent } from '../../src/model/event.ts'
import { RiverhookError } from '../../src/model/errors.ts'
import { Recorder } from '../../src/inbox/recorder.ts'
import type { Inbox, RecordResult } from '../../src/inbox/inbox.ts'
import { arrival } from '../inbox/arrivals.ts'
import { altered, gate, rig, type Rig } from './rig.ts'

// Risk: a delivery that is claimed while it is recorded starts without an answer, twice, too early or not at all.

interface Recording {
  readonly r: Rig
  readonly dispatcher: Dispatcher
  /** Records events as requests do, and starts their handlers. */
  readonly record: (ids: readonly string[], event?: AnyEvent) => Promise<readonly RecordResult[]>
  /** The names of the inbox's calls that claim. */
  readonly claims: string[]
}

async function recording(
  t: Test,
  register: (r: Rig) => void,
  { wrap, ...options }: Partial<DispatcherOptions> & { readonly wrap?: (inbox: Inbox) => Partial<Inbox> } = {}
): Promise<Recording> {
  const claims: string[] = []
  const r = await rig(t, (inbox) =>
    altered(inbox, (inbox) => ({
      async claim(request) {
        const claim = await inbox.claim(request)
        if (claim.deliveries.length > 0) claims.push('claim')
        return claim
      },
      async recordAndClaim(arrivals, request) {
        const recorded = await inbox.recordAndClaim!(arrivals, request)
        if (recorded.claimed.length > 0) claims.push('recordAndClaim')
        return recorded
      },
      ...wrap?.(inbox)
    }))
  )
  register(r)
  // Without a poll, nothing but its events wakes the dispatcher.
  const dispatcher = await r.start({ pollMs: 60_000, random: () => 0, ...options })
  const recorder = new Recorder(r.inbox, { claimer: () => dispatcher })
  const record = (ids: readonly string[], event?: AnyEvent): Promise<readonly RecordResult[]> => {
    const deliveries = r.handlers.for('order.accepted').map(({ name, orderBy }) => ({
      handler: name,
      ...(orderBy !== undefined && { orderKey: 'k' })
    }))
    const arrivals = ids.map((id) =>
      arrival(id, deliveries, { body: Buffer.from(JSON.stringify({ id, type: 'order.accepted', data: {} })) })
    )
    return recorder.recordAll(arrivals, 60_000, [event])
  }
  return { r, dispatcher, record, claims }
}

/** A recording whose commit waits for the test, with a handler that must not run. */
async function heldRecording(t: Test) {
  const commit = gate()
  const started = gate()
  const held = await recording(
    t,
    ({ handlers }) => {
      handlers.on('order.accepted', { name: 'a' }, () => t.fail('must not run'))
    },
    {
      wrap: (inbox) => ({
        async recordAndClaim(arrivals, request) {
          started.resolve()
          await commit.promise
          return inbox.recordAndClaim!(arrivals, request)
        }
      })
    }
  )
  return { ...held, commit, started }
}

t.test('the handlers of a new event start after its answer, and no further claim is needed', async (t) => {
  const order: string[] = []
  const { r, record, claims } = await recording(t, ({ handlers }) => {
    handlers.on('order.accepted', { name: 'a' }, ({ id }, { attempt }) => void order.push(`a ${id} ${attempt}`))
    handlers.on('order.accepted', { name: 'b' }, ({ id }) => void order.push(`b ${id}`))
  })
  await r.record('first')
  await r.untilSettled(2)
  claims.length = 0
  await record(['e1']).then(() => order.push('answered'))
  await r.untilSettled(4)
  t.strictSame(order.slice(2), ['answered', 'a e1 1', 'b e1'])
  t.strictSame(claims, ['recordAndClaim'])
  t.strictSame(await r.states('e1'), { a: 'done', b: 'done' })
})

t.test('each handler gets its own copy, and only one of them the event that was read', async (t) => {
  const given: AnyEvent[] = []
  const read: AnyEvent = { id: 'e1', type: 'order.accepted' }
  const { r, record } = await recording(t, ({ handlers }) => {
    for (const name of ['a', 'b', 'c'])
      handlers.on('order.accepted', { name, retry: { base: 1, attempts: 2 } }, (event, { attempt }) => {
        given.push(event)
        ;(event as { id: string }).id = 'changed'
        if (attempt === 1) throw new Error('again')
      })
  })
  await record(['e1'], read)
  await r.untilSettled(6)
  t.equal(new Set(given).size, 6)
  t.equal(given.filter((event) => event === read).length, 1)
  t.strictSame(await r.states('e1'), { a: 'done', b: 'done', c: 'done' })
})

t.test('a commit that failed, and one that was answered too late, start no handler', async (t) => {
  const commit = gate()
  const full = new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', 'the disk is full')
  let commits = 0
  const runs: string[] = []
  const { r, dispatcher } = await recording(
    t,
    ({ handlers }) => {
      handlers.on('order.accepted', { name: 'a' }, ({ id }, { attempt }) => void runs.push(`${id} ${attempt}`))
    },
    {
      wrap: (inbox) => ({
        async recordAndClaim(arrivals, request) {
          commits += 1
          if (commits === 1) throw full
          const recorded = await inbox.recordAndClaim!(arrivals, request)
          t.equal(recorded.claimed.length, 1)
          if (commits === 2) await commit.promise
          return recorded
        },
        record: (arrivals) => (commits === 1 ? Promise.reject(full) : inbox.record(arrivals))
      })
    }
  )
  const recorder = new Recorder(r.inbox, { claimer: () => dispatcher })
  const record = (id: string, ms: number): Promise<RecordResult> =>
    recorder.record(arrival(id, ['a'], { body: Buffer.from(`{"id":"${id}","type":"order.accepted"}`) }), ms)
  await t.rejects(record('e1', 60_000), { code: 'RIVERHOOK_INBOX_UNAVAILABLE' })
  // Long enough to be taken into a commit before it, also on a busy machine.
  await t.rejects(record('e2', 1_000), { code: 'RIVERHOOK_INBOX_DEADLINE' })
  commit.resolve()
  await r.untilSettled(2)
  t.match(
    r.settled.map(({ state }) => state),
    ['released', 'done'],
    'the late one is handed back, and runs as a stored event does'
  )
  t.strictSame(runs, ['e2 1'])
})

t.test('an ordered handler, a paused one and one with a backlog keep their order', async (t) => {
  const runs: string[] = []
  const hold = gate()
  const { r, record, claims } = await recording(t, ({ handlers }) => {
    handlers.on('order.accepted', { name: 'ordered', orderBy: () => 'k' }, ({ id }) => void runs.push(`ordered ${id}`))
    handlers.on('order.accepted', { name: 'slow', concurrency: 1 }, async ({ id }) => {
      runs.push(`slow ${id}`)
      await hold.promise
    })
  })
  await record(['e1', 'e2'])
  await record(['e3', 'e4'])
  hold.resolve()
  await r.untilSettled(8)
  for (const name of ['ordered', 'slow'])
    t.strictSame(
      runs.filter((run) => run.startsWith(name)),
      ['e1', 'e2', 'e3', 'e4'].map((id) => `${name} ${id}`)
    )
  t.equal(claims.filter((call) => call === 'recordAndClaim').length, 1, 'only the first of "slow" found a free slot')
  await r.inbox.pause('slow')
  await record(['e5'])
  await r.untilSettled(9)
  t.strictSame(await r.states('e5'), { ordered: 'done', slow: 'pending' })
})

t.test('never more attempts run than the limits allow, however claims and records overlap', async (t) => {
  let running = 0
  let most = 0
  const { r, record } = await recording(
    t,
    ({ handlers }) => {
      for (const name of ['a', 'b'])
        handlers.on('order.accepted', { name, concurrency: 3 }, async () => {
          most = Math.max(most, (running += 1))
          await new Promise((resolve) => setImmediate(resolve))
          running -= 1
        })
    },
    { concurrency: 5 }
  )
  for (let batch = 0; batch < 20; batch += 1) await record([0, 1, 2].map((n) => `e${batch}-${n}`))
  await r.untilSettled(120)
  t.equal(most, 5)
})

t.test(
  'a delivery that is claimed while the process shuts down is handed back, and the shutdown waits for it',
  async (t) => {
    const { r, dispatcher, record, started, commit } = await heldRecording(t)
    const recorded = record(['e1'])
    await started.promise
    const stopped = dispatcher.stop({ graceMs: 60_000 })
    commit.resolve()
    t.strictSame(await recorded, ['accepted'])
    await stopped
    t.match((await r.event('e1')).deliveries, [{ handler: 'a', state: 'pending', attempts: 0 }])
    t.strictSame(await record(['e2']), ['accepted'], 'nothing more is claimed')
    t.match((await r.event('e2')).deliveries, [{ state: 'pending', attempts: 0 }])
  }
)

t.test('a process that dies before a handler begins uses up no attempt', async (t) => {
  const runs: number[] = []
  const { r } = await recording(
    t,
    ({ handlers }) => {
      handlers.on('order.accepted', { name: 'a', retry: { attempts: 1, base: 1 } }, (_event, { attempt }) => {
        runs.push(attempt)
      })
    },
    { pollMs: 5 }
  )
  // Another process: it recorded and claimed, and died.
  const wants = [{ handler: 'a', source: 'digital-river', limit: 1 }]
  const body = Buffer.from('{"id":"e1","type":"order.accepted"}')
  await r.inbox.recordAndClaim!([arrival('e1', ['a'], { body })], { owner: 'dead', leaseMs: 100, wants, limit: 1 })
  r.advance(100)
  await r.untilSettled(1)
  r.advance(60_000)
  await r.untilSettled(2)
  t.strictSame(runs, [2])
  t.strictSame(await r.states('e1'), { a: 'done' })
})

t.test('a delivery that cannot be claimed does not stop recording', async (t) => {
  const { r, record } = await recording(
    t,
    ({ handlers }) => {
      handlers.on('order.accepted', { name: 'a' }, () => undefined)
    },
    {
      wrap: () => ({
        claim: () => Promise.reject(new Error('damaged')),
        recordAndClaim: () => Promise.reject(new Error('damaged'))
      })
    }
  )
  for (const id of ['e1', 'e2', 'e3']) t.strictSame(await record([id]), ['accepted'])
  t.strictSame(await r.states('e3'), { a: 'pending' })
})

t.test('a handler has what was received, whatever the sender and other handlers do with it later', async (t) => {
  const bodies: string[] = []
  const seen: unknown[] = []
  const answered = gate()
  const { r, dispatcher } = await recording(t, ({ handlers }) => {
    for (const name of ['a', 'b'])
      handlers.on('order.accepted', { name }, async (_event, { body, headers }) => {
        await answered.promise
        bodies.push(Buffer.from(body).toString())
        seen.push({ ...headers })
        Object.assign(headers, { changed: name })
      })
  })
  const recorder = new Recorder(r.inbox, { claimer: () => dispatcher })
  const text = '{"id":"e1","type":"order.accepted"}'
  const body = Buffer.from(text)
  await recorder.record(arrival('e1', ['a', 'b'], { body, headers: { x: 'y' } }), 60_000)
  body.fill(0)
  answered.resolve()
  await r.untilSettled(2)
  t.strictSame(bodies, [text, text])
  t.strictSame(seen, [{ x: 'y' }, { x: 'y' }])
})

t.test('a suspect runs in a slot of its handler, and alone only when nothing is being claimed', async (t) => {
  let running = 0
  let most = 0
  const calls: string[] = []
  const recordOne = (): Promise<unknown> => record([`new${calls.length}`])
  const { r, record } = await recording(
    t,
    ({ handlers }) => {
      handlers.on('order.accepted', { name: 'a', concurrency: 1, retry: { base: 1 } }, async () => {
        most = Math.max(most, (running += 1))
        await new Promise((resolve) => setImmediate(resolve))
        running -= 1
      })
    },
    {
      pollMs: 1,
      wrap: (inbox) => ({
        async claimSuspects(request) {
          calls.push(request.onLoss)
          // An event that arrives at this moment must not take the same slot.
          await recordOne()
          return inbox.claimSuspects(request)
        }
      })
    }
  )
  // Runs that another process lost: they are suspects now.
  const wants = [{ handler: 'a', source: 'digital-river', limit: 10 }]
  const body = Buffer.from('{"id":"x","type":"order.accepted"}')
  const lost = [0, 1, 2, 3].map((n) => arrival(`lost${n}`, ['a'], { body }))
  await r.inbox.recordAndClaim!(lost, { owner: 'dead', leaseMs: 1, wants, limit: 10 })
  r.advance(1)
  await r.untilSettled(4)
  r.advance(60_000)
  await r.untilSettled(8, ({ event_id: id }) => id.startsWith('lost'))
  t.equal(most, 1)
  t.ok(calls.every((onLoss) => onLoss === 'loss'))
})

t.test('a shutdown without a grace period hands back what is being claimed', async (t) => {
  const { r, dispatcher, record, started, commit } = await heldRecording(t)
  const recorded = record(['e1'])
  await started.promise
  const stopped = dispatcher.stop({ graceMs: 0 })
  for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve))
  commit.resolve()
  await recorded
  await stopped
  t.match((await r.event('e1')).deliveries, [{ state: 'pending', attempts: 0 }])
})

t.test('a lease that ended before its handler could start is not used', async (t) => {
  const runs: number[] = []
  const { r, record } = await recording(
    t,
    ({ handlers }) => {
      handlers.on('order.accepted', { name: 'a' }, (_event, { attempt }) => {
        runs.push(attempt)
      })
    },
    {
      wrap: (inbox) => ({
        async recordAndClaim(arrivals, request) {
          const recorded = await inbox.recordAndClaim!(arrivals, request)
          // The process was frozen.
          r.advance(10_000)
          return recorded
        }
      })
    }
  )
  await record(['e1'])
  await r.untilSettled(1)
  t.match(r.settled, [{ state: 'released' }])
  t.strictSame(runs, [])
})
