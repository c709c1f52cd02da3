import type { Test } from 'tap'

import type { Arrival, ClaimRequest, Inbox, RecordedAndClaimed } from '../../src/inbox/inbox.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, ids, leaseMs, settleAll, type Subject } from './contract.ts'
import { keyOf, source } from '../event-keys.ts'

/** The contract of the engines that claim deliveries while they record them. */
export async function newClaimsContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  const { inbox } = await open(t)
  if (inbox.recordAndClaim === undefined) return

  t.test('a new delivery is claimed in the call that records it, as by a claim', async (t) => {
    const { inbox } = await open(t)
    const { results, claimed } = await recordAndClaim(inbox, [arrival('1', ['ship', 'mail']), arrival('2', ['ship'])])
    t.same(results, ['accepted', 'accepted'])
    t.match(
      claimed.map(({ handler, arrival }) => [handler, arrival]),
      [
        ['ship', 0],
        ['mail', 0],
        ['ship', 1]
      ]
    )
    t.same(await claim(inbox, ['ship', 'mail']), [], 'each has a holder')
    t.match((await inbox.event(keyOf('2')))!.deliveries, [{ state: 'running', attempts: 1, losses: 0, owner: 'me' }])
    t.same(await settleAll(inbox, claimed, { state: 'done' }), ['settled', 'settled', 'settled'])
    t.same(await settleAll(inbox, claimed, { state: 'done' }), ['stale', 'stale', 'stale'])
    const tally = await inbox.tally({ since: new Date(0), until: new Date(await inbox.now()), step: 'hour' })
    t.match(
      tally.filter(({ kind }) => kind === 'attempt').map(({ name, outcome, count }) => [name, outcome, count]),
      [
        ['mail', 'done', 1],
        ['ship', 'done', 2]
      ]
    )
  })

  t.test('the limits are kept, and what is left is claimed later', async (t) => {
    const { inbox } = await open(t)
    const arrivals = ['1', '2', '3'].map((id) => arrival(id, ['ship', 'mail']))
    const { claimed } = await recordAndClaim(inbox, arrivals, { wants: wants({ ship: 1, mail: 5 }), limit: 3 })
    t.same(
      claimed.map(({ handler, arrival }) => [handler, arrival]),
      [
        ['ship', 0],
        ['mail', 0],
        ['mail', 1]
      ]
    )
    t.same(ids(await claim(inbox, ['ship', 'mail'])), ['2', '3', '3'])
  })

  t.test('a new delivery overtakes nothing, because due ones come first', async (t) => {
    const { inbox, advance } = await open(t)
    await inbox.record(['1', '2', '3'].map((id) => arrival(id, ['ship'])))
    const two = { wants: wants({ ship: 2, mail: 2 }) }
    const first = await recordAndClaim(inbox, [arrival('4', ['ship', 'mail'])], two)
    t.same(ids(first.claim.deliveries), ['1', '2'])
    t.match(first.claimed, [{ handler: 'mail' }])
    const second = await recordAndClaim(inbox, [arrival('5', ['ship'])], { wants: wants({ ship: 9 }), limit: 2 })
    t.same(ids(second.claim.deliveries), ['3', '4'])
    t.same(second.claimed, [], 'the limit is reached')
    advance(leaseMs)
    const third = await recordAndClaim(inbox, [arrival('6', ['ship'])])
    t.equal(third.claim.deliveries.filter(({ lost }) => lost?.owner === 'me').length, 5, 'lost runs, too')
    t.match(third.claimed, [{ handler: 'ship' }])
  })

  t.test('nothing is claimed with an order key, for a paused handler, or for another source', async (t) => {
    const { inbox } = await open(t)
    const ordered = arrival('1', [{ handler: 'ship', orderKey: 'k' }])
    t.same((await recordAndClaim(inbox, [ordered])).claimed, [])
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'done' })
    await inbox.pause('ship')
    t.same((await recordAndClaim(inbox, [arrival('2', ['ship'])])).claimed, [])
    await inbox.resume('ship')
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'done' })
    const others = [{ handler: 'ship', source: 'another', limit: 9 }]
    t.same((await recordAndClaim(inbox, [arrival('3', ['ship'])], { wants: others })).claimed, [])
  })

  t.test('duplicates and quarantined requests have no delivery to claim', async (t) => {
    const { inbox } = await open(t)
    const { results, claimed } = await recordAndClaim(inbox, [
      arrival('1', ['ship']),
      arrival('1', ['ship']),
      quarantined('q'),
      arrival('2', ['ship'])
    ])
    t.same(results, ['accepted', 'duplicate', 'accepted', 'accepted'])
    t.same(
      claimed.map(({ arrival }) => arrival),
      [0, 3]
    )
  })

  t.test('a new delivery waits if one that is due was not claimed', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([
      arrival('1', [{ handler: 'ship', orderKey: 'k' }]),
      arrival('2', [{ handler: 'ship', orderKey: 'k' }]),
      arrival('3', ['ship'])
    ])
    const [first] = await claim(inbox, ['ship'])
    await settleAll(inbox, [first!], { state: 'released' })
    const { claim: due, claimed } = await recordAndClaim(inbox, [arrival('4', ['ship'])], { wants: wants({ ship: 1 }) })
    t.equal(due.deliveries.length, 1)
    t.same(claimed, [])
  })

  t.test('each lease has headers and a body that no one else can change', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([arrival('1', ['ship', 'mail'], { headers: { a: 'b' } })])
    const held = await claim(inbox, ['ship', 'mail'])
    t.not(held[0]!.event.headers, held[1]!.event.headers)
  })

  t.test('a claimer is woken for what is left, and for nothing else', async (t) => {
    const { inbox } = await open(t)
    let wakes = 0
    inbox.onDue(() => (wakes += 1))
    await recordAndClaim(inbox, [arrival('1', ['ship'])])
    t.equal(wakes, 0)
    await recordAndClaim(inbox, [arrival('2', ['ship', 'other'])])
    t.equal(wakes, 1)
  })

  t.test('a process that dies before the attempt begins uses up none', async (t) => {
    const { inbox, advance } = await open(t)
    await recordAndClaim(inbox, [arrival('1', ['ship'])])
    advance(leaseMs)
    const lost = await claim(inbox, ['ship'])
    t.match(lost, [{ attempt: 1, losses: 0, lost: { owner: 'me', onLoss: 'loss' } }])
    const dueAt = await inbox.now()
    const outcome = { state: 'lost', dueAt, error: 'lost', counts: false, releaseKey: false } as const
    t.same(await settleAll(inbox, lost, outcome), ['settled'])
    const [suspect] = await inbox.suspects([{ name: 'ship', source }])
    const again = await inbox.claimSuspects({ owner: 'me', leaseMs, ids: [suspect!.id], onLoss: 'loss' })
    t.match(again, [{ attempt: 2, losses: 1 }], 'the difference counts for "retry.attempts"')
  })
}

async function recordAndClaim(
  inbox: Inbox,
  arrivals: readonly Arrival[],
  request: Partial<ClaimRequest> = {}
): Promise<RecordedAndClaimed> {
  const all = { owner: 'me', leaseMs, wants: wants({ ship: 100, mail: 100 }), limit: 1000, ...request }
  return inbox.recordAndClaim!(arrivals, all)
}

function wants(limits: Readonly<Record<string, number>>): ClaimRequest['wants'] {
  return Object.entries(limits).map(([handler, limit]) => ({ handler, source, limit }))
}
