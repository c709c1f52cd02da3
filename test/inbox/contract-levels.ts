import type { Test } from 'tap'

import type { Outcome } from '../../src/model/event.ts'
import { named } from '../event-keys.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, leaseMs, settleAll, type Subject } from './contract.ts'

/** The contract of every engine for counts of what it holds and of what is left to do. */
export async function levelsContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  // Risk: a backlog or dead letters that no alert sees.
  t.test('levels has the deliveries that are not done, by handler and state, and the size of the store', async (t) => {
    const { inbox, advance, now } = await open(t)
    const { sizeBytes, ...nothing } = await inbox.levels()
    t.same(nothing, { byHandler: [], oldestDueAt: undefined, quarantined: 0, oldestEventAt: undefined })
    t.equal(sizeBytes === undefined, inbox.name === 'memory')
    const start = now()
    await inbox.record([
      arrival('1', ['ship', 'mail'], { receivedAt: new Date(start) }),
      arrival('2', ['ship'], { realm: 'other' }),
      quarantined('q')
    ])
    advance(10)
    const [done, dead] = await claim(inbox, ['ship'])
    await settleAll(inbox, [done!], { state: 'done' })
    await settleAll(inbox, [dead!], { state: 'dead', error: 'x' })
    await inbox.record([arrival('3', ['ship']), arrival('4', ['ship'])])
    const [retried] = await claim(inbox, ['ship'])
    const dueAt = new Date(now() + 1_000)
    await settleAll(inbox, [retried!], { state: 'retry', dueAt, error: 'x', releaseKey: false })
    await inbox.record([
      arrival('5', [{ handler: 'ship', orderKey: 'k' }]),
      arrival('6', [{ handler: 'ship', orderKey: 'k' }])
    ])
    const none = { oldestDueAt: undefined, pending: 0, later: 0, waiting: 0, running: 0, dead: 0, parked: 0 }
    t.match(await inbox.levels(), {
      byHandler: [
        { ...none, handler: 'mail', pending: 1, oldestDueAt: new Date(start) },
        {
          ...none,
          handler: 'ship',
          pending: 1,
          later: 1,
          waiting: 1,
          running: 1,
          dead: 1,
          oldestDueAt: new Date(now())
        }
      ],
      oldestDueAt: new Date(start),
      quarantined: 1,
      oldestEventAt: new Date(start)
    })
    await inbox.pause('mail')
    const paused = await inbox.levels()
    t.same([paused.oldestDueAt, paused.byHandler[0]!.oldestDueAt], [new Date(now()), new Date(start)])
    advance(1_000)
    t.match((await inbox.levels()).byHandler[1], { pending: 2, later: 0 })
    await inbox.adopt([])
    t.match((await inbox.levels()).byHandler, [
      { ...none, handler: 'mail', parked: 1 },
      { ...none, handler: 'ship', running: 1, dead: 1, parked: 3 }
    ])
  })

  // Risk: a handler that has become slow, or times out, looks as it did before.
  t.test('lengths has how long the newest attempts of each handler took, behind any backlog', async (t) => {
    const { inbox, now } = await open(t)
    t.same(await inbox.lengths(), [])
    await inbox.record(Array.from({ length: 1_200 }, (_, index) => arrival(`${index}`, ['ship'])))
    await inbox.record([
      arrival('a', ['mail']),
      arrival('b', ['mail'], { realm: 'other' }),
      arrival('c', ['mail']),
      arrival('d', ['mail'])
    ])
    const settle = async (handler: string, limit: number, ms: (index: number) => number, outcome: Outcome) => {
      const wants = named(handler).map(({ name, source }) => ({ handler: name, source, limit }))
      const { deliveries } = await inbox.claim({ owner: 'me', leaseMs, wants, limit })
      const settlements = deliveries.map(({ id, token }, index) => {
        const startedAt = new Date(now() + index)
        return { id, token, outcome, startedAt, endedAt: new Date(startedAt.getTime() + ms(index)) }
      })
      await inbox.settle(settlements)
    }
    const retry = { state: 'retry', dueAt: new Date(now() + 60_000), error: 'x', releaseKey: false } as const
    await settle('ship', 600, (index) => (index < 100 ? 0 : index), { state: 'done' })
    await settle('mail', 1, () => 30_000, retry)
    await settle('mail', 1, () => 20_000, { state: 'dead', error: 'x' })
    await settle('mail', 1, () => 10, { state: 'done' })
    await settle('mail', 1, () => 99_000, { ...retry, state: 'lost', counts: false })
    t.same(await inbox.lengths(), [
      { handler: 'mail', attempts: 3, p50Ms: 20_000, p95Ms: 30_000 },
      { handler: 'ship', attempts: 500, p50Ms: 349, p95Ms: 574 }
    ])
  })

  t.test('stats has the counts and the age of the backlog', async (t) => {
    const { inbox, advance, now } = await open(t)
    t.equal((await inbox.probe()).oldestDueAt, undefined)
    const start = now()
    await inbox.record([arrival('1', ['ship'])])
    advance(10)
    await inbox.record([arrival('2', ['ship', 'mail'])])
    t.same((await inbox.probe()).oldestDueAt, new Date(start))
    const [delivery] = await claim(inbox, ['ship'])
    await settleAll(inbox, [delivery!], {
      state: 'retry',
      dueAt: new Date(now() + 1000),
      error: 'x',
      releaseKey: false
    })
    t.same((await inbox.probe()).oldestDueAt, new Date(start + 10))
    const stats = await inbox.stats()
    t.match(stats, { events: 2, quarantined: 0, oldestDueAt: new Date(start + 10) })
    t.same(
      stats.byHandler.map(({ handler, pending, running }) => [handler, pending, running]),
      [
        ['mail', 1, 0],
        ['ship', 1, 1]
      ]
    )
  })
}
