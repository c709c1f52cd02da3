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
    { status: 200, body: { plan: /^[\w-]+\.[\w-]+$/, expiresAt: /Z$/, count: 2, capped: false, kept: 0 } }
  )
  await rig.send(about('e4', { id: 'O-4' }), 'e4')
  t.match(await post(rig, { plan: body.plan, expectedCount: 3 }), {
    status: 409,
    body: { code: 'RIVERHOOK_ADMIN_CONFLICT' }
  })
  t.same(await post(rig, { plan: body.plan, expectedCount: 2 }), { status: 200, body: { removed: 2 } })
  t.same(await idsOf(rig), ['e4', 'e3'])
  t.match((await rig.inbox.audits({ limit: 1 })).entries, [
    { actor: 'alice', action: 'events.remove', target: 'state=dead', count: 2 }
  ])
  t.same(await post(rig, { plan: body.plan, expectedCount: 2 }), { status: 200, body: { removed: 0 } }, 'sent again')
  await rig.send(about('e1', { id: 'O-1' }), 'e1')
  t.match(
    await post(rig, { plan: body.plan, expectedCount: 2 }),
    { body: { removed: 0 } },
    'the provider sent one again'
  )
})

t.test('more events that match since are not removed, and a removal needs a condition', async (t) => {
  const rig = await startFilled(t)
  const { body } = await post(rig, { filter: { handler: 'mail', state: 'pending' }, dryRun: true })
  t.match(body, { count: 0 })
  await rig.inbox.pause('mail')
  await rig.app.riverhook.replay({ id: 'e3', handler: 'mail', includeDone: true })
  t.match(await post(rig, { plan: body.plan, expectedCount: 0 }), {
    status: 409,
    body: { message: 'Other events match now than in the plan, or their states have changed: plan again' }
  })
  t.match(await post(rig, { filter: {}, dryRun: true }), { status: 400, body: { message: /give a condition/ } })
  t.match(await post(rig, { filter: { type: 'order.*' } }), { status: 400, body: { message: /Plan first/ } })
  t.match(await post(rig, { filter: { handler: 'erpp' }, dryRun: true }), {
    status: 404,
    body: { message: /no handler "erpp"; did you mean "erp"/ }
  })
  t.equal((await idsOf(rig)).length, 3)
})

// Risk: the open work of other handlers is removed with the event.
t.test('a filter by handler or error keeps events with another delivery that is not done', async (t) => {
  const rig = await startFilled(t)
  const { body } = await post(rig, { filter: { handler: 'mail' }, dryRun: true })
  t.match(body, { count: 1, kept: 2 }, 'erp is a dead letter of two of them')
  await rig.inbox.pause('mail')
  await rig.app.riverhook.replay({ id: 'e1', handler: 'mail', includeDone: true })
  t.match((await post(rig, { filter: { error: 'e' }, dryRun: true })).body, { count: 1, kept: 1 }, 'mail is pending')
})

// Risk: the same number of other events is removed for good.
t.test('a plan removes the events that it was made for, not as many others', async (t) => {
  const rig = await startFilled(t)
  for (const id of ['e4', 'e5']) await rig.send(about(id, { id }, 'refund.complete'), id)
  await rig.inbox.pause('mail')
  const makePending = (id: string) => rig.app.riverhook.replay({ id, handler: 'mail', includeDone: true })
  await makePending('e4')
  const { body } = await post(rig, { filter: { handler: 'mail', state: 'pending' }, dryRun: true })
  t.match(body, { count: 1 })
  await makePending('e5')
  await rig.inbox.remove([{ realm, id: 'e4' }])
  t.match(await post(rig, { plan: body.plan, expectedCount: 1 }), {
    status: 409,
    body: { message: /^Other events match now/ }
  })
  t.ok((await idsOf(rig)).includes('e5'))
})

// Risk: a dead letter is replayed after the plan, and its open work is removed.
t.test('a plan removes events only in the states in which they were planned', async (t) => {
  const rig = await startFilled(t)
  const events = ['e1', 'e3'].map((id) => ({ realm, id }))
  const { body } = await post(rig, { events, dryRun: true })
  t.match(body, { count: 2 })
  await rig.inbox.pause('mail')
  await rig.app.riverhook.replay({ id: 'e3', handler: 'mail', includeDone: true })
  t.match(await post(rig, { plan: body.plan, expectedCount: 2 }), {
    status: 409,
    body: { message: /or their states have changed: plan again$/ }
  })
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
  t.match(await post(rig, { plan: replay.body['plan'], expectedCount: 1 }), {
    status: 400,
    body: { message: /is for a replay/ }
  })
  const { body } = await post(rig, { events, dryRun })
  t.match(body, { count: 1 })
  t.match(await post(rig, { plan: body.plan, expectedCount: 1 }), { body: { removed: 1 } })
  t.same(await idsOf(rig), ['e3', 'e1'])
  t.equal((await rig.inbox.audits({ limit: 1 })).entries[0]?.target, `${realm} e2`)
})
