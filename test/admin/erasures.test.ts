import t from 'tap'

import type { ErasedEventsJson, ErasurePlanJson } from '../../src/admin/api-types.ts'
import { everything, startFilled, type FilledRig } from './filled-rig.ts'

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
