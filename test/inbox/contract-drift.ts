import type { Test } from 'tap'

import type { Act } from '../../src/model/audit.ts'
import type { Mismatch } from '../../src/inbox/inbox.ts'
import type { Subject } from './contract.ts'
import { realm } from '../event-keys.ts'

const at = (ms: number): Date => new Date(1_000_000 + ms)

function note(changes: Partial<Mismatch> = {}): Mismatch {
  return {
    realm,
    type: 'order.accepted',
    path: 'data.object.state',
    rule: 'enum',
    handler: '',
    count: 1,
    firstAt: at(0),
    lastAt: at(0),
    eventId: 'e1',
    acknowledgedAt: undefined,
    ...changes
  }
}

/** The contract of every engine for mismatches between payloads and their known schemas. */
export async function driftContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('mismatches of one kind are one record, with its count, first and last time', async (t) => {
    const { inbox } = await open(t)
    t.same(await inbox.drifts(), [])
    await inbox.flag([note(), note({ path: 'data.object.items[].sku' }), note({ handler: 'erp' })])
    await inbox.flag([
      note({ count: 4, firstAt: at(-5), lastAt: at(9), eventId: 'e2' }),
      note({ handler: 'erp', firstAt: at(-9), lastAt: at(-8), eventId: 'e0' })
    ])
    const [latest, ...others] = await inbox.drifts()
    t.same(latest, note({ count: 5, firstAt: at(-5), lastAt: at(9), eventId: 'e2' }), 'latest first')
    t.same(
      others.find(({ handler }) => handler === 'erp'),
      note({ handler: 'erp', count: 2, firstAt: at(-9) })
    )
    t.equal(others.length, 2)
  })

  // Risk: a difference that a person has judged warns for ever, or a new one is hidden with it.
  t.test('a kind is acknowledged, and later mismatches of it keep the mark', async (t) => {
    const { inbox, now } = await open(t)
    await inbox.flag([note(), note({ path: 'data.object.sku' })])
    const act: Act = { actor: { name: 'ada', via: 'code' }, action: 'mismatches.acknowledge', target: '1 kind' }
    t.equal(await inbox.acknowledge([note(), note({ realm: 'unknown' })], true, act), 1)
    t.equal(await inbox.acknowledge([note()], true, act), 0)
    await inbox.flag([note({ count: 2, lastAt: at(9) })])
    const marked = async () => (await inbox.drifts()).map(({ path, acknowledgedAt }) => [path, acknowledgedAt])
    t.same(await marked(), [
      ['data.object.state', new Date(now())],
      ['data.object.sku', undefined]
    ])
    t.same(
      (await inbox.audits({ limit: 9 })).entries.map(({ count, outcome }) => [count, outcome]),
      [
        [0, '0 acknowledged'],
        [1, '1 acknowledged']
      ]
    )
    t.equal(await inbox.acknowledge([note()], false, act), 1)
    t.same((await marked())[0], ['data.object.state', undefined])
    await t.rejects(inbox.acknowledge([{ ...note(), path: 1 } as never], true), { message: /"path" must be a string/ })
  })
}
