import type { Test } from 'tap'

import type { Inbox } from '../../src/inbox/inbox.ts'
import type { Act } from '../../src/model/audit.ts'
import { keyOf, keysOf, named } from '../event-keys.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, settleAll, type Subject } from './contract.ts'

const act: Act = {
  actor: { name: 'ada@ops', via: 'session', peer: '192.0.2.7', requestId: 'req-1' },
  action: 'handler.pause',
  target: 'ship'
}
const doing = (action: string, target = 'x'): Act => ({ ...act, action, target })
const entries = async (inbox: Inbox) => (await inbox.audits({ limit: 100 })).entries
/** Each entry in short, the oldest first. */
const log = async (inbox: Inbox) =>
  (await entries(inbox)).toReversed().map(({ action, count, outcome }) => `${action}: ${count}, ${outcome}`)

/**
 * The contract of every engine for the audit log. Risks: an act without a trace, and an entry about
 * something that was never done.
 */
export async function auditContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('an entry says who did what, when, to what, and how many things it changed', async (t) => {
    const { inbox } = await open(t)
    t.same(await entries(inbox), [])
    t.equal(await inbox.pause('ship', act), true)
    const [entry] = await entries(inbox)
    t.same(entry, {
      seq: entry?.seq,
      at: await inbox.now(),
      actor: 'ada@ops',
      via: 'session',
      peer: '192.0.2.7',
      requestId: 'req-1',
      action: 'handler.pause',
      target: 'ship',
      count: 1,
      outcome: 'paused'
    })
    await inbox.resume('ship', { actor: { name: 'x', via: 'code' }, action: 'handler.resume', target: 'ship' })
    t.match((await entries(inbox))[0], { actor: 'x', via: 'code', peer: undefined, requestId: undefined, count: 1 })
    await inbox.pause('ship')
    t.equal((await entries(inbox)).length, 2, 'a call without an act has no entry')
  })

  t.test('an act that changes nothing has an entry, with count 0', async (t) => {
    const { inbox } = await open(t)
    await inbox.resume('ship', doing('resume'))
    await inbox.pause('ship', doing('pause'))
    t.equal(await inbox.pause('ship', doing('pause')), false)
    await inbox.replay([{ event: keyOf('1'), handler: 'ship' }], doing('replay'))
    await inbox.replay([], doing('replay'))
    await inbox.admit([{ request: keyOf('q'), id: '2', type: 'a', deliveries: [] }], doing('admit'))
    await inbox.remove(keysOf('1', '2'), doing('remove'))
    t.same(await log(inbox), [
      'resume: 0, not paused',
      'pause: 1, paused',
      'pause: 0, already paused',
      'replay: 0, 1 unknown event',
      'replay: 0, nothing to do',
      'admit: 0, 1 unknown request',
      'remove: 0, 0 removed, 2 running, changed, erased or unknown'
    ])
  })

  t.test('an entry counts what was really changed', async (t) => {
    const { inbox } = await open(t)
    await inbox.adopt(named('ship', 'mail').map((name) => ({ ...name, pattern: '*' })))
    await inbox.record([
      arrival('done', ['ship']),
      arrival('running', ['mail']),
      arrival('3', ['ship']),
      quarantined('q1'),
      quarantined('q2')
    ])
    const [done] = await claim(inbox, ['ship'])
    await settleAll(inbox, [done!], { state: 'done' })
    await claim(inbox, ['mail'])
    await inbox.replay(
      [
        { event: keyOf('done'), handler: 'ship', unlessDone: true },
        { event: keyOf('done'), handler: 'mail' },
        { event: keyOf('running'), handler: 'mail' },
        { event: keyOf('running'), handler: 'ship' }
      ],
      doing('replay')
    )
    const admission = { id: '4', type: 'order.accepted', deliveries: [] }
    await inbox.admit(
      [
        { ...admission, request: keyOf('q1') },
        { ...admission, request: keyOf('q2') }
      ],
      doing('admit')
    )
    await inbox.remove(keysOf('running', 'done', '4'), doing('remove'))
    t.same(await log(inbox), [
      'replay: 2, 1 done, 2 created, 1 running',
      'admit: 2, 1 accepted, 1 duplicate',
      'remove: 2, 2 removed, 1 running, changed, erased or unknown'
    ])
  })

  t.test('an act that is not a call of the inbox has an entry', async (t) => {
    const { inbox } = await open(t)
    await inbox.audit(doing('registration.sync', 'https://shop.example/webhooks'), { count: 1, outcome: 'created' })
    t.match(await entries(inbox), [{ action: 'registration.sync', target: 'https://shop.example/webhooks', count: 1 }])
  })

  t.test('the log is read newest first, page by page, and from a time on', async (t) => {
    const { inbox, advance } = await open(t)
    for (const target of ['1', '2', '3', '4', '5']) {
      await inbox.audit(doing('x', target), { count: 0, outcome: '' })
      advance(1_000)
    }
    const first = await inbox.audits({ limit: 2 })
    t.match(first.entries, [{ target: '5' }, { target: '4' }])
    const second = await inbox.audits({ limit: 2, after: first.next })
    t.match(second.entries, [{ target: '3' }, { target: '2' }])
    const last = await inbox.audits({ limit: 2, after: second.next })
    t.match(last, { entries: [{ target: '1' }], next: undefined })
    const recent = await inbox.audits({ limit: 2, since: second.entries[0]!.at })
    t.match(recent.entries, [{ target: '5' }, { target: '4' }])
    t.match(await inbox.audits({ limit: 2, since: second.entries[0]!.at, after: recent.next }), {
      entries: [{ target: '3' }],
      next: undefined
    })
  })

  t.test('old entries are deleted in batches, the oldest first', async (t) => {
    const { inbox, advance } = await open(t)
    for (const target of ['1', '2', '3', '4']) {
      await inbox.audit(doing('x', target), { count: 0, outcome: '' })
      advance(1_000)
    }
    const before = (await entries(inbox))[0]!.at
    t.equal(await inbox.pruneAudits({ before, limit: 2 }), 2)
    t.match(await entries(inbox), [{ target: '4' }, { target: '3' }])
    t.equal(await inbox.pruneAudits({ before, limit: 2 }), 1)
    t.equal(await inbox.pruneAudits({ before, limit: 2 }), 0)
    const { seq } = (await entries(inbox))[0]!
    await inbox.pruneAudits({ before: new Date(before.getTime() + 1), limit: 2 })
    await inbox.audit(doing('x', '5'), { count: 0, outcome: '' })
    t.match(await entries(inbox), [{ target: '5', seq: seq + 1 }], 'numbers are not used again')
  })

  t.test('any text is stored, except NUL, and a long one is cut', async (t) => {
    const { inbox } = await open(t)
    const target = 'ü€😀\u0000\u001b\u202e'
    await inbox.pause('ship', { ...act, target })
    await inbox.pause('ship', {
      actor: { name: 'n'.repeat(900), via: 'token' },
      action: 'a'.repeat(900),
      target: '€'.repeat(9_000)
    })
    const [long, first] = await entries(inbox)
    t.equal(first?.target, target.replace('\0', '\uFFFD'))
    t.same(
      [long?.actor, long?.action, long?.target].map((text) => text?.length),
      [203, 203, 503]
    )
  })

  t.test('an act without an actor is refused, and nothing is done', async (t) => {
    const { inbox } = await open(t)
    const acts = [
      { ...act, actor: undefined },
      { ...act, actor: { name: 'x', via: 'guess' } },
      { ...act, target: 1 }
    ]
    for (const wrong of acts) {
      await t.rejects(inbox.pause('ship', wrong as unknown as Act), { code: 'RIVERHOOK_OPTIONS_INVALID' })
      await t.rejects(inbox.remove(keysOf('1'), wrong as unknown as Act), { code: 'RIVERHOOK_OPTIONS_INVALID' })
      await t.rejects(inbox.audit(wrong as unknown as Act, { count: 1, outcome: '' }), {
        code: 'RIVERHOOK_OPTIONS_INVALID'
      })
    }
    await t.rejects(inbox.audit(act, { count: -1, outcome: '' }), { message: /"count"/ })
    await t.rejects(inbox.audits({ limit: 0 }), { message: /audits\(\): "limit"/ })
    t.same(await inbox.pauses(), [])
    t.same(await entries(inbox), [])
  })

  t.test('neither an act without its entry, nor an entry without its act', async (t) => {
    const { inbox, refuseWrites } = await open(t)
    if (refuseWrites === undefined) {
      t.pass('this engine has no writes that can fail')
      return
    }
    await inbox.adopt(named('ship').map((name) => ({ ...name, pattern: '*' })))
    await inbox.record([arrival('1', ['ship']), quarantined('q')])
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'dead', error: 'x' })
    await inbox.pause('mail')
    const acts: Readonly<Record<string, () => Promise<unknown>>> = {
      pause: () => inbox.pause('ship', act),
      resume: () => inbox.resume('mail', act),
      replay: () => inbox.replay([{ event: keyOf('1'), handler: 'ship' }], act),
      admit: () => inbox.admit([{ request: keyOf('q'), id: '2', type: 'a', deliveries: [] }], act),
      remove: () => inbox.remove(keysOf('1'), act)
    }
    const content = async () => ({
      events: await inbox.events({ limit: 9 }),
      pauses: await inbox.pauses(),
      audits: await entries(inbox)
    })
    const before = await content()
    for (const tables of [['audit'], ['pause', 'delivery', 'event']]) {
      const allow = await refuseWrites(tables)
      for (const [name, act] of Object.entries(acts)) {
        // A call with several items may return the error for each instead.
        const result = await act().catch((error: unknown) => [error])
        t.match(result, [{ code: 'RIVERHOOK_INBOX_UNAVAILABLE' }], `${name} without ${tables.join()}`)
        t.same(await content(), before, `${name} has changed nothing`)
      }
      await allow()
    }
    for (const act of Object.values(acts)) await act()
    t.equal((await entries(inbox)).length, 5)
  })
}
