import type { Test } from 'tap'

import type { ClaimedJob, Inbox, JobLease } from '../../src/inbox/inbox.ts'
import type { NewJob } from '../../src/model/job.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, ids, leaseMs, settleAll, type Subject } from './contract.ts'
import { keyOf, named } from '../event-keys.ts'

const given: NewJob = {
  kind: 'replay',
  filter: { type: 'order.*', since: new Date(1_000), until: new Date(9_000) },
  includeDone: true,
  upTo: 3,
  limit: 5,
  ratePerSecond: 10,
  planned: 3,
  actor: { name: 'ada', via: 'command' }
}

/** A job to replay everything. */
export const replayOfAll: NewJob = { ...given, filter: {} }

/** The contract of every engine for jobs. */
export async function jobsContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('a job is stored as it was given, and waits', async (t) => {
    const { inbox, now } = await open(t)
    const { isNew, ...job } = await inbox.addJob(given)
    t.ok(isNew)
    t.same(job, {
      ...given,
      id: job.id,
      state: 'waiting',
      replayed: 0,
      created: 0,
      skipped: 0,
      refused: 0,
      owner: undefined,
      createdAt: new Date(now()),
      startedAt: undefined,
      endedAt: undefined,
      error: undefined
    })
    t.same(await inbox.job(job.id), job)
    t.equal(await inbox.job(job.id + 1), undefined)
    const { isNew: _isNew, ...other } = await inbox.addJob(replayOfAll)
    t.same(await inbox.jobs({ limit: 9 }), [other, job], 'newest first')
    t.same(await inbox.jobs({ limit: 1 }), [other])
    t.same(await inbox.jobs({ limit: 1, before: other.id }), [job])
  })

  t.test('the audit log says who started and stopped a job', async (t) => {
    const { inbox } = await open(t)
    const act = { actor: given.actor, action: 'events.replay', target: 'type order.*' }
    const { id } = await inbox.addJob(given, act)
    await inbox.stopJob(id, { ...act, action: 'replay.stop' })
    await inbox.stopJob(id, { ...act, action: 'replay.stop' })
    await inbox.addJob(given)
    t.match(
      (await inbox.audits({ limit: 9 })).entries.map(({ action, count, outcome }) => [action, count, outcome]),
      [
        ['replay.stop', 0, 'not running'],
        ['replay.stop', 1, 'stopped'],
        ['events.replay', 3, '3 planned']
      ]
    )
  })

  t.test('an idempotency key starts one job, however often it is added', async (t) => {
    const { inbox } = await open(t)
    const act = { actor: given.actor, action: 'events.replay', target: 'type order.*' }
    const keyed = { ...given, idempotencyKey: 'k1' }
    const added = await Promise.all([inbox.addJob(keyed, act), inbox.addJob({ ...keyed, planned: 9 }, act)])
    t.same(added.map(({ isNew }) => isNew).sort(), [false, true])
    t.equal(added[0].id, added[1].id)
    t.equal(added[0].planned, added[1].planned)
    t.not((await inbox.addJob({ ...keyed, idempotencyKey: 'k2' })).id, added[0].id)
    t.equal((await inbox.jobs({ limit: 9 })).length, 2)
    t.same(
      (await inbox.audits({ limit: 9 })).entries.map(({ count, outcome }) => [count, outcome]),
      [
        [0, 'already started'],
        [added[0].planned, `${added[0].planned} planned`]
      ]
    )
    await inbox.stopJob(added[0].id)
    t.match(await inbox.addJob(keyed), { id: added[0].id, isNew: false, state: 'stopped' })
  })

  t.test('the signing key is made once', async (t) => {
    const { inbox } = await open(t)
    const [key, again] = await Promise.all([inbox.signingKey(), inbox.signingKey()])
    t.equal(key.length, 32)
    t.same(Buffer.from(key), Buffer.from(again))
  })

  t.test('a wrong job is refused with the name of the field', async (t) => {
    const { inbox } = await open(t)
    for (const [wrong, name] of [
      [{ filter: { handlr: 'a' } }, /handlr/],
      [{ ratePerSecond: 0 }, /ratePerSecond/],
      [{ ratePerSecond: 0.5 }, /ratePerSecond/],
      [{ limit: 0 }, /limit/],
      [{ upTo: -1 }, /upTo/],
      [{ idempotencyKey: 'k'.repeat(201) }, /idempotencyKey/],
      [{ idempotencyKey: 'k\n' }, /idempotencyKey/],
      [{ filter: { events: [] } }, /events/],
      [{ filter: { events: [{ id: 'e1' }] } }, /events/],
      [{ actor: { name: 'ada', via: 'guess' } }, /via/]
    ] as const)
      await t.rejects(inbox.addJob({ ...given, ...wrong } as never), {
        code: 'RIVERHOOK_OPTIONS_INVALID',
        message: name
      })
    t.same(await inbox.jobs({ limit: 9 }), [])
  })

  t.test('the position is that of the newest event, and a list ends at it', async (t) => {
    const { inbox } = await open(t)
    t.equal(await inbox.position(), 0)
    await inbox.record([arrival('1', ['ship']), quarantined('2')])
    const upTo = await inbox.position()
    await inbox.record([arrival('3', ['ship'])])
    t.ok((await inbox.position()) > upTo)
    for (const filter of [{}, { handler: 'ship' }, { type: 'order.accepted' }, { state: 'pending' as const }]) {
      const wanted = 'handler' in filter || 'type' in filter || 'state' in filter ? ['1'] : ['1', '2']
      const read = async (how: object): Promise<string[]> =>
        (await inbox.events({ ...filter, upTo, limit: 9, ...how })).events.map(({ id }) => id)
      t.same(await read({ oldestFirst: true }), wanted, JSON.stringify(filter))
      t.same(await read({}), wanted.toReversed(), JSON.stringify(filter))
    }
    const { events, next } = await inbox.events({ upTo, limit: 1 })
    t.match(events, [{ id: '2' }])
    t.match(await inbox.events({ upTo, limit: 9, after: next }), { events: [{ id: '1' }], next: undefined })
  })

  // Risk: a replay sweeps in an event that arrived after its plan, and a customer is charged twice.
  t.test('an event that arrives after the newest was removed is beyond every position before', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([arrival('1', []), arrival('2', [])])
    const { events: before, next } = await inbox.events({ limit: 1, oldestFirst: true })
    t.match(before, [{ id: '1' }])
    const positions = [await inbox.position()]
    for (const id of ['2', '1']) {
      await inbox.remove([keyOf(id)])
      await inbox.record([arrival(`after-${id}`, [])])
      positions.push(await inbox.position())
      await inbox.remove([keyOf(`after-${id}`)])
    }
    await inbox.record([arrival('last', [])])
    for (const upTo of positions) t.same((await inbox.events({ upTo, limit: 9 })).events, [], `up to ${upTo}`)
    t.match((await inbox.events({ after: next, oldestFirst: true, limit: 9 })).events, [{ id: 'last' }])
  })

  t.test('a job has one holder at a time, the oldest first, until its lease ends', async (t) => {
    const { inbox, advance, now } = await open(t)
    const [one, two] = [await inbox.addJob(given), await inbox.addJob(given)]
    const begun = new Date(now())
    const first = await take(inbox)
    t.match(first, { job: { id: one.id, state: 'running', owner: 'me', startedAt: begun }, cursor: 0 })
    t.match(await take(inbox), { job: { id: two.id } })
    t.equal(await take(inbox), undefined)
    t.equal(await take(inbox, one.id), undefined)
    advance(leaseMs - 1)
    t.ok(await inbox.advanceJob(lease(first!), { cursor: 7, planned: 9, skipped: 2, refused: 1, error: 'no' }))
    advance(leaseMs - 1)
    t.match(await take(inbox), { job: { id: two.id } }, 'the other lease has ended, this one was extended')
    advance(1)
    const again = await take(inbox)
    t.match(again, {
      job: { id: one.id, planned: 9, skipped: 2, refused: 1, error: 'no', startedAt: begun },
      cursor: 7
    })
    t.ok(again!.token > first!.token)
    t.notOk(await inbox.advanceJob(lease(first!), { skipped: 1 }), 'a stalled holder changes nothing')
    t.equal(await inbox.replayInJob(lease(first!), []), undefined)
    t.notOk(await inbox.endJob(lease(first!), { state: 'done' }))
    t.ok(await inbox.advanceJob(lease(again!), { planned: 3 }))
    t.match(await inbox.job(one.id), { state: 'running', planned: 9, skipped: 2 })
  })

  t.test('a claim says which job replayed the delivery last, with the trace of that job', async (t) => {
    const { inbox } = await open(t)
    await adopt(inbox)
    await inbox.record([arrival('1', ['ship']), arrival('2', ['ship']), arrival('3', ['ship'])])
    const first = await claim(inbox, ['ship'])
    t.same(
      first.map(({ replay }) => replay),
      [undefined, undefined, undefined]
    )
    await settleAll(inbox, first, { state: 'dead', error: 'no' })
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const [traced, plain] = [await inbox.addJob({ ...given, trace }), await inbox.addJob(given)]
    t.equal((await inbox.job(traced.id))?.trace, trace)
    const [one, two] = [await take(inbox), await take(inbox)]
    await inbox.replayInJob(lease(one!), [
      { event: keyOf('1'), handler: 'ship' },
      { event: keyOf('2'), handler: 'ship' }
    ])
    await inbox.replayInJob(lease(two!), [{ event: keyOf('3'), handler: 'ship' }])
    const replayed = await claim(inbox, ['ship'])
    t.same(
      replayed.map(({ replay }) => replay),
      [
        { jobId: traced.id, trace },
        { jobId: traced.id, trace },
        { jobId: plain.id, trace: undefined }
      ]
    )
  })

  t.test('a job ends, or is handed back', async (t) => {
    const { inbox, advance, now } = await open(t)
    const { id } = await inbox.addJob(given)
    t.ok(await inbox.endJob(lease((await take(inbox))!), { state: 'waiting' }))
    t.match(await inbox.job(id), { state: 'waiting', owner: undefined, endedAt: undefined })
    advance(5)
    const held = await take(inbox)
    t.ok(await inbox.endJob(lease(held!), { state: 'failed', error: 'a handler without code' }))
    t.match(await inbox.job(id), {
      state: 'failed',
      owner: undefined,
      endedAt: new Date(now()),
      error: 'a handler without code'
    })
    t.notOk(await inbox.endJob(lease(held!), { state: 'done' }))
    t.notOk(await inbox.stopJob(id), 'it has ended')
    advance(leaseMs)
    t.equal(await take(inbox), undefined)
  })

  t.test('a stopped job replays nothing more, and is not claimed again', async (t) => {
    const { inbox, advance, now } = await open(t)
    await inbox.record([arrival('1', ['ship'])])
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'dead', error: 'no' })
    const { id } = await inbox.addJob(given)
    const held = await take(inbox)
    t.ok(await inbox.stopJob(id))
    t.match(await inbox.job(id), { state: 'stopped', owner: undefined, endedAt: new Date(now()) })
    t.equal(await inbox.replayInJob(lease(held!), [{ event: keyOf('1'), handler: 'ship' }]), undefined)
    t.match(await inbox.event(keyOf('1')), { deliveries: [{ state: 'dead', jobId: undefined }] })
    t.notOk(await inbox.stopJob(id))
    t.notOk(await inbox.stopJob(id + 1), 'there is no such job')
    advance(leaseMs)
    t.equal(await take(inbox), undefined)
    const waiting = await inbox.addJob(given)
    t.ok(await inbox.stopJob(waiting.id))
    t.equal(await take(inbox), undefined)
  })

  // Risk: a process that dies between two batches, and a customer who is charged twice.
  t.test('a job replays a delivery once, also if it has run, failed or is running since', async (t) => {
    const { inbox, advance } = await open(t)
    await adopt(inbox)
    await inbox.record(['1', '2', '3', '4'].map((id) => arrival(id, ['ship'])))
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'dead', error: 'no' })
    const { id } = await inbox.addJob(given)
    const targets = ['1', '2', '3'].map((event) => ({ event: keyOf(event), handler: 'ship' }))
    const first = await take(inbox)
    t.same(await inbox.replayInJob(lease(first!), [...targets, { event: keyOf('1'), handler: 'mail' }]), [
      'replayed',
      'replayed',
      'replayed',
      'created'
    ])
    t.match(await inbox.job(id), { replayed: 3, created: 1 })
    const [one, two, ...running] = await claim(inbox, ['ship'])
    t.equal(running.length, 1)
    await settleAll(inbox, [one!], { state: 'done' })
    await settleAll(inbox, [two!], { state: 'dead', error: 'no' })
    await settleAll(inbox, await claim(inbox, ['mail']), { state: 'dead', error: 'no' })
    advance(leaseMs)
    const again = await take(inbox)
    t.same(
      await inbox.replayInJob(lease(again!), [
        ...targets,
        { event: keyOf('1'), handler: 'mail' },
        { event: keyOf('4'), handler: 'ship' },
        { event: keyOf('unknown'), handler: 'ship' }
      ]),
      ['repeated', 'repeated', 'repeated', 'repeated', 'replayed', 'unknown_event']
    )
    t.match(await inbox.job(id), { replayed: 4, created: 1 })
    t.match((await inbox.event(keyOf('1')))?.deliveries, [
      { handler: 'ship', state: 'done', jobId: id },
      { handler: 'mail', state: 'dead', jobId: id }
    ])
    t.same(await inbox.replay([targets[1]!]), ['replayed'], 'another replay is not held back')
    const other = await inbox.addJob(given)
    t.same(await inbox.replayInJob(lease((await take(inbox, other.id))!), [targets[0]!]), ['replayed'])
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'done' })
    t.same(await inbox.replayInJob(lease(again!), [targets[0]!]), ['repeated'], 'it has run for both jobs')
    t.match((await inbox.event(keyOf('1')))?.deliveries, [{ state: 'done', jobId: other.id }, {}])
  })

  t.test('a replay in a job skips what a replay skips, and keeps its delay and its line', async (t) => {
    const { inbox, advance } = await open(t)
    await adopt(inbox)
    await inbox.record(['1', '2', '3'].map((id) => arrival(id, [{ handler: 'ship', orderKey: 'k' }])))
    for (const state of ['dead', 'dead', 'done'] as const)
      await settleAll(inbox, await claim(inbox, ['ship']), state === 'dead' ? { state, error: 'no' } : { state })
    await inbox.addJob(given)
    const held = await take(inbox)
    t.same(
      await inbox.replayInJob(lease(held!), [
        { event: keyOf('1'), handler: 'ship', dueInMs: 50 },
        { event: keyOf('2'), handler: 'ship' },
        { event: keyOf('3'), handler: 'ship', unlessDone: true }
      ]),
      ['replayed', 'replayed', 'done']
    )
    t.same(await claim(inbox, ['ship']), [])
    advance(50)
    t.same(ids(await claim(inbox, ['ship'])), ['1'])
  })

  // Risk: the e-mail address of a customer who is to be forgotten stays in the list of jobs.
  t.test('a job keeps what it is about only while it needs it', async (t) => {
    const { inbox } = await open(t)
    const about = 'buyer@example.com'
    const [ended, stopped, other] = [
      await inbox.addJob({ ...given, filter: { about, type: 'order.*' } }),
      await inbox.addJob({ ...given, filter: { about } }),
      await inbox.addJob(given)
    ]
    t.ok(await inbox.endJob(lease((await take(inbox, ended.id))!), { state: 'waiting' }))
    t.match((await take(inbox, ended.id))?.job, { filter: { about, type: 'order.*' } }, 'its next holder needs it')
    await inbox.stopJob(stopped.id)
    await inbox.stopJob(other.id)
    t.match(await inbox.job(ended.id), { state: 'running', filter: { about } })
    t.ok(await inbox.endJob({ id: ended.id, token: 2, leaseMs }, { state: 'done' }))
    t.same(
      (await inbox.jobs({ limit: 9 })).map(({ filter }) => filter),
      [given.filter, { about: '...' }, { about: '...', type: 'order.*' }],
      'the newest first'
    )
  })

  t.test('a job that has ended is purged with the retention', async (t) => {
    const { inbox, advance, now } = await open(t)
    const [ended, open_] = [await inbox.addJob(given), await inbox.addJob(given)]
    await inbox.stopJob(ended.id)
    advance(1)
    const late = await inbox.addJob(given)
    await inbox.stopJob(late.id)
    await inbox.prune({ before: new Date(now()), limit: 9, after: 5 })
    t.equal((await inbox.jobs({ limit: 9 })).length, 3, 'only with the first batch')
    await inbox.prune({ before: new Date(now()), limit: 9 })
    t.match(await inbox.jobs({ limit: 9 }), [{ id: late.id }, { id: open_.id, state: 'waiting' }])
    t.not((await inbox.addJob(given)).id, ended.id, 'its id is not used again')
  })
}

/** Without their handlers, replayed deliveries would be parked. */
async function adopt(inbox: Inbox): Promise<void> {
  await inbox.adopt(named('ship', 'mail').map((handler) => ({ ...handler, pattern: '*' })))
}

function take(inbox: Inbox, id?: number): Promise<ClaimedJob | undefined> {
  return inbox.claimJob({ owner: 'me', leaseMs, id })
}

function lease({ job: { id }, token }: ClaimedJob): JobLease {
  return { id, token, leaseMs }
}
