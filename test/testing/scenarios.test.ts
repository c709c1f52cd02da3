import t from 'tap'

import type { Rejection } from '../../src/index.ts'
import {
  createClock,
  createDigitalRiver,
  retrySchedules,
  scenarios,
  whenSettled,
  type ScenarioName
} from '../../src/testing/index.ts'
import { startHost } from './host.ts'

// What a user would lose: that each event's handlers run exactly once, however badly it is delivered.

const secret = 'whk_scenarios'
/** What the sender sees of the first attempt's requests. */
const seen: Readonly<Record<ScenarioName, readonly (number | 'error')[]>> = {
  normal: [202],
  duplicate: [202, 202],
  'concurrent-duplicates': [202, 202, 202, 202, 202],
  reversed: [202],
  delay: [202],
  'stale-timestamp': [401],
  'wrong-secret': [401],
  'wrong-mode': [401],
  'truncated-body': ['error'],
  'chunked-body': [202],
  'slow-body': [202],
  'cut-before-answer': ['error'],
  'cut-after-answer': ['error']
}

t.test("slow-body and wrong-mode can be made to meet the receiver's limit and its other endpoint", async (t) => {
  const rejections: Rejection[] = []
  const { address } = await startHost(t, {
    onRejected: (rejection) => rejections.push(rejection),
    endpoints: [
      { path: '/webhooks/digital-river', secrets: secret, ackTimeout: 100 },
      { path: '/live', secrets: 'whk_live' }
    ]
  })
  const river = await createDigitalRiver({ clock: createClock(), secret, slowBodyMs: 250, otherModeSecret: 'whk_live' })
  t.teardown(() => river.close())
  river.addWebhook({ address, types: ['order.accepted'] })
  await river.emit('order.accepted', {}, 'slow-body')
  await river.emit('order.accepted', {}, 'wrong-mode')
  t.same(
    river.attempts.map(({ status }) => status),
    [503, 401]
  )
  t.match(
    rejections.map(({ reason }) => reason),
    [/the request itself took/i, /secret of the endpoint \/live/]
  )
})

for (const scenario of Object.keys(scenarios) as ScenarioName[]) {
  t.test(`${scenario}: ${scenarios[scenario].means}`, async (t) => {
    const clock = createClock()
    const { app, address, handled } = await startHost(t, { secrets: secret })
    const river = await createDigitalRiver({ clock, secret })
    t.teardown(() => river.close())
    river.addWebhook({ address, types: ['order.accepted', 'order.fulfilled'] })
    const events = await river.emitAll(['order.accepted', 'order.fulfilled', 'order.accepted'], scenario)
    // Hours of retries, in no time.
    await clock.advance(retrySchedules.test.reduce((sum, pause) => sum + pause, 0))
    for (const { id } of events) await whenSettled(app.riverhook.inbox, id, { deliveries: 1 })
    t.same([...handled].sort(), events.map(({ id }) => id).sort(), 'every event was handled, and none twice')
    for (const { id } of events) {
      const first = river.attempts.filter(({ eventId, attempt }) => eventId === id && attempt === 1)
      t.same(
        first.map(({ status }) => status ?? 'error'),
        seen[scenario]
      )
      t.equal(river.attempts.findLast(({ eventId }) => eventId === id)?.status, 202, 'in the end the sender knows')
    }
    const order = river.attempts.filter(({ attempt }) => attempt === 1).map(({ eventId }) => eventId)
    const asSent = [...new Set(order)]
    t.same(asSent, scenario === 'reversed' ? events.map(({ id }) => id).reverse() : events.map(({ id }) => id))
  })
}
