import t from 'tap'

import { whenSettled } from '../../src/testing/index.ts'
import { everything, realm, startFilled, type FilledRig } from './filled-rig.ts'

// Risk: a repair changes more than was asked for, or no log shows who did it.

const post = (rig: FilledRig, path: string, body: unknown) =>
  rig.json(path, { method: 'POST', scopes: everything, body })

/** The acts in the audit log, oldest first. */
const acts = async ({ inbox }: FilledRig) =>
  (await inbox.audits({ limit: 100 })).entries
    .toReversed()
    .map(({ actor, via, action, count }) => `${actor} (${via}) ${action} ${count}`)

t.test('one event is replayed: what is not done, or the handlers that are named', async (t) => {
  const rig = await startFilled(t)
  const event = { realm, id: 'e1' }
  t.match(await post(rig, 'event/replay', { event }), { status: 200, body: { replayed: 1 } }, 'erp; mail is done')
  await whenSettled(rig.inbox, 'e1', { deliveries: 2 })
  t.match(await post(rig, 'event/replay', { event, handlers: ['mail'] }), { body: { replayed: 0 } })
  t.match(await post(rig, 'event/replay', { event, handlers: ['mail'], includeDone: true }), { body: { replayed: 1 } })
  await whenSettled(rig.inbox, 'e1', { deliveries: 2 })
  t.same(
    (await rig.inbox.event({ realm, id: 'e2' }))!.deliveries.map(({ attemptLog }) => attemptLog.length),
    [1, 1]
  )
  t.match(await post(rig, 'event/replay', { event: { realm, id: 'none' } }), { status: 404 })
  t.match(await post(rig, 'event/replay', { event, handlers: ['erpp'] }), {
    status: 404,
    body: { code: 'RIVERHOOK_HANDLERS_UNKNOWN', message: /did you mean "erp"/ }
  })
  for (const wrong of [
    { event: { realm, id: 'e\0' } },
    { event: { realm: '\0', id: 'e' } },
    { event, handlers: ['\0'] }
  ])
    t.match(await post(rig, 'event/replay', wrong), { status: 400, body: { message: /must match pattern/ } })
  t.match(await post(rig, 'event/replay', { event, handler: 'erp' }), {
    status: 400,
    body: { message: 'body: "handler" is unknown' }
  })
  t.equal((await acts(rig)).filter((act) => act === 'alice (host) events.replay 1').length, 2)
})

t.test('an event is removed, and a quarantined request is read again', async (t) => {
  const rig = await startFilled(t)
  const remove = (id: string) => rig.json(`event?id=${id}`, { method: 'DELETE', scopes: everything })
  t.match(await remove('e1'), { status: 200, body: { removed: true } })
  t.match(await remove('e1'), { status: 404 })
  t.equal(await rig.inbox.event({ realm, id: 'e1' }), undefined)
  const [request] = (await rig.inbox.events({ state: 'quarantined', limit: 1 })).events
  t.match(await post(rig, 'quarantine/retry', { id: request!.id }), {
    body: { result: 'still_invalid', reason: /"id"/ }
  })
  t.match(await post(rig, 'quarantine/retry', { id: 'e2' }), { status: 404 })
  t.match((await acts(rig))[0], 'alice (host) events.remove 1')
})

t.test('a handler is paused and resumed', async (t) => {
  const rig = await startFilled(t)
  t.match(await post(rig, 'handlers/pause', { name: 'erp' }), { body: { changed: true } })
  t.match(await post(rig, 'handlers/pause', { name: 'erp' }), { body: { changed: false } })
  t.match(await rig.inbox.pauses(), [{ handler: 'erp' }])
  t.match(await post(rig, 'handlers/resume', { name: 'erp' }), { body: { changed: true } })
  t.match(await post(rig, 'handlers/resume', { name: 'erp' }), { body: { changed: false } })
  t.match(await post(rig, 'handlers/pause', { name: 'epr' }), { status: 404 })
  t.match((await acts(rig))[0], 'alice (host) handler.pause 1')
})

t.test('a repair that the options do not allow is refused with the reason', async (t) => {
  const rig = await startFilled(t)
  t.match(await post(rig, 'registrations/sync', { endpoint: '/hook' }), {
    status: 400,
    body: { message: /no endpoint \/hook has the option "register"/ }
  })
  t.match(await post(rig, 'backfills', { since: '24h', dryRun: true }), {
    status: 400,
    body: { code: 'RIVERHOOK_OPTIONS_INVALID' }
  })
  t.match(await post(rig, 'backfills', { since: 'soon' }), {
    status: 400,
    body: { message: /"since" must be an instant/ }
  })
})
