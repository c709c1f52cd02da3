import type { Test } from 'tap'

import { findFailures } from '../../src/inbox/failures.ts'
import { findPending } from '../../src/inbox/find-stats.ts'
import { keyOf, named, realm } from '../event-keys.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, settleAll, type Subject } from './contract.ts'

/** The contract of every engine for the list of what fails, and the groups over it. */
export async function failedContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('deliveries that failed are listed, those of the newest events first', async (t) => {
    const { inbox, now } = await open(t)
    await inbox.adopt(named('ship', 'mail').map((name) => ({ ...name, pattern: '*' })))
    t.same(await inbox.failed({ limit: 9 }), [])
    const deliveries = ['ship', { handler: 'mail', orderKey: 'k' }]
    const receivedAt = new Date(now())
    await inbox.record([
      arrival('dead', deliveries, { receivedAt }),
      arrival('done', ['ship']),
      arrival('retried', ['ship'], { receivedAt }),
      quarantined('q')
    ])
    const [dead, done, retried] = await claim(inbox, ['ship'])
    const [mail] = await claim(inbox, ['mail'])
    const error = `${'€'.repeat(990)}longer than it may be`
    await settleAll(inbox, [dead!], { state: 'dead', error })
    await settleAll(inbox, [done!], { state: 'done' })
    const dueAt = new Date(now() + 5_000)
    await settleAll(inbox, [retried!, mail!], { state: 'retry', dueAt, error: 'no', releaseKey: false })
    const failedAt = new Date(1_000_200)
    t.same(await inbox.failed({ limit: 9 }), [
      {
        event: keyOf('retried'),
        receivedAt,
        handler: 'ship',
        state: 'pending',
        error: 'no',
        failedAt,
        hasFailed: true
      },
      { event: keyOf('dead'), receivedAt, handler: 'mail', state: 'pending', error: 'no', failedAt, hasFailed: true },
      {
        event: keyOf('dead'),
        receivedAt,
        handler: 'ship',
        state: 'dead',
        error: error.slice(0, 1_000),
        failedAt,
        hasFailed: true
      }
    ])
    t.equal((await inbox.failed({ limit: 1 })).length, 1)
    await t.rejects(inbox.failed({ limit: 0 }), { code: 'RIVERHOOK_OPTIONS_INVALID' })
    await inbox.replay([{ event: keyOf('dead'), handler: 'ship' }])
    t.same(
      (await inbox.failed({ limit: 9 })).map(({ handler }) => handler),
      ['ship', 'mail'],
      'a replayed delivery has not failed again yet'
    )
  })

  // Risk: behind a backlog, or among thousands of failures, some that wait for a retry are not counted.
  t.test('deliveries that wait for a retry are counted, whatever else waits', async (t) => {
    const { inbox, now } = await open(t)
    await inbox.adopt(named('ship', 'mail').map((name) => ({ ...name, pattern: '*' })))
    t.same(await inbox.retries(), [])
    await inbox.record(['1', '2', '3', '4', '5'].map((id) => arrival(id, ['ship'])))
    await inbox.record([arrival('6', ['mail'])])
    const [one, two, dead, lost, done] = await claim(inbox, ['ship'])
    const retry = { state: 'retry', error: 'no', releaseKey: false } as const
    await settleAll(inbox, [one!], { ...retry, dueAt: new Date(now() + 9_000) })
    await settleAll(inbox, [two!], { ...retry, dueAt: new Date(now() + 7_000) })
    await settleAll(inbox, [dead!], { state: 'dead', error: 'no' })
    const dueAt = new Date(now() + 5_000)
    await settleAll(inbox, [lost!], { state: 'lost', dueAt, releaseKey: false, counts: false, error: 'died' })
    await settleAll(inbox, [done!], { state: 'done' })
    await settleAll(inbox, await claim(inbox, ['mail']), { ...retry, dueAt })
    await inbox.record(Array.from({ length: 1_001 }, (_, index) => arrival(`new-${index}`, ['ship'])))
    t.same(await inbox.retries(), [
      { realm, handler: 'mail', failed: 1, nextAt: dueAt, lost: 0, losses: 0 },
      { realm, handler: 'ship', failed: 2, nextAt: new Date(now() + 7_000), lost: 1, losses: 1 }
    ])
    t.same(await findPending(inbox), {
      retrying: 3,
      failing: [
        { handler: 'ship', error: 'no', count: 2 },
        { handler: 'mail', error: 'no', count: 1 }
      ],
      nextAt: dueAt,
      lost: { deliveries: 1, runs: 1 },
      isPartial: false
    })
    t.match(await findPending(inbox, 'other'), { retrying: 0, failing: [], nextAt: undefined })
    await inbox.replay([{ event: keyOf('1'), handler: 'ship' }])
    t.match(await inbox.retries(), [{ handler: 'mail' }, { handler: 'ship', failed: 1 }])
  })

  // Risk: a hundred failures with one cause look like a hundred causes, or a replay runs more than it says.
  t.test('failures are grouped by handler and error', async (t) => {
    const { inbox } = await open(t)
    await inbox.adopt(named('erp', 'mail').map((name) => ({ ...name, pattern: '*' })))
    const received = (id: number) => new Date(1_000_000 + id)
    await inbox.record([1, 2, 3, 4, 5].map((id) => arrival(String(id), ['erp'], { receivedAt: received(id) })))
    await inbox.record([arrival('6', ['mail'], { receivedAt: received(6) })])
    const held = await claim(inbox, ['erp', 'mail'])
    const error = (id: string): string =>
      ({ '3': 'Error: period closed', '6': 'Error: no customer 6' })[id] ?? `Error: no customer 47${id}`
    for (const one of held) {
      const outcome =
        one.event.id === '4'
          ? ({ state: 'retry', dueAt: new Date(9e12), error: error('4'), releaseKey: false } as const)
          : ({ state: 'dead', error: error(one.event.id) } as const)
      await settleAll(inbox, [one], outcome)
    }
    const { failures: groups, more, isPartial } = await findFailures(inbox)
    const at = new Date(1_000_200)
    const group = { handler: 'erp', error: 'Error: no customer #', oldest: at, newest: at }
    t.same(groups, [
      {
        ...group,
        dead: 3,
        retrying: 1,
        events: 4,
        example: keyOf('5'),
        replay: { handler: 'erp', state: 'dead', since: received(1), until: received(6) },
        alsoReplays: 1
      },
      {
        ...group,
        handler: 'mail',
        dead: 1,
        retrying: 0,
        events: 1,
        example: keyOf('6'),
        replay: { realm, id: '6', handler: 'mail' },
        alsoReplays: 0
      },
      {
        ...group,
        error: 'Error: period closed',
        dead: 1,
        retrying: 0,
        events: 1,
        example: keyOf('3'),
        replay: { realm, id: '3', handler: 'erp' },
        alsoReplays: 0
      }
    ])
    t.same([more, isPartial], [0, false])
    t.match(await findFailures(inbox, { limit: 1 }), { failures: [{ events: 4 }], more: 2 })
    t.match((await findFailures(inbox, { handler: 'mail' })).failures, [{ handler: 'mail' }])
    t.same((await findFailures(inbox, { since: new Date(2_000_000) })).failures, [])
    await t.rejects(findFailures(inbox, { handlers: 'x' } as never), { message: /did you mean "handler"/ })
  })
}
