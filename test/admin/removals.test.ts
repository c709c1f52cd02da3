import t from 'tap'

import type { RemovalPlanJson, RemovedEventsJson } from '../../src/admin/api-types.ts'
import { about, everything, realm, startFilled, type FilledRig } from './filled-rig.ts'

// Risk: an event is lost for good that the operator has not seen.

const post = async (rig: FilledRig, body: unknown) => {
  const { status, body: answer } = await rig.json('removals', { method: 'POST', scopes: everything, body })
  return { status, body: answer as unknown as RemovalPlanJson & RemovedEventsJson }
}

const idsOf = async ({ inbox }: FilledRig) => (await inbox.events({ type: '*', limit: 9 })).events.map(({ id }) => id)

t.test('events are removed as planned, and nothing that arrived later', async (t) => {
  const rig = await startFilled(t)
  const { status, body } = await post(rig, { filter: { state: 'dead' }, dryRun: true })
  t.match(
    { status, body },
    { status: 200, body: { plan: /^[\w-]+\.[\w-]+$/, expiresAt: /Z$/, count: 2, capped: false, spared: 0 } }
  )
  await rig.send(about('e4', { id: 'O-4' }), 'e4')
  t.match(await post(rig, { plan: body.plan, expect: 3 }), { status: 409, body: { code: 'RIVERHOOK_ADMIN_CONFLICT' } })
  t.same(await post(rig, { plan: body.plan, expect: 2 }), { status: 200, body: { removed: 2 } })
  t.same(await idsOf(rig), ['e4', 'e3'])
  t.match((await rig.inbox.audits({ limit: 1 })).entries, [
    { actor: 'alice', action: 'events.remove', target: 'state=dead', count: 2 }
  ])
  t.same(await post(rig, { plan: body.plan, expect: 2 }), { status: 200, body: { removed: 0 } }, 'sent again')
  await rig.send(about('e1', { id: 'O-1' }), 'e1')
  t.match(await post(rig, { plan: body.plan, expect: 2 }), { body: { removed: 0 } }, 'the provider sent one again')
})

t.test('more events that match since are not removed, and a removal needs a condition', async (t) => {
  const rig = await startFilled(t)
  const { body } = await post(rig, { filter: { handler: 'mail', state: 'pending' }, dryRun: true })
  t.match(body, { count: 0 })
  await rig.inbox.pause('mail')
  await rig.app.riverhook.replay({ id: 'e3', handler: 'mail', includeDone: true })
  t.match(await post(rig, { plan: body.plan, expect: 0 }), {
    status: 409,
    body: { message: '1 events match now, not 0: plan again' }
  })
  t.match(await post(rig, { filter: {}, dryRun: true }), { status: 400, body: { message: /give a condition/ } })
  t.match(await post(rig, { filter: { type: 'order.*' } }), { status: 400, body: { message: /Plan first/ } })
  t.equal((await idsOf(rig)).length, 3)
})

t.test('chosen events are removed; a plan of a replay removes nothing', async (t) => {
  const rig = await startFilled(t)
  const [events, dryRun] = [
    [
      { realm, id: 'e2' },
      { realm, id: 'none' },
      { realm, id: 'e2' }
    ],
    true
  ]
  const replay = await rig.json('replays', { method: 'POST', scopes: everything, body: { events, dryRun } })
  t.match(await post(rig, { plan: replay.body['plan'], expect: 1 }), {
    status: 400,
    body: { message: /is for a replay/ }
  })
  const { body } = await post(rig, { events, dryRun })
  t.match(body, { count: 1 })
  t.match(await post(rig, { plan: body.plan, expect: 1 }), { body: { removed: 1 } })
  t.same(await idsOf(rig), ['e3', 'e1'])
  t.equal((await rig.inbox.audits({ limit: 1 })).entries[0]?.target, `${realm} e2`)
})
