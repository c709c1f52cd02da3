import t from 'tap'

import type { ErasedEventsJson, ErasurePlanJson } from '../../src/admin/api-types.ts'
import { everything, realm, startFilled, type FilledRig } from './filled-rig.ts'

// Risk: a person's data is erased by mistake, is not erased, or comes back.

const post = async (rig: FilledRig, body: unknown) => {
  const answer = await rig.json('erasures', { method: 'POST', scopes: everything, body })
  return { status: answer.status, body: answer.body as unknown as ErasurePlanJson & ErasedEventsJson }
}

t.test("a person's events are erased as planned, and the audit log does not name the person", async (t) => {
  const rig = await startFilled(t)
  await rig.inbox.pause('mail')
  await rig.app.riverhook.replay({ id: 'e1', handler: 'mail', includeDone: true })
  const about = 'buyer@x.example'
  t.match(await post(rig, { filter: {}, dryRun: true }), { status: 400, body: { message: /give a condition/ } })
  t.match(await post(rig, { filter: { type: 'oder.*' }, dryRun: true }), {
    status: 400,
    body: { message: /The type "oder\.\*" is unknown.*did you mean "order\.\*"/ }
  })
  const { status, body } = await post(rig, { filter: { about }, dryRun: true })
  t.match({ status, body }, { status: 200, body: { count: 2, open: 3, capped: false, expiresAt: /Z$/ } })
  t.match(await post(rig, { plan: body.plan, expectedCount: 1 }), { status: 409 })
  t.same(await post(rig, { plan: body.plan, expectedCount: 2 }), { status: 200, body: { erased: 2 } })
  t.same(await post(rig, { plan: body.plan, expectedCount: 2 }), { status: 200, body: { erased: 0 } }, 'sent again')
  const { body: event } = await rig.json('event?id=e1&reveal=true', { scopes: everything })
  t.match(event, { state: 'erased', deliveries: [], payload: { bytes: 0, about: [], headers: {} } })
  t.match((await rig.json('events?state=erased')).body, { events: [{ id: 'e2' }, { id: 'e1' }] })
  t.same((await rig.json(`events?about=${about}`)).body, { events: [] })
  const { entries } = await rig.inbox.audits({ limit: 9 })
  t.match(entries[2], { actor: 'alice', action: 'events.erase', target: 'about=...', count: 2 })
  t.notMatch(JSON.stringify(entries), about)

  const chosen = { events: [{ realm: 'digital-river', id: 'e3' }], dryRun: true }
  const { body: one } = await post(rig, chosen)
  t.match(one, { count: 1 })
  t.match(await post(rig, { plan: one.plan, expectedCount: 1 }), { body: { erased: 1 } })
  t.match(await post(rig, chosen), { body: { count: 0 } })
})

// Risk: an event is replayed after the plan, and its open work is deleted.
t.test('a plan erases events only in the states in which they were planned', async (t) => {
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
  t.same((await rig.inbox.events({ state: 'erased', limit: 9 })).events, [])
})

// Risk: an operator without the scope "erase" removes an erased event, and a retry brings the person's data back.
t.test('an erased event is removed neither alone nor by a plan', async (t) => {
  const rig = await startFilled(t)
  await rig.inbox.erase([{ realm, id: 'e1' }])
  t.match(await rig.json('event?id=e1', { method: 'DELETE', scopes: everything }), {
    status: 409,
    body: { code: 'RIVERHOOK_ADMIN_CONFLICT', message: /^The event is erased/ }
  })
  const events = ['e1', 'e2'].map((id) => ({ realm, id }))
  const planned = await rig.json('removals', { method: 'POST', scopes: everything, body: { events, dryRun: true } })
  t.match(planned.body, { count: 1, kept: 1 })
  const { plan } = planned.body
  const body = { plan, expectedCount: 1 }
  t.match(await rig.json('removals', { method: 'POST', scopes: everything, body }), { body: { removed: 1 } })
  t.same(
    (await rig.inbox.events({ state: 'erased', limit: 9 })).events.map(({ id }) => id),
    ['e1']
  )
  t.equal(await rig.inbox.event({ realm, id: 'e2' }), undefined)
})
