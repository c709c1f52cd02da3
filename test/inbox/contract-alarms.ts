import type { Test } from 'tap'

import type { AcknowledgedAlarm } from '../../src/inbox/inbox.ts'
import type { AlarmKey } from '../../src/model/alarm.ts'
import type { Act } from '../../src/model/audit.ts'
import type { Subject } from './contract.ts'

const leaseMs = 60_000
const none: readonly AcknowledgedAlarm[] = []

/** The contract of every engine for the one process that raises alarms. */
export async function alarmsContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('one process at a time may raise alarms, and the next one continues from its state', async (t) => {
    const { inbox, advance } = await open(t)
    t.same(await inbox.alarmState(), { state: undefined, acknowledged: none })
    const first = await inbox.holdAlarms({ owner: 'one', leaseMs })
    t.same(first, { token: 1, state: undefined, acknowledged: none })
    t.same(await inbox.holdAlarms({ owner: 'two', leaseMs }), {
      token: undefined,
      state: undefined,
      acknowledged: none
    })
    t.ok(await inbox.saveAlarms({ token: 1, leaseMs, state: '{"a":1}' }))
    t.same(await inbox.holdAlarms({ owner: 'two', leaseMs }), {
      token: undefined,
      state: '{"a":1}',
      acknowledged: none
    })
    t.same(await inbox.alarmState(), { state: '{"a":1}', acknowledged: none })

    advance(leaseMs)
    t.same(await inbox.holdAlarms({ owner: 'two', leaseMs }), { token: 2, state: '{"a":1}', acknowledged: none })
    t.notOk(await inbox.saveAlarms({ token: 1, leaseMs, state: 'late' }), 'the first one froze, and wakes up')
    t.match(await inbox.alarmState(), { state: '{"a":1}' })
  })

  t.test('the right is kept by each call, and given up by the last one', async (t) => {
    const { inbox, advance } = await open(t)
    await inbox.holdAlarms({ owner: 'one', leaseMs })
    advance(leaseMs - 1)
    t.same(await inbox.holdAlarms({ owner: 'one', leaseMs }), { token: 2, state: undefined, acknowledged: none })
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

  // Risk: an alarm that a person knows of comes again every day, or a new one is silent because of an old one.
  t.test(
    'alarms are acknowledged, with an entry in the audit log, until that is taken back or forgotten',
    async (t) => {
      const { inbox, advance, now } = await open(t)
      const since = new Date(1_000_000)
      const dead: AlarmKey = { condition: 'dead', subject: 'erp', since }
      const space: AlarmKey = { condition: 'space', subject: '', since }
      const act: Act = { actor: { name: 'ada', via: 'code' }, action: 'alarms.acknowledge', target: 'dead erp' }
      t.equal(await inbox.acknowledgeAlarms([space, dead], true, act), 2)
      const first = { ...dead, at: new Date(now()) }
      const other = { ...space, at: new Date(now()) }
      t.same((await inbox.alarmState()).acknowledged, [first, other])
      t.same((await inbox.holdAlarms({ owner: 'one', leaseMs })).acknowledged, [first, other])

      advance(1_000)
      t.equal(await inbox.acknowledgeAlarms([dead], true), 1)
      const again = { ...dead, at: new Date(now()) }
      t.ok(await inbox.saveAlarms({ token: 1, leaseMs, forget: [first] }))
      t.same((await inbox.alarmState()).acknowledged, [again, other], 'it was acknowledged again since')
      t.notOk(await inbox.saveAlarms({ token: 9, leaseMs, forget: [again, other] }))
      t.same((await inbox.holdAlarms({ owner: 'two', leaseMs })).acknowledged, [again, other], 'also for the others')
      t.ok(await inbox.saveAlarms({ token: 1, leaseMs, forget: [again] }))
      t.same((await inbox.alarmState()).acknowledged, [other])

      t.equal(await inbox.acknowledgeAlarms([dead, { ...space, since: new Date(0) }], false, act), 0)
      t.equal(await inbox.acknowledgeAlarms([space], false, act), 1)
      t.same((await inbox.alarmState()).acknowledged, none)
      t.same(
        (await inbox.audits({ limit: 9 })).entries.map(({ count, outcome }) => [count, outcome]),
        [
          [1, '1 reopened'],
          [0, '0 reopened'],
          [2, '2 acknowledged']
        ]
      )
      await t.rejects(inbox.acknowledgeAlarms([{ ...dead, subject: 1 } as never], true), {
        message: /"subject" must be a string/
      })
    }
  )
}
