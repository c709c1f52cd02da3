import type { Test } from 'tap'

import { arrival } from './arrivals.ts'
import { claim, settleAll, type Subject } from './contract.ts'
import { keyOf, keysOf, realm } from '../event-keys.ts'

/** The contract of every engine for ids and order keys of any length. The provider decides their length. */
export async function longContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  // Incompressible, so that no index can shrink it.
  const long = Array.from({ length: 4_000 }, (_, index) => ((index * 2_654_435_761) % 4_294_967_296).toString(36)).join(
    ''
  )

  t.test('an id of thousands of characters is accepted', async (t) => {
    const { inbox } = await open(t)
    const [id, other] = [`${long}1`, `${long}2`]
    t.same(
      await inbox.record([arrival(id, ['ship']), arrival(other, ['ship']), arrival('short', ['ship']), arrival(id)]),
      ['accepted', 'accepted', 'accepted', 'duplicate']
    )
    t.same(await inbox.record([arrival(other, [], { body: Buffer.from('{}') })]), ['conflict'])
    t.same(await inbox.known(realm, [id, `${long}3`]), new Set([id]))
    t.same(
      (await inbox.events({ limit: 10 })).events.map((event) => event.id),
      ['short', other, id]
    )
    const claimed = await claim(inbox, ['ship'])
    t.same(
      claimed.map(({ event }) => event.id),
      [id, other, 'short']
    )
    await settleAll(inbox, claimed, { state: 'done' })
    t.same(await inbox.replay([{ event: keyOf(other), handler: 'mail' }]), ['created'])
    const detail = await inbox.event(keyOf(other))
    t.match(detail, { id: other, conflicts: 1, deliveries: [{ handler: 'ship', state: 'done' }, { handler: 'mail' }] })
    t.equal(await inbox.remove(keysOf(other)), 1)
    t.equal(await inbox.event(keyOf(other)), undefined)
    const { inbox: target } = await open(t)
    t.equal(await target.restore([detail!]), 1)
    t.equal((await target.event(keyOf(other)))!.id, other)
    t.equal(await target.restore([detail!]), 0)
  })

  t.test('an order key of thousands of characters is accepted', async (t) => {
    const { inbox } = await open(t)
    const keyed = (orderKey: string) => [{ handler: 'ship', orderKey }]
    await inbox.record([
      arrival('a1', keyed(`${long}a`)),
      arrival('a2', keyed(`${long}a`)),
      arrival('b1', keyed(`${long}b`))
    ])
    await inbox.record([arrival('a3', keyed(`${long}a`))])
    for (const expected of [['a1', 'b1'], ['a2'], ['a3'], []]) {
      const claimed = await claim(inbox, ['ship'])
      t.same(
        claimed.map(({ event }) => event.id),
        expected
      )
      await settleAll(inbox, claimed, { state: 'done' })
    }
  })
}
