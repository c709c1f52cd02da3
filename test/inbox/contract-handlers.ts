import type { Test } from 'tap'

import { arrival } from './arrivals.ts'
import { failedContract } from './contract-failed.ts'
import { claim, ids, leaseMs, settleAll, type Subject } from './contract.ts'
import { keyOf, source } from '../event-keys.ts'

/** The contract of every engine for deliveries whose handler is no longer in the code. */
export async function handlersContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  await failedContract(t, open)

  t.test(
    'a running delivery of a removed handler stays with its process until the lease ends, and is then parked',
    async (t) => {
      const { inbox, advance } = await open(t)
      await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
      await inbox.record([arrival('1', ['ship'])])
      const held = await claim(inbox, ['ship'])
      t.same(await inbox.adopt([]), { parked: 0, resumed: 0 })
      advance(leaseMs)
      t.same(await inbox.adopt([]), { parked: 1, resumed: 0 })
      t.same(await settleAll(inbox, held, { state: 'done' }), ['stale'], 'the attempt failed')
      t.match((await inbox.event(keyOf('1')))!.deliveries[0], {
        state: 'parked',
        owner: undefined,
        attemptLog: [{ state: 'lost', error: /me died or stalled/ }]
      })
    }
  )

  t.test('deliveries of a removed handler are parked, and due again when it returns, in order', async (t) => {
    const { inbox } = await open(t)
    const handlers = (...names: string[]) => names.map((name) => ({ name, source, pattern: '*' }))
    t.same(await inbox.adopt(handlers('ship', 'mail')), { parked: 0, resumed: 0 })
    await inbox.record([
      arrival('1', [{ handler: 'ship', orderKey: 'k' }, 'mail']),
      arrival('2', [{ handler: 'ship', orderKey: 'k' }])
    ])
    t.same(await inbox.adopt(handlers('mail')), { parked: 2, resumed: 0 })
    t.same(await inbox.handlers(), [{ name: 'mail', source: 'digital-river', pattern: '*', ordered: false }])
    await inbox.adopt([{ name: 'mail', source: 'digital-river', pattern: '*', ordered: true }])
    t.same(await inbox.handlers(), [{ name: 'mail', source: 'digital-river', pattern: '*', ordered: true }])
    t.same((await inbox.stats()).deliveries, { pending: 1, waiting: 0, running: 0, done: 0, dead: 0, parked: 2 })
    t.same(await claim(inbox, ['ship']), [])
    t.same(await inbox.replay([{ event: keyOf('1'), handler: 'ship' }]), ['replayed'])
    t.equal(
      (await inbox.event(keyOf('1')))!.deliveries[0]!.state,
      'parked',
      'a replay does not resume it without its handler'
    )
    t.same(await inbox.adopt(handlers('mail', 'ship')), { parked: 0, resumed: 2 })
    t.same(ids(await claim(inbox, ['ship'])), ['1'])
    await settleAll(inbox, await claim(inbox, ['mail']), { state: 'parked' })
    t.equal((await inbox.event(keyOf('1')))!.deliveries[1]!.state, 'parked', 'the dispatcher may also park a delivery')
  })
  t.test('a failed delivery that lets later ones overtake still does when its handler is back', async (t) => {
    const { inbox, now } = await open(t)
    const handlers = [{ name: 'ship', source, pattern: '*' }]
    await inbox.adopt(handlers)
    await inbox.record([arrival('1', [{ handler: 'ship', orderKey: 'k' }])])
    const dueAt = new Date(now() + 60_000)
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'retry', dueAt, error: 'x', releaseKey: true })
    await inbox.record([arrival('2', [{ handler: 'ship', orderKey: 'k' }])])
    t.same(await inbox.adopt([]), { parked: 2, resumed: 0 })
    t.same(await inbox.adopt(handlers), { parked: 0, resumed: 2 })
    t.same(ids(await claim(inbox, ['ship'])), ['2'])
  })
}
