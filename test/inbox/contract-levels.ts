import type { Test } from 'tap'

import { arrival, quarantined } from './arrivals.ts'
import { claim, settleAll, type Subject } from './contract.ts'

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
    const none = { pending: 0, later: 0, waiting: 0, running: 0, dead: 0, parked: 0 }
    t.match(await inbox.levels(), {
      byHandler: [
        { ...none, handler: 'mail', pending: 1 },
        { ...none, handler: 'ship', pending: 1, later: 1, waiting: 1, running: 1, dead: 1 }
      ],
      oldestDueAt: new Date(start),
      quarantined: 1,
      oldestEventAt: new Date(start)
    })
    advance(1_000)
    t.match((await inbox.levels()).byHandler[1], { pending: 2, later: 0 })
    await inbox.adopt([])
    t.match((await inbox.levels()).byHandler, [
      { ...none, handler: 'mail', parked: 1 },
      { ...none, handler: 'ship', running: 1, dead: 1, parked: 3 }
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
