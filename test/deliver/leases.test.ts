import t from 'tap'

import { altered, failing, gate, rig } from './rig.ts'

t.test('a handler that runs longer than a lease keeps its delivery', async (t) => {
  const r = await rig(t)
  const [started, held] = [gate(), gate()]
  let runs = 0
  r.handlers.on('order.accepted', async (event) => {
    if (event.id !== 'long') return
    runs += 1
    started.resolve()
    await held.promise
  })
  await r.start({ leaseMs: 30 })
  await r.record('long')
  await started.promise
  // Each event makes the dispatcher claim again, later than the end of the lease, as after a stall of the event loop.
  for (const id of ['e1', 'e2', 'e3']) {
    r.advance(40)
    await r.record(id)
    await r.untilSettled(1, ({ event_id }) => event_id === id)
  }
  held.resolve()
  await r.untilSettled(4)
  t.equal(runs, 1)
  t.match((await r.event('long')).deliveries[0], { state: 'done', attempts: 1 })
})

t.test('a lost lease aborts the attempt, and its result is ignored with a warning', async (t) => {
  const r = await rig(t)
  const [started, held] = [gate(), gate()]
  const aborted = gate<{ code?: string }>()
  r.handlers.on('order.accepted', async (_event, { signal }) => {
    signal.addEventListener('abort', () => {
      aborted.resolve(signal.reason as { code?: string })
    })
    started.resolve()
    await held.promise
  })
  const dispatcher = await r.start({ leaseMs: 30 })
  await r.record('e1')
  await started.promise
  r.advance(31)
  const wants = [{ handler: 'order.accepted', source: 'digital-river', limit: 1 }]
  const { deliveries } = await r.inbox.claim({ owner: 'another process', leaseMs: 3_600_000, wants, limit: 1 })
  t.match(await aborted.promise, { code: 'RIVERHOOK_DELIVER_LEASE_LOST' })
  t.match(r.messages('lease was lost'), [{ level: 40, event_id: 'e1', handler: 'order.accepted', attempt: 1 }])
  held.resolve()
  await dispatcher.stop({ graceMs: 1_000 })
  t.strictSame(r.settled, [], 'this process stored no outcome')
  t.match((await r.event('e1')).deliveries[0], {
    state: 'running',
    owner: 'another process',
    attempts: deliveries[0]?.attempt
  })
})

t.test('the inbox refuses a late result, and this is logged', async (t) => {
  const r = await rig(t)
  const [started, held] = [gate(), gate()]
  r.handlers.on('order.accepted', async () => {
    started.resolve()
    await held.promise
  })
  const dispatcher = await r.start({ leaseMs: 600_000 })
  await r.record('e1')
  await started.promise
  r.advance(600_001)
  // Another process claims it while the handler finishes here, so that no heartbeat comes in between.
  const wants = [{ handler: 'order.accepted', source: 'digital-river', limit: 1 }]
  const claim = r.inbox.claim({ owner: 'another process', leaseMs: 3_600_000, wants, limit: 1 })
  held.resolve()
  await claim
  await dispatcher.stop({ graceMs: 1_000 })
  t.match(r.messages('outcome was refused'), [{ level: 40, event_id: 'e1', state: 'done' }])
  t.match((await r.event('e1')).deliveries[0], { state: 'running', owner: 'another process' })
})

t.test('failed heartbeats are retried, with one log line at the beginning and one at the end', async (t) => {
  let faults = new Map<string, number>()
  const r = await rig(t, (inbox) => {
    const wrapped = failing(inbox)
    ;({ faults } = wrapped)
    return wrapped.inbox
  })
  const [started, held] = [gate(), gate()]
  r.handlers.on('order.accepted', async (event) => {
    if (event.id !== 'long') return
    started.resolve()
    await held.promise
  })
  await r.start({ leaseMs: 30 })
  await r.record('long')
  await started.promise
  faults.set('extend', 3)
  r.advance(20)
  await r.record('e1')
  await r.untilSettled(1)
  held.resolve()
  await r.untilSettled(2)
  t.match((await r.event('long')).deliveries[0], { state: 'done', attempts: 1 })
  t.equal(r.messages('fails at extending leases').length, 1)
  t.match(r.messages('back at extending leases'), [{ failures: 3 }])
})

t.test(
  'a delivery that this process claims again while it runs continues, and is settled with the new token',
  async (t) => {
    // Heartbeats that arrive too late, as after a machine was suspended between a heartbeat and a claim.
    const givenAgain: number[] = []
    const r = await rig(t, (inbox) =>
      altered(inbox, ({ claim }) => ({
        extend: async () => [],
        claim: async (request) => {
          const claimed = await claim.call(inbox, request)
          for (const { lost, id } of claimed.deliveries) if (lost !== undefined) givenAgain.push(id)
          return claimed
        }
      }))
    )
    const [started, held] = [gate(), gate()]
    let runs = 0
    r.handlers.on('order.accepted', async (event) => {
      if (event.id !== 'long') return
      runs += 1
      started.resolve()
      await held.promise
    })
    await r.start({ leaseMs: 30 })
    await r.record('long')
    await started.promise
    r.advance(31)
    await r.record('e1')
    await r.untilSettled(1)
    t.match(
      (await r.event('long')).deliveries[0],
      { id: givenAgain[0], attempts: 1, losses: 0 },
      'given out again, and not counted again'
    )
    held.resolve()
    await r.untilSettled(2)
    t.equal(runs, 1)
    t.match((await r.event('long')).deliveries[0], { state: 'done' })
  }
)

t.test('a delivery that is claimed again before its outcome is confirmed runs again at once', async (t) => {
  const givenAgain = gate()
  const r = await rig(t, (inbox) =>
    altered(inbox, ({ settle, claim }) => ({
      settle: async (settlements) => {
        const results = await settle.call(inbox, settlements)
        await givenAgain.promise
        return results
      },
      claim: async (request) => {
        const claimed = await claim.call(inbox, request)
        if (claimed.deliveries.some(({ attempt }) => attempt === 2)) givenAgain.resolve()
        return claimed
      }
    }))
  )
  r.handlers.on('order.accepted', (_event, { attempt }) => {
    if (attempt === 1) throw new Error('not yet')
  })
  await r.start({ random: () => 0, leaseMs: 3_600_000 })
  await r.record('e1')
  await r.untilSettled(2)
  t.match(r.settled, [
    { attempt: 1, state: 'retry' },
    { attempt: 2, state: 'done' }
  ])
})

// Risk: a process that was frozen runs a handler that another process has run meanwhile.
t.test('a claim whose answer comes after the lease has ended starts no handler', async (t) => {
  const leaseMs = 10_000
  let isFrozen = true
  const r = await rig(t, (inbox) =>
    altered(inbox, () => ({
      async claim(request) {
        const claim = await inbox.claim(request)
        if (isFrozen && claim.deliveries.length > 0) {
          isFrozen = false
          r.advance(leaseMs)
        }
        return claim
      }
    }))
  )
  const runs: number[] = []
  r.handlers.on('order.accepted', (_event, { attempt }) => {
    runs.push(attempt)
  })
  await r.start({ leaseMs })
  await r.record('e1')
  await r.untilSettled(2)
  t.match(r.settled, [{ state: 'released' }, { state: 'done' }])
  t.strictSame(runs, [1], 'with the next lease')
})

t.test('the same holds for the claim of a suspect', async (t) => {
  const leaseMs = 10_000
  let isFrozen = true
  const r = await rig(t, (inbox) =>
    altered(inbox, () => ({
      async claimSuspects(request) {
        const claimed = await inbox.claimSuspects(request)
        if (isFrozen && claimed.length > 0) {
          isFrozen = false
          r.advance(leaseMs)
        }
        return claimed
      }
    }))
  )
  let runs = 0
  r.handlers.on('order.accepted', () => {
    runs += 1
  })
  await r.record('e1')
  const wants = [{ handler: 'order.accepted', source: 'digital-river', limit: 1 }]
  const { deliveries } = await r.inbox.claim({ owner: 'a process that dies', leaseMs, wants, limit: 1 })
  const at = new Date(r.now())
  await r.inbox.settle(
    deliveries.map(({ id, token }) => ({
      id,
      token,
      startedAt: at,
      endedAt: at,
      outcome: { state: 'lost', dueAt: at, error: 'died', counts: false, releaseKey: false }
    }))
  )
  await r.start({ leaseMs })
  await r.untilSettled(2)
  t.match(r.settled, [{ state: 'released' }, { state: 'done' }])
  t.equal(runs, 1)
})
