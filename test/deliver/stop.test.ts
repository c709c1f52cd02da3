import t from 'tap'

import { PermanentError } from '../../src/model/errors.ts'
import { altered, failing, gate, rig } from './rig.ts'

t.test('running handlers may finish within the grace period, and no new one starts', async (t) => {
  const r = await rig(t)
  const [started, held] = [gate(), gate()]
  const runs: string[] = []
  r.handlers.on('order.accepted', async (event) => {
    runs.push(event.id)
    started.resolve()
    await held.promise
  })
  const dispatcher = await r.start()
  await r.record('e1')
  await started.promise
  const stopped = dispatcher.stop({ graceMs: 60_000 })
  await r.record('e2')
  held.resolve()
  await stopped
  t.strictSame(runs, ['e1'])
  t.match(await r.states('e1'), { 'order.accepted': 'done' })
  t.match(await r.states('e2'), { 'order.accepted': 'pending' })
  t.equal(dispatcher.stop({ graceMs: 0 }), dispatcher.stop({ graceMs: 0 }), 'the second call returns the same promise')
})

t.test(
  'after the grace period the signal is aborted, and an error thrown then does not count as a failure',
  async (t) => {
    const r = await rig(t)
    const [started, startedToo] = [gate(), gate()]
    const failures: unknown[] = []
    r.handlers.on('order.accepted', { name: 'obeys' }, async (_event, { signal }) => {
      started.resolve()
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error)
        })
      })
    })
    r.handlers.on('order.accepted', { name: 'gives-up' }, async (_event, { signal }) => {
      startedToo.resolve()
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new PermanentError('can never be done'))
        })
      })
    })
    const dispatcher = await r.start({ onError: (error) => failures.push(error) })
    await r.record('e1')
    await Promise.all([started.promise, startedToo.promise])
    await dispatcher.stop({ graceMs: 1 })
    const [obeys, givesUp] = (await r.event('e1')).deliveries
    t.match(obeys, { state: 'pending', attempts: 0, lastError: undefined })
    t.match(givesUp, { state: 'dead', lastError: 'PermanentError: can never be done' }, 'a PermanentError still counts')
    t.equal(failures.length, 1)
  }
)

t.test(
  'the delivery of a handler that ignores the abort is handed back, and its late result changes nothing',
  async (t) => {
    const r = await rig(t)
    const [started, held] = [gate(), gate()]
    let reason: unknown
    r.handlers.on('order.accepted', async (_event, { signal }) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason
      })
      started.resolve()
      await held.promise
    })
    const dispatcher = await r.start()
    await r.record('e1')
    await started.promise
    await dispatcher.stop({ graceMs: 1 })
    t.match(reason, { code: 'RIVERHOOK_DELIVER_SHUTDOWN' })
    t.match((await r.event('e1')).deliveries[0], { state: 'pending', attempts: 0 })
    held.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    t.match(r.settled, [{ state: 'released' }])
  }
)

t.test('deliveries that a running claim returns after the stop are handed back without a run', async (t) => {
  const [asked, answer] = [gate(), gate()]
  const r = await rig(t, (inbox) =>
    altered(inbox, ({ claim }) => ({
      claim: async (request) => {
        const claimed = await claim.call(inbox, request)
        if (claimed.deliveries.length === 0) return claimed
        asked.resolve()
        await answer.promise
        return claimed
      }
    }))
  )
  let runs = 0
  r.handlers.on('order.accepted', () => {
    runs += 1
  })
  const dispatcher = await r.start()
  await r.record('e1')
  await asked.promise
  const stopped = dispatcher.stop({ graceMs: 60_000 })
  answer.resolve()
  await stopped
  t.equal(runs, 0)
  t.match((await r.event('e1')).deliveries[0], { state: 'pending', attempts: 0 })
})

t.test('an inbox that cannot store the outcomes does not block the stop, and the loss is logged', async (t) => {
  let faults = new Map<string, number>()
  const r = await rig(t, (inbox) => {
    const wrapped = failing(inbox)
    ;({ faults } = wrapped)
    return wrapped.inbox
  })
  const ran = gate()
  r.handlers.on('order.accepted', () => {
    ran.resolve()
  })
  const dispatcher = await r.start()
  faults.set('settle', Infinity)
  await r.record('e1')
  await ran.promise
  await dispatcher.stop({ graceMs: 1, storeMs: 20 })
  t.match(r.messages('could not store 1 outcome'), [{ level: 50, unstored: 1 }])
})

t.test('a stop before the start, and a start after the stop, do nothing', async (t) => {
  const r = await rig(t)
  let runs = 0
  r.handlers.on('order.accepted', () => {
    runs += 1
  })
  const dispatcher = await r.start()
  await dispatcher.stop({ graceMs: 0 })
  await dispatcher.start()
  await r.record('e1')
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(runs, 0)
})

t.test('a handler that starts the shutdown in its first line still gets the grace period', async (t) => {
  const r = await rig(t)
  const stopped = gate()
  let wasAborted: boolean | undefined
  r.handlers.on('order.accepted', async (_event, { signal }) => {
    stopped.resolve(dispatcher.stop({ graceMs: 60_000 }))
    for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    wasAborted = signal.aborted
  })
  const dispatcher = await r.start()
  await r.record('e1')
  await stopped.promise
  t.equal(wasAborted, false)
  t.match(await r.states('e1'), { 'order.accepted': 'done' })
})

// Risk: a wrong count of handled deliveries for subscribers of riverhook:settled.
t.test('a transaction that commits while the delivery is handed back is reported once', async (t) => {
  const [committed, commitIsKnown, settling, answer] = [gate(), gate(), gate(), gate()]
  const r = await rig(t, (inbox) =>
    altered(inbox, () => ({
      transact: async ({ id, token, startedAt }, work) => {
        const result = await work({} as never)
        await inbox.settle([{ id, token, outcome: { state: 'done' }, startedAt, endedAt: startedAt }])
        committed.resolve()
        await commitIsKnown.promise
        return result
      },
      settle: async (outcomes) => {
        const results = await inbox.settle(outcomes)
        settling.resolve()
        await answer.promise
        return results
      },
      // The heartbeat was answered just before the commit.
      extend: async () => []
    }))
  )
  r.handlers.on('order.accepted', async (_event, { transaction }) => {
    await transaction(async () => undefined)
  })
  const dispatcher = await r.start()
  await r.record('e1')
  await committed.promise
  const stopped = dispatcher.stop({ graceMs: 1 })
  await settling.promise
  commitIsKnown.resolve()
  await r.untilSettled(1)
  answer.resolve()
  await stopped
  t.match(await r.states('e1'), { 'order.accepted': 'done' })
  t.same(
    r.settled.map(({ state }) => state),
    ['done']
  )
})
