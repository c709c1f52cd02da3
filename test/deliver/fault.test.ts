import t from 'tap'

import { PermanentError } from '../../src/model/errors.ts'
import { gate, rig, type Rig } from './rig.ts'

// An uncaught error ends the process. Without these rules, a delivery that throws one would be retried without limit,
// and would end the other running attempts each time.

/**
 * Two handlers that do not end. One of them has an uncaught error, reported as a server's listener would report it.
 */
async function underWay(r: Rig, thrown: unknown, attempts: number) {
  const fault = gate()
  r.handlers.on('order.accepted', { name: 'faulty', retry: { attempts, base: 1_000 } }, async () => {
    setImmediate(() => {
      void dispatcher.fail(thrown).then(() => {
        fault.resolve()
      })
    })
    await new Promise(() => undefined)
  })
  r.handlers.on('order.accepted', { name: 'other', retry: { attempts: 1, base: 1_000 } }, async () => {
    await new Promise(() => undefined)
  })
  const dispatcher = await r.start({ random: () => 0 })
  return { ended: fault.promise }
}

t.test(
  'the attempt that threw it fails, is named in the log and is retried later; the others are handed back and do not count',
  async (t) => {
    const r = await rig(t)
    const { ended } = await underWay(r, new Error('nobody caught it'), 2)
    await r.record('e1')
    await ended
    const [faulty, other] = (await r.event('e1')).deliveries
    t.match(faulty, {
      state: 'pending',
      attempts: 1,
      losses: 0,
      lastError: /DELIVER_FAULT.*"faulty".*nobody caught it/,
      attemptLog: [{ state: 'retry' }]
    })
    t.match(other, { state: 'pending', attempts: 0, losses: 0, attemptLog: [{ state: 'released' }] })
    t.match(r.messages('nothing caught, from this attempt'), [
      {
        level: 60,
        event_id: 'e1',
        handler: 'faulty',
        attempt: 1,
        error: 'Error: nobody caught it',
        stack: /fault\.test/,
        under_way: [{ handler: 'faulty' }, { handler: 'other', event_id: 'e1' }],
        count: 2
      }
    ])
  }
)

t.test('its delivery is a dead letter when the attempts are used up, or at once after a PermanentError', async (t) => {
  for (const [thrown, attempts] of [
    [undefined, 1],
    [new PermanentError('never'), 5]
  ] as const) {
    const r = await rig(t)
    const { ended } = await underWay(r, thrown, attempts)
    await r.record('e1')
    await ended
    t.match(await r.states('e1'), { faulty: 'dead', other: 'pending' })
  }
})

t.test(
  'if the attempt cannot be identified, all running deliveries have lost a run, and none of them an attempt',
  async (t) => {
    const r = await rig(t)
    const started = [gate(), gate()]
    r.handlers.on('order.accepted', { name: 'other', retry: { attempts: 1, base: 1_000 } }, async (event) => {
      started[event.id === 'e1' ? 0 : 1]?.resolve()
      await new Promise(() => undefined)
    })
    const dispatcher = await r.start({ random: () => 0 })
    await r.record('e1', 'e2')
    await Promise.all(started.map(({ promise }) => promise))
    await dispatcher.fail(new Error('from nowhere'))
    t.match(r.messages('nothing caught'), [{ level: 60, error: 'Error: from nowhere', count: 2 }])
    for (const id of ['e1', 'e2']) {
      t.match((await r.event(id)).deliveries[0], {
        state: 'pending',
        attempts: 1,
        losses: 1,
        dueAt: new Date(r.now() + 500),
        attemptLog: [{ state: 'lost', error: /nothing caught/ }]
      })
    }
  }
)

t.test('during a shutdown it ends the grace period early', async (t) => {
  const r = await rig(t)
  const started = gate()
  const go = gate()
  r.handlers.on('order.accepted', async () => {
    started.resolve()
    await go.promise
    setImmediate(() => {
      void dispatcher.fail(new Error('late'))
    })
    await new Promise(() => undefined)
  })
  const dispatcher = await r.start()
  await r.record('e1')
  await started.promise
  const stopped = dispatcher.stop({ graceMs: 3_600_000 })
  go.resolve()
  await stopped
  t.match((await r.event('e1')).deliveries[0], { state: 'pending', attempts: 1, lastError: /late/ })
})
