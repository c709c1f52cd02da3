import t from 'tap'

import { memoryInbox, type ReplayFilter } from '../../src/index.ts'
import type { ReplayJobJson, ReplayPlanJson } from '../../src/admin/api-types.ts'
import { Plans } from '../../src/admin/plan.ts'
import { whenSettled } from '../../src/testing/index.ts'
import { about, everything, realm, startFilled, type FilledRig } from './filled-rig.ts'
import { startAdmin } from './rig.ts'

// Risk: a replay that runs other deliveries than those that the operator has seen, or runs them twice.

const post = async (rig: Pick<FilledRig, 'call'>, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
  const answer = await rig.call('replays', { method: 'POST', scopes: everything, body, headers })
  return { status: answer.status, body: (await answer.json()) as ReplayPlanJson & ReplayJobJson }
}

/** Waits until a replay has ended. */
async function ended({ app }: FilledRig, id: number): Promise<void> {
  while ((await app.riverhook.job(id))?.endedAt === undefined) await new Promise(setImmediate)
}

t.test('a replay is planned, started with its count, and can be looked at', async (t) => {
  const rig = await startFilled(t)
  const planned = await post(rig, { filter: { type: 'order.*' }, dryRun: true, ratePerSecond: 1_000 })
  t.match(planned, {
    status: 200,
    body: {
      plan: /^[\w-]+\.[\w-]+$/,
      expiresAt: /Z$/,
      count: 2,
      capped: false,
      events: 2,
      byHandler: [
        { handler: 'erp', state: 'dead', count: 2, skipped: false },
        { handler: 'mail', state: 'done', count: 2, skipped: true }
      ],
      oldest: /Z$/,
      newest: /Z$/
    }
  })
  t.same((await rig.json('replays')).body, { replays: [] })
  await rig.send(about('e4', { id: 'O-4' }), 'e4')
  await whenSettled(rig.inbox, 'e4', { deliveries: 2 })
  const { plan, count } = planned.body
  t.match(await post(rig, { plan, expectedCount: 3 }), {
    status: 409,
    body: { code: 'RIVERHOOK_ADMIN_CONFLICT', message: 'The plan counts 2, but "expectedCount" is 3: check the plan' }
  })
  const { status, body: job } = await post(rig, { plan, expectedCount: count })
  t.match({ status, job }, { status: 202, job: { planned: 2, filter: { type: 'order.*' }, ratePerSecond: 1_000 } })
  await ended(rig, job.id)
  const shown = await rig.json(`replays/${job.id}`)
  t.match(shown.body, { state: 'done', replayed: 2, created: 0, actor: { name: 'alice', via: 'host' } })
  t.same((await rig.json('replays?limit=1')).body, { replays: [shown.body] })
  const attempts = async (id: string) =>
    Object.fromEntries(
      (await rig.inbox.event({ realm, id }))!.deliveries.map(({ handler, attemptLog }) => [handler, attemptLog.length])
    )
  await whenSettled(rig.inbox, 'e1', { deliveries: 2 })
  t.same(await attempts('e1'), { erp: 3, mail: 1 })
  t.same(await attempts('e4'), { erp: 1, mail: 1 }, 'it arrived after the plan')
  const [entry] = (await rig.inbox.audits({ limit: 1 })).entries
  t.match(entry, { actor: 'alice', action: 'events.replay', target: 'type=order.*', count: 2 })
  t.match(await rig.json(`replays/${job.id}`, { method: 'DELETE', scopes: everything }), {
    status: 200,
    body: { id: job.id, state: 'done' }
  })
  t.equal((await rig.json('replays/99')).status, 404)
  t.equal((await rig.json('replays/99', { method: 'DELETE', scopes: everything })).status, 404)
  t.equal((await rig.json('replays/x')).status, 400)
})

t.test('a running replay is stopped', async (t) => {
  const rig = await startFilled(t)
  await rig.inbox.pause('erp')
  const job = await rig.inbox.addJob({
    kind: 'replay',
    filter: { about: 'buyer@x.example' },
    includeDone: true,
    upTo: 9,
    ratePerSecond: 1,
    planned: 2,
    actor: { name: 'ada', via: 'command' }
  })
  const stopped = await rig.json(`replays/${job.id}`, { method: 'DELETE', scopes: ['operate'] })
  t.match(stopped.body, { state: 'stopped', filter: { about: '...' } })
})

t.test('chosen events are replayed, and no others', async (t) => {
  const rig = await startFilled(t)
  const { body } = await post(rig, {
    events: [
      { realm, id: 'e2' },
      { realm, id: 'none' }
    ],
    dryRun: true
  })
  t.match(body, { count: 1, events: 1 })
  const { body: job } = await post(rig, { plan: body.plan, expectedCount: 1 })
  t.match(job, {
    filter: {
      events: [
        { realm, id: 'e2' },
        { realm, id: 'none' }
      ]
    },
    planned: 1
  })
  await ended(rig, job.id)
  t.match((await rig.json(`replays/${job.id}`)).body, { replayed: 1 })
  t.equal((await rig.inbox.audits({ limit: 1 })).entries[0]?.target, `${realm} e2, ${realm} none`)
})

t.test('a plan starts once; an idempotency key starts once, also in another process', async (t) => {
  const rig = await startFilled(t)
  const planOf = async (body: object = {}) =>
    (await post(rig, { filter: { state: 'dead' }, dryRun: true, ...body })).body.plan
  const plan = await planOf({ filter: { about: 'o-1', state: 'dead' } })
  const [one, two] = await Promise.all([post(rig, { plan, expectedCount: 2 }), post(rig, { plan, expectedCount: 2 })])
  t.same([one.status, two.status], [202, 202])
  t.equal(one.body.id, two.body.id)
  await ended(rig, one.body.id)
  t.match(await post(rig, { plan, expectedCount: 2 }), { status: 202, body: { id: one.body.id, state: 'done' } })
  for (const id of ['e1', 'e2']) await whenSettled(rig.inbox, id, { deliveries: 2 })
  const key = { 'idempotency-key': 'erp is back' }
  const [keyed, smaller] = [await planOf(), await planOf({ limit: 1 })]
  const other = await startAdmin(t, { riverhook: rig.app.riverhook })
  const { body: job } = await post(rig, { plan: keyed, expectedCount: 2 }, key)
  t.match(await post(other, { plan: keyed, expectedCount: 2 }, key), { status: 202, body: { id: job.id } })
  t.match(await post(other, { plan: smaller, expectedCount: 1 }, key), {
    status: 409,
    body: { code: 'RIVERHOOK_INBOX_KEY_USED' }
  })
  t.match(await post(rig, { plan: keyed, expectedCount: 2 }, { 'idempotency-key': 'k'.repeat(10_000) }), {
    status: 400,
    body: { message: /"Idempotency-Key" must have 1 to 256 characters/ }
  })
  t.equal((await rig.inbox.jobs({ limit: 9 })).length, 2)
})

// Risk: the replay of another customer's events is not started, and the operator believes that it is done.
t.test('an idempotency key starts no replay about something else, before and after the end of its job', async (t) => {
  const rig = await startFilled(t)
  const { riverhook } = rig.app
  const upTo = await rig.inbox.position()
  const start = (filter: ReplayFilter) =>
    riverhook.startReplay(filter, { upTo, planned: 1, ratePerSecond: 1, idempotencyKey: 'k' })
  const about = { about: 'O-1', includeDone: true }
  const { id } = await start(about)
  const isRefused = async () => {
    for (const other of [{ ...about, about: 'R-1' }, { ...about, error: 'x' }, { includeDone: true }])
      await t.rejects(start(other), { code: 'RIVERHOOK_INBOX_KEY_USED' })
    t.equal((await start(about)).id, id)
  }
  await isRefused()
  await riverhook.stopJob(id)
  t.match(await rig.inbox.job(id), { filter: { about: '...' }, endedAt: Date })
  await isRefused()
})

t.test('a body that is neither a dry run nor a plan is refused', async (t) => {
  const rig = await startFilled(t)
  const filter = { state: 'dead' }
  const events = [{ realm, id: 'e1' }]
  const { plan } = (await post(rig, { filter, dryRun: true })).body
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{}, /Plan first/],
    [{ filter }, /Plan first/],
    [{ filter, dryRun: false }, /Plan first/],
    [{ filter, events, dryRun: true }, /either "filter" or "events"/],
    [{ dryRun: true }, /either "filter" or "events"/],
    [{ filter, dryRun: true, expectedCount: 2 }, /Plan first/],
    [{ plan }, /Send "expectedCount"/],
    [{ plan, expectedCount: 2, filter }, /leave out "filter"/],
    [{ plan, expectedCount: 2, limit: 1 }, /leave out "limit"/],
    [{ plan: `${plan}x`, expectedCount: 2 }, /is not the text that a dry run/],
    [{ plan: 'a.b.c', expectedCount: 2 }, /is not the text that a dry run/],
    [{ plan: '', expectedCount: 2 }, /body.plan/],
    [{ filter: { handlr: 'erp' }, dryRun: true }, /"handlr" is unknown/],
    [{ filter: { since: 'soon' }, dryRun: true }, /"since" must be an instant/],
    [{ filter: { type: 'oder.*' }, dryRun: true }, /The type "oder\.\*" is unknown.*did you mean "order\.\*"/],
    [{ events: [], dryRun: true }, /body.events/],
    [{ events: Array(201).fill(events[0]), dryRun: true }, /body.events/],
    [{ events: [{ id: 'e1' }], dryRun: true }, /body.events.0/],
    [{ filter, dryRun: true, ratePerSecond: 0.5 }, /ratePerSecond/],
    [{ filter, dryRun: true, limit: 0 }, /limit/]
  ]
  for (const [body, message] of wrong)
    t.match(await post(rig, body), { status: 400, body: { message } }, JSON.stringify(body).slice(0, 80))
  const unknown = await post(rig, { filter: { handler: 'erpp' }, dryRun: true })
  t.match(unknown, { status: 404, body: { message: /did you mean "erp"/ } })
  t.same(await rig.inbox.jobs({ limit: 9 }), [])
})

t.test('a plan is only for its operator, its kind, its inbox, its version and its time', async (t) => {
  const [inbox, elsewhere] = [memoryInbox(), memoryInbox()]
  await Promise.all([inbox.open(), elsewhere.open()])
  let now = Date.now()
  const plans = new Plans(inbox, () => now)
  const work = { kind: 'replay', selection: { since: new Date(5) }, upTo: 1, count: 2 } as const
  const [ada, eve] = (['ada', 'eve'] as const).map((name) => ({ name, via: 'token' as const }))
  const { plan, expiresAt } = await plans.write(work, ada!)
  t.equal(expiresAt.getTime(), now + 15 * 60_000)
  const asked = { kind: 'replay', actor: ada!, expectedCount: 2 } as const
  t.match(await new Plans(inbox).read(plan, asked), work, 'a replica')
  const refused = (given: string, how: object, code: string, of = plans) =>
    t.rejects(of.read(given, { ...asked, ...how }), { code })
  await refused(plan, { actor: eve! }, 'RIVERHOOK_ADMIN_INVALID')
  await refused(plan, { kind: 'removal' }, 'RIVERHOOK_ADMIN_INVALID')
  await refused(plan, {}, 'RIVERHOOK_ADMIN_INVALID', new Plans(elsewhere))
  const [content = '', signature = ''] = plan.split('.')
  const forged = Buffer.from(content, 'base64url').toString().replace('"count":2', '"count":3')
  await refused(
    `${Buffer.from(forged).toString('base64url')}.${signature}`,
    { expectedCount: 3 },
    'RIVERHOOK_ADMIN_INVALID'
  )
  await refused(plan, { expectedCount: 1 }, 'RIVERHOOK_ADMIN_CONFLICT')
  now = expiresAt.getTime()
  await refused(plan, {}, 'RIVERHOOK_ADMIN_PLAN_EXPIRED')
  const events = Array.from({ length: 200 }, (_each, index) => ({ realm: 'r'.repeat(256), id: `${index}` }))
  await t.rejects(plans.write({ ...work, selection: { events } }, ada!), { message: /choose fewer events/ })
})
