import type { Test } from 'tap'

import type { Subject } from './contract.ts'

const leaseMs = 60_000

/** The contract of every engine for the one process that raises alarms. */
export async function alarmsContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('one process at a time may raise alarms, and the next one continues from its state', async (t) => {
    const { inbox, advance } = await open(t)
    t.equal(await inbox.alarmState(), undefined)
    const first = await inbox.holdAlarms({ owner: 'one', leaseMs })
    t.same(first, { token: 1, state: undefined })
    t.same(await inbox.holdAlarms({ owner: 'two', leaseMs }), { token: undefined, state: undefined })
    t.ok(await inbox.saveAlarms({ token: 1, leaseMs, state: '{"a":1}' }))
    t.same(await inbox.holdAlarms({ owner: 'two', leaseMs }), { token: undefined, state: '{"a":1}' })
    t.equal(await inbox.alarmState(), '{"a":1}')

    advance(leaseMs)
    t.same(await inbox.holdAlarms({ owner: 'two', leaseMs }), { token: 2, state: '{"a":1}' })
    t.notOk(await inbox.saveAlarms({ token: 1, leaseMs, state: 'late' }), 'the first one froze, and wakes up')
    t.equal(await inbox.alarmState(), '{"a":1}')
  })

  t.test('the right is kept by each call, and given up by the last one', async (t) => {
    const { inbox, advance } = await open(t)
    await inbox.holdAlarms({ owner: 'one', leaseMs })
    advance(leaseMs - 1)
    t.same(await inbox.holdAlarms({ owner: 'one', leaseMs }), { token: 2, state: undefined })
    advance(leaseMs - 1)
    t.ok(await inbox.saveAlarms({ token: 2, leaseMs, state: '{}' }))
    advance(leaseMs - 1)
    t.match(await inbox.holdAlarms({ owner: 'two', leaseMs }), { token: undefined })
    t.ok(await inbox.saveAlarms({ token: 2, leaseMs, state: '{}' }))
    advance(leaseMs - 1)
    t.ok(await inbox.saveAlarms({ token: 2, leaseMs }), 'without a state, only the lease is extended')
    advance(leaseMs - 1)
    t.match(await inbox.holdAlarms({ owner: 'two', leaseMs }), { token: undefined, state: '{}' })
    t.ok(await inbox.saveAlarms({ token: 2, leaseMs: 0 }))
    t.match(await inbox.holdAlarms({ owner: 'two', leaseMs }), { token: 3, state: '{}' })
  })

  t.test('of processes that ask at once, one gets the right', async (t) => {
    const { inbox } = await open(t)
    const held = await Promise.all(['one', 'two', 'three'].map((owner) => inbox.holdAlarms({ owner, leaseMs })))
    t.equal(held.filter(({ token }) => token !== undefined).length, 1)
    await t.rejects(inbox.saveAlarms({ token: 1, leaseMs: -1, state: '' }), { code: 'RIVERHOOK_OPTIONS_INVALID' })
    await t.rejects(inbox.holdAlarms({ owner: 'me', leaseMs: 0 }), { code: 'RIVERHOOK_OPTIONS_INVALID' })
  })
}
