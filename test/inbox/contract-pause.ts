import type { Test } from 'tap'

import { arrival } from './arrivals.ts'
import { claim, ids, leaseMs, settleAll, type Subject } from './contract.ts'
import { keyOf, named } from '../event-keys.ts'

/** The contract of every engine for paused handlers. */
export async function pauseContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('a paused handler gets no deliveries, and all of them when it is resumed', async (t) => {
    const { inbox, advance } = await open(t)
    await inbox.record([arrival('1', ['ship', 'mail'])])
    await inbox.pause('ship')
    await inbox.record([arrival('2', ['ship', 'mail'])])
    const paused = await inbox.claim({ owner: 'me', leaseMs, wants: wants('ship'), limit: 9 })
    t.same(paused, { deliveries: [], nextDueAt: undefined }, 'the dispatcher does not claim again at once')
    t.same(ids(await claim(inbox, ['ship', 'mail'])), ['1', '2'], 'the other handler continues')
    advance(60_000)
    t.ok(await inbox.resume('ship'))
    t.same(ids(await claim(inbox, ['ship'])), ['1', '2'])
  })

  t.test('a pause is listed with its beginning, and survives a start of the server', async (t) => {
    const { inbox, advance } = await open(t)
    const since = await inbox.now()
    await inbox.pause('ship')
    advance(1_000)
    await inbox.pause('ship')
    await inbox.pause('mail')
    await inbox.adopt(named('ship', 'mail').map((name) => ({ ...name, pattern: '*' })))
    t.match(await inbox.pauses(), [{ handler: 'mail' }, { handler: 'ship', since }])
    t.notOk(await inbox.resume('unknown'), 'it was not paused')
    t.ok(await inbox.resume('mail'))
    t.notOk(await inbox.resume('mail'))
    t.same(await inbox.pauses(), [{ handler: 'ship', since }])
  })

  t.test('the order of a paused line is kept', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([arrival('1', [{ handler: 'ship', orderKey: 'k' }])])
    const held = await claim(inbox, ['ship'])
    await inbox.pause('ship')
    await inbox.record([arrival('2', [{ handler: 'ship', orderKey: 'k' }])])
    t.same(await settleAll(inbox, held, { state: 'done' }), ['settled'], 'a running attempt finishes')
    t.same(await claim(inbox, ['ship']), [])
    await inbox.resume('ship')
    t.same(ids(await claim(inbox, ['ship'])), ['2'])
  })

  t.test('a run that is lost during the pause is settled after it', async (t) => {
    const { inbox, advance } = await open(t)
    await inbox.record([arrival('1', ['ship'])])
    await claim(inbox, ['ship'])
    await inbox.pause('ship')
    advance(leaseMs)
    t.same(await claim(inbox, ['ship']), [])
    await inbox.resume('ship')
    const lost = await claim(inbox, ['ship'])
    t.match(lost, [{ attempt: 1, lost: { owner: 'me' } }])
    await settleAll(inbox, lost, {
      state: 'lost',
      dueAt: await inbox.now(),
      releaseKey: false,
      counts: false,
      error: 'died'
    })
    const suspects = await inbox.suspects(named('ship'))
    t.equal(suspects.length, 1)
    const claimSuspects = () =>
      inbox.claimSuspects({ owner: 'me', leaseMs, ids: suspects.map(({ id }) => id), onLoss: 'loss' })
    await inbox.pause('ship')
    t.same(await inbox.suspects(named('ship')), [])
    t.same(await claimSuspects(), [], 'not even if it was listed before the pause')
    await inbox.resume('ship')
    t.same(ids(await claimSuspects()), ['1'])
  })

  t.test('the deliveries of a paused handler are not overdue: the process stays ready', async (t) => {
    const { inbox, advance } = await open(t)
    await inbox.record([arrival('1', ['ship'])])
    advance(60_000)
    t.ok((await inbox.probe()).oldestDueAt)
    await inbox.pause('ship')
    t.equal((await inbox.probe()).oldestDueAt, undefined)
    t.equal((await inbox.stats()).oldestDueAt, undefined)
    await inbox.record([arrival('2', ['mail'])])
    advance(1_000)
    t.ok((await inbox.probe()).oldestDueAt, 'another handler is')
    t.same(await inbox.replay([{ event: keyOf('1'), handler: 'ship' }]), ['replayed'])
    t.same(await claim(inbox, ['ship']), [], 'a replay does not end the pause')
  })
}

function wants(...handlers: readonly string[]) {
  return named(...handlers).map(({ name, source }) => ({ handler: name, source, limit: 9 }))
}
