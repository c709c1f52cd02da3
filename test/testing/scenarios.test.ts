import t, { type Test } from 'tap'

import type { Rejection } from '../../src/index.ts'
import { github, sns, standardWebhooks, stripe } from '../../src/sources.ts'
import {
  createClock,
  createDigitalRiver,
  createSimulator,
  newSecret,
  retrySchedules,
  scenarios,
  whenSettled,
  type Attempt,
  type ScenarioName,
  type SimulatedEvent
} from '../../src/testing/index.ts'
import { startHost } from './host.ts'

// Risk: an event whose handlers run twice or never in a bad delivery.

const secret = 'whk_scenarios'
/** The outcomes of the first attempt's requests, for the sender. */
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

t.test("slow-body and wrong-mode can be adapted to the receiver's limit and its other endpoint", async (t) => {
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

const names = Object.keys(scenarios) as ScenarioName[]
/** Hours of retries without waiting. */
const allRetriesMs = retrySchedules.test.reduce((sum, pause) => sum + pause, 0)

for (const scenario of names) {
  t.test(`${scenario}: ${scenarios[scenario].means}`, async (t) => {
    const clock = createClock()
    const { app, address, handled } = await startHost(t, { secrets: secret })
    const river = await createDigitalRiver({ clock, secret })
    t.teardown(() => river.close())
    river.addWebhook({ address, types: ['order.accepted', 'order.fulfilled'] })
    const events = await river.emitAll(['order.accepted', 'order.fulfilled', 'order.accepted'], scenario)
    await clock.advance(allRetriesMs)
    for (const { id } of events) await whenSettled(app.riverhook.inbox, id, { deliveries: 1 })
    sameAsIfNothingHappened(t, scenario, { events, handled, attempts: river.attempts })
  })
}

/** The scenarios that do not apply to a provider, and why. */
const impossible: Readonly<Record<string, Partial<Record<ScenarioName, RegExp>>>> = {
  stripe: {},
  github: { 'stale-timestamp': /^github signs no time$/, 'wrong-mode': /does not say whether it is test or live$/ },
  webhook: { 'wrong-mode': /^an event of webhook does not say whether it is test or live$/ }
}

for (const source of [stripe(), github(), standardWebhooks()]) {
  t.test(`all scenarios with ${source.name}`, async (t) => {
    const clock = createClock()
    const own = newSecret(source)
    const { app, address, handled } = await startHost(t, { source, secrets: own })
    const provider = createSimulator({ source, address, secret: own, clock })
    t.teardown(() => provider.close())
    for (const scenario of names) {
      const reason = impossible[source.name]?.[scenario]
      if (reason !== undefined) {
        t.match(provider.impossible(scenario), reason)
        await t.rejects(provider.emit('push', {}, scenario), {
          code: 'RIVERHOOK_OPTIONS_INVALID',
          message: `emit: ${scenario} is impossible: ${provider.impossible(scenario) ?? ''}`
        })
        continue
      }
      t.equal(provider.impossible(scenario), undefined)
      const before = { handled: handled.length, attempts: provider.attempts.length }
      const events = await provider.emitAll(['push', undefined, 'push'], scenario)
      await clock.advance(allRetriesMs)
      await provider.settled()
      for (const { id } of events) await whenSettled(app.riverhook.inbox, id, { deliveries: 1 })
      sameAsIfNothingHappened(t, scenario, {
        events,
        handled: handled.slice(before.handled),
        attempts: provider.attempts.slice(before.attempts)
      })
    }
  })
}

t.test('a simulated provider: fields, the other environment, and unsupported features', async (t) => {
  const source = stripe()
  const own = newSecret(source)
  const { app, address } = await startHost(t, { source, secrets: own, mode: 'live' })
  const test = createSimulator({ source, address, secret: own, retries: [] })
  t.teardown(() => test.close())
  t.same(await test.emit('invoice.paid').then(() => test.attempts.map(({ status }) => status)), [400])
  const live = createSimulator({ source, address, secret: own, liveMode: true })
  t.teardown(() => live.close())
  const { id } = await live.emit('invoice.paid', { data: { object: { currency: 'eur' } } })
  const stored = await app.riverhook.inbox.event({ realm: 'stripe', id })
  t.match(JSON.parse(Buffer.from(stored?.body ?? []).toString()), {
    livemode: true,
    data: { object: { currency: 'eur' } }
  })

  const wrong: readonly (readonly [options: object, message: RegExp])[] = [
    [{ source: sns() }, /^The source sns has no s(?:ample|ign)\(\)/],
    [{ retries: [-1] }, /^createSimulator: option "retries" must be a list of milliseconds/],
    [{ adress: '' }, /^createSimulator: unknown option "adress"; did you mean "address"\?/]
  ]
  for (const [options, message] of wrong)
    t.throws(() => createSimulator({ source, address, secret: own, ...options }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message
    })
})

function sameAsIfNothingHappened(
  t: Test,
  scenario: ScenarioName,
  seenOf: {
    readonly events: readonly SimulatedEvent[]
    readonly handled: readonly string[]
    readonly attempts: readonly Attempt[]
  }
): void {
  const { events, handled, attempts } = seenOf
  t.same([...handled].sort(), events.map(({ id }) => id).sort(), 'every event was handled, and none twice')
  for (const { id } of events) {
    const first = attempts.filter(({ eventId, attempt }) => eventId === id && attempt === 1)
    t.same(
      first.map(({ status }) => status ?? 'error'),
      seen[scenario]
    )
    t.equal(attempts.findLast(({ eventId }) => eventId === id)?.status, 202, 'in the end the sender knows')
  }
  const order = attempts.filter(({ attempt }) => attempt === 1).map(({ eventId }) => eventId)
  const asSent = [...new Set(order)]
  t.same(asSent, scenario === 'reversed' ? events.map(({ id }) => id).reverse() : events.map(({ id }) => id))
}
