import type { Test } from 'tap'

import type { ClaimedDelivery, Inbox, OnLoss } from '../../src/inbox/inbox.ts'
import { arrival } from './arrivals.ts'
import { claim, ids, leaseMs, settleAll, type Subject } from './contract.ts'
import { keyOf, named } from '../event-keys.ts'

/**
 * The contract of every engine for runs whose process died. Without it, an event that kills its process would use up
 * the attempts of all others.
 */
export async function lossesContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  const lost = (dueAt: Date, counts = false) =>
    ({ state: 'lost', dueAt, error: 'died', counts, releaseKey: false }) as const
  const claimSuspects = (inbox: Inbox, suspects: readonly { readonly id: number }[], onLoss: OnLoss) =>
    inbox.claimSuspects({ owner: 'me', leaseMs, ids: suspects.map(({ id }) => id), onLoss })

  t.test('a lost run is counted separately, and its delivery is a suspect that is claimed alone', async (t) => {
    const { inbox, advance, now } = await open(t)
    await inbox.record([
      arrival('a', ['ship']),
      arrival('b', [{ handler: 'ship', orderKey: 'k' }]),
      arrival('c', [{ handler: 'ship', orderKey: 'k' }])
    ])
    const held = await claim(inbox, ['ship'])
    t.same(ids(held), ['a', 'b'])
    advance(leaseMs)
    const found = await claim(inbox, ['ship'])
    const expected = { owner: 'me', at: new Date(now()), onLoss: 'loss' }
    t.match(
      found.map(({ lost, attempt, losses, suspicion }) => ({ lost, attempt, losses, suspicion })),
      [
        { lost: expected, attempt: 1, losses: 0, suspicion: 0 },
        { lost: expected, attempt: 1, losses: 0, suspicion: 0 }
      ]
    )
    const dueAt = new Date(now() + 500)
    t.same(await settleAll(inbox, found, lost(dueAt)), ['settled', 'settled'])
    t.match((await inbox.event(keyOf('a')))!.deliveries[0], {
      state: 'pending',
      attempts: 1,
      losses: 1,
      dueAt,
      lastError: 'died',
      attemptLog: [{ attempt: 1, state: 'lost', error: 'died' }]
    })
    t.same(await inbox.suspects(named('ship')), [], 'not before its time')
    advance(500)
    t.same(await claim(inbox, ['ship']), [], 'a suspect is not claimed with the others, and blocks its key')
    t.same(await inbox.suspects(named('mail')), [])
    const suspects = await inbox.suspects(named('mail', 'ship'))
    t.match(suspects, [
      { handler: 'ship', suspicion: 1 },
      { handler: 'ship', suspicion: 1 }
    ])
    const again = await claimSuspects(inbox, suspects, 'attempt')
    t.match(again, [
      { attempt: 2, losses: 1, suspicion: 1, lost: undefined },
      { attempt: 2, losses: 1, suspicion: 1, lost: undefined }
    ])
    t.same(await claimSuspects(inbox, suspects, 'attempt'), [], 'one holder at a time')
    await settleAll(inbox, again, { state: 'retry', dueAt: new Date(now()), error: 'x', releaseKey: false })
    t.match(
      (await claim(inbox, ['ship'])).map(({ losses, suspicion, attempt }) => ({ losses, suspicion, attempt })),
      [
        { losses: 1, suspicion: 0, attempt: 3 },
        { losses: 1, suspicion: 0, attempt: 3 }
      ],
      'a delivery that returned from a run is no suspect'
    )
  })

  t.test('the effect of losing a run is stored when it begins, and changed by a heartbeat', async (t) => {
    const { inbox, advance, now } = await open(t)
    await inbox.record([arrival('a', ['ship']), arrival('b', ['ship'])])
    const [a, b] = await claim(inbox, ['ship'])
    await settleAll(inbox, [a!, b!], lost(new Date(now())))
    const held = await claimSuspects(inbox, await inbox.suspects(named('ship')), 'attempt')
    t.same(await inbox.extend([held[1]!], leaseMs, 'nothing'), [])
    t.same(await inbox.extend(held, leaseMs), [])
    advance(leaseMs)
    const found = await claim(inbox, ['ship'])
    t.same(
      found.map(({ lost }: ClaimedDelivery) => lost?.onLoss),
      ['attempt', 'nothing']
    )
    advance(leaseMs)
    t.same(
      (await claim(inbox, ['ship'])).map(({ lost, attempt }: ClaimedDelivery) => [lost?.onLoss, attempt]),
      [
        ['attempt', 2],
        ['nothing', 2]
      ],
      'a claimer that dies too adds nothing'
    )
  })

  t.test('a lost run that counts is an attempt, and a replay resets both counts', async (t) => {
    const { inbox, now } = await open(t)
    await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
    await inbox.record([arrival('a', ['ship'])])
    await settleAll(inbox, await claim(inbox, ['ship']), lost(new Date(now()), true))
    t.match((await inbox.event(keyOf('a')))!.deliveries[0], { attempts: 1, losses: 0 })
    t.match(await inbox.suspects(named('ship')), [{ suspicion: 1 }])
    await inbox.replay([{ event: keyOf('a'), handler: 'ship' }])
    t.match(await claim(inbox, ['ship']), [{ attempt: 1, losses: 0, suspicion: 0 }])
  })
}
